"""Trains digits_mlp.tflite, the perceptron of the first microcontroller demos, and writes its figures into the card."""

import sys
from pathlib import Path
from typing import Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training import Recipe, command, keras, layers

OPERATORS = ["hidden1", "hidden2", "logits", "digit"]


def build() -> Any:
    """Returns the untrained model: images [N, 784] in 0 to 1, row by row; out come the ten probabilities."""
    image = keras.Input((784,))
    x = layers.Dense(128, activation="relu")(image)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


RECIPE = Recipe(
    name="digits_mlp",
    description="Arenite digits_mlp: handwritten digits, a 784-128-64-10 perceptron trained on 8,500 MNIST digits.",
    operators=OPERATORS,
    build=build,
    epochs=150,
    learning_rate=3e-3,
)


if __name__ == "__main__":
    typer.run(command(RECIPE, Path(__file__).resolve()))
