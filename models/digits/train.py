"""Trains digits.tflite, a small convolutional network for handwritten digits, and writes its figures into the card."""

import sys
from pathlib import Path
from typing import Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training import Recipe, command, keras, layers

OPERATORS = ["conv1", "conv2", "pool1", "depthwise", "conv3", "pool2", "flatten", "dense", "digit"]


def build() -> Any:
    """Returns the untrained model: images [N, 28, 28, 1] in 0 to 1, out come the ten probabilities.

    The first convolution halves the image, so that no two tensors that live together exceed 4,704 bytes. Every
    convolution is followed by a normalization, which the converter folds into it, and by a ReLU, which it fuses.
    """

    def activated(x: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    image = keras.Input((28, 28, 1))
    x = activated(layers.Conv2D(12, 5, strides=2, padding="same", use_bias=False)(image))
    x = activated(layers.Conv2D(12, 3, padding="same", use_bias=False)(x))
    x = layers.MaxPooling2D(2)(x)
    x = activated(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    x = activated(layers.Conv2D(32, 1, use_bias=False)(x))
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


RECIPE = Recipe(
    name="digits",
    description="Arenite digits: handwritten digits, a small convolutional network trained on 8,500 MNIST digits.",
    operators=OPERATORS,
    build=build,
    epochs=80,
    learning_rate=3e-3,
)


if __name__ == "__main__":
    typer.run(command(RECIPE, Path(__file__).resolve()))
