"""What the training scripts share: TensorFlow made quiet and repeatable, and all of a digit model but its layers."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

# Before TensorFlow is imported: its banners would drown the progress, and oneDNN's reordered sums depend on the CPU.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import convert
import keras
import mnist
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import typer
from keras import layers
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# The scripts take Keras from here, so that it is imported after the lines above.
__all__ = ["Recipe", "command", "keras", "layers"]

SEED = 1
BATCH = 64
CALIBRATION_STEP = 20  # Every 20th training digit sets the scales.
QUICK_EPOCHS = 2
QUICK_SHARE = 2  # A quick run trains on every second digit.


@dataclass(frozen=True)
class Recipe:
    """All that tells one digit model from another."""

    name: str
    description: str
    operators: Sequence[str]
    build: Callable[[], Any]
    epochs: int
    learning_rate: float


def seed_everything() -> None:
    """Makes a second run on the same machine give the same bits."""
    keras.utils.set_random_seed(SEED)
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


def output_folder(name: str, script: Path, output: Path | None, quick: bool) -> Path:
    """Returns the folder to write to, which it makes: the one asked for, else the script's own.

    A quick run proves the script and not the model, so its files go to build/models/NAME where no folder is named.
    """
    default = Path(__file__).resolve().parents[1] / "build" / "models" / name if quick else script.parent
    folder = output or default
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def command(recipe: Recipe, script: Path) -> Callable[..., None]:
    """Returns what the script of a digit model is on the command line."""

    def main(
        epochs: Annotated[
            int | None, typer.Option(min=1, help=f"Passes over the digits; {recipe.epochs} if not given.")
        ] = None,
        output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write to.")] = None,
        quick: Annotated[
            bool, typer.Option(help="Two epochs on half of the digits: proves the script, not the model.")
        ] = False,
    ) -> None:
        train(recipe, script, epochs, output, quick)

    main.__doc__ = f"Trains the model and writes {recipe.name}.tflite."
    return main


def train(recipe: Recipe, script: Path, epochs: int | None, output: Path | None, quick: bool) -> None:
    """Trains, converts and measures a digit model, and writes NAME.tflite and the figures of the card beside it.

    Raises as mnist.fetch() does. The folder is that of output_folder().
    """
    console = Console()
    folder = output_folder(recipe.name, script, output, quick)
    seed_everything()
    training, held_out = mnist.split(mnist.load())
    if quick:
        training = training[np.arange(0, len(training), QUICK_SHARE)]
    console.print(f"{recipe.name}: {len(training)} digits to learn from, {len(held_out)} held out")

    model = recipe.build()
    fit(model, training, epochs or (QUICK_EPOCHS if quick else recipe.epochs), recipe.learning_rate, console)

    floats = shaped(model, mnist.as_floats(held_out.images))
    float_accuracy = convert.accuracy(model.predict(floats, batch_size=250, verbose=0), held_out.labels)
    content = convert.label(
        convert.quantize(with_batch_of_one(model), shaped(model, mnist.as_floats(training.images))[::CALIBRATION_STEP]),
        description=recipe.description,
        input_name="image",
        operators=recipe.operators,
    )
    path = folder / f"{recipe.name}.tflite"
    path.write_bytes(content)
    rows = [
        ("float32, Keras, all held-out digits", f"{float_accuracy:.2%} of {len(held_out)}"),
        *measure(content, held_out),
        ("parameters, as trained", f"{model.count_params():,}"),
    ]
    convert.print_figures(console, rows)
    convert.write_figures(folder / "README.md", rows)
    console.print(f"wrote {path}", highlight=False, soft_wrap=True)


def fit(model: Any, training: mnist.Digits, epochs: int, learning_rate: float, console: Console) -> None:
    """Trains the model for some epochs, each over all the digits newly warped, the learning rate falling to 0."""
    generator = np.random.default_rng(SEED)
    steps = epochs * -(-len(training) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    images = mnist.as_floats(training.images)
    with training_progress(epochs, console) as epoch_done:
        for _ in range(epochs):
            warped = shaped(model, mnist.warp(images, generator))
            epoch_done(model.fit(warped, training.labels, batch_size=BATCH, verbose=0).history["loss"][0])


@contextmanager
def training_progress(epochs: int, console: Console) -> Iterator[Callable[[float], None]]:
    """Shows a bar of the epochs; what it yields is to be called with the loss after each."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=epochs)
        yield lambda loss: progress.update(task, advance=1, description=f"training, loss {loss:.4f}, epoch")


def shaped(model: Any, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Returns images [N, 28, 28] in the model's input shape."""
    return images.reshape(-1, *model.input_shape[1:])


def with_batch_of_one(model: Any) -> Any:
    """Returns the same model for one image at a time: without it the converter computes shapes at run time."""
    image = keras.Input(model.input_shape[1:], batch_size=1, name="image")
    return keras.Model(image, model(image))


def measure(content: bytes, held_out: mnist.Digits) -> list[tuple[str, str]]:
    """Returns the card's rows about the .tflite, as tflite-micro runs it."""
    outputs = convert.run(content, mnist.as_int8(held_out.images))
    some = len(mnist.committed(held_out))
    all_right = convert.accuracy(outputs, held_out.labels)
    some_right = convert.accuracy(outputs[:some], held_out.labels[:some])
    operators = convert.operators_of(content)
    return [
        ("int8, host (tflite-micro), all held-out digits", f"{all_right:.2%} of {len(held_out)}"),
        ("int8, host (tflite-micro), the committed held-out digits", f"{some_right:.2%} of {some}"),
        ("int8, board, the committed held-out digits", "not measured yet for these weights"),
        ("file", f"{len(content):,} bytes"),
        ("operators", f"{len(operators)}: {', '.join(operators)}"),
    ]
