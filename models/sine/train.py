"""Trains sine.tflite and sine_float.tflite, TensorFlow's hello world, and writes their figures into the card."""

import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import convert
import numpy as np
import numpy.typing as npt
from rich.console import Console
from training import BATCH, SEED, keras, layers, output_folder, seed_everything, training_progress, with_batch_of_one

NAME = "sine"
OPERATORS = ["hidden1", "hidden2", "sine"]
POINTS = 1000
EPOCHS = 500
QUICK_EPOCHS = 20
LEARNING_RATE = 0.02
TURN = np.float32(2 * math.pi)

Floats = npt.NDArray[np.float32]


def build() -> Any:
    """Returns the untrained model: angles [N, 1] in radians, out come [N, 1]."""
    x = keras.Input((1,))
    hidden = layers.Dense(16, activation="relu")(x)
    hidden = layers.Dense(16, activation="relu")(hidden)
    return keras.Model(x, layers.Dense(1)(hidden))


def fit(model: Any, epochs: int, console: Console) -> None:
    """Trains the model on 1,000 random points of the sine."""
    x = np.random.default_rng(SEED).uniform(0, TURN, (POINTS, 1)).astype(np.float32)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * -(-POINTS // BATCH))
    model.compile(keras.optimizers.Adam(schedule), "mean_squared_error")
    with training_progress(epochs, console) as epoch_done:
        callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, logs: epoch_done(logs["loss"]))
        model.fit(x, np.sin(x), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[callback])


def run_int8(content: bytes, x: Floats) -> Floats:
    """Returns the int8 model's answers [N, 1] as real numbers: quantizes angles [N, 1], runs, dequantizes."""
    input_scale, input_zero, output_scale, output_zero = convert.quantization_of(content)
    quantized = np.clip(np.rint(x / input_scale) + input_zero, -128, 127).astype(np.int8)
    answers: Floats = (convert.run(content, quantized).astype(np.float32) - output_zero) * np.float32(output_scale)
    return answers


def figures(name: str, content: bytes, x: Floats, answers: Floats) -> list[tuple[str, str]]:
    """Returns the card's rows about one file, given its answers [N] for angles x [N, 1]."""
    errors = np.abs(answers.reshape(-1) - np.sin(x.reshape(-1)))
    return [
        (f"{name}, mean error (tflite-micro)", f"{errors.mean():.4f}"),
        (f"{name}, largest error (tflite-micro)", f"{errors.max():.4f}"),
        (f"{name}, file", f"{len(content):,} bytes"),
    ]


def main(
    epochs: Annotated[int | None, typer.Option(min=1, help=f"Passes over the points; {EPOCHS} if not given.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write to.")] = None,
    quick: Annotated[bool, typer.Option(help=f"{QUICK_EPOCHS} epochs: proves the script, not the model.")] = False,
) -> None:
    """Trains the model and writes sine.tflite (int8) and sine_float.tflite."""
    console = Console()
    folder = output_folder(NAME, Path(__file__).resolve(), output, quick)
    seed_everything()
    model = build()
    fit(model, epochs or (QUICK_EPOCHS if quick else EPOCHS), console)

    x = np.linspace(0, TURN, POINTS, dtype=np.float32)[:, None]
    single = with_batch_of_one(model)
    names = {"input_name": "x", "operators": OPERATORS}
    about = "Arenite sine: TensorFlow's hello world, 1-16-16-1, sine of an angle from 0 to 2 pi"
    int8 = convert.label(convert.quantize(single, x), description=f"{about}, int8.", **names)
    floating = convert.label(convert.to_float(single), description=f"{about}, float32.", **names)
    (folder / "sine.tflite").write_bytes(int8)
    (folder / "sine_float.tflite").write_bytes(floating)

    rows = figures("int8", int8, x, run_int8(int8, x)) + figures("float32", floating, x, convert.run(floating, x))
    operators = convert.operators_of(int8)
    rows.append(("operators of both", f"{len(operators)}: {', '.join(operators)}"))
    convert.print_figures(console, rows)
    convert.write_figures(folder / "README.md", rows)
    console.print(f"wrote sine.tflite and sine_float.tflite to {folder}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
