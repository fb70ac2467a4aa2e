"""The demonstration: handwritten digits that training never saw, classified on an emulated Cortex-M7 board."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from arenite.boards import ROOT, find_board
from arenite.errors import BoardError, UserError
from arenite.model import Model, read_model
from arenite.oracle import Oracle
from arenite.targets import emulated

BOARD = "MPS2_AN500"
FOLDER = ROOT / "models" / "digits"
ROWS = 2  # of drawings
WIDTH, GAP = 20, 3  # of a drawing, and between two, in characters
INK = 96  # the least brightness, of 255, that is drawn

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """What the board made of one image: the digit, the instructions it took, the output tensor's bytes."""

    digit: int
    instructions: int
    output: bytes


def demo(out: Console, err: Console) -> None:
    """Classify the held-out digits, draw some, and print accuracy, arena, instructions, and the comparison.

    Raises:
        UserError: the model or the digits are missing.
        BoardError: the board broke off, or an answer is not tflite-micro's.
    """
    model = read_model(FOLDER / "digits.tflite")
    images, labels = held_out()
    arena, answers = classify(model, images, err)
    a_row = max(1, (out.width + GAP) // (WIDTH + GAP))
    for start in range(0, ROWS * a_row, a_row):
        row = zip(images[start:][:a_row], answers[start:], labels[start:], strict=False)
        out.print(Columns([_drawing(*one) for one in row], padding=(1, GAP)))
    same = sum(answer.output == right for answer, right in zip(answers, _right_answers(model, images), strict=True))
    out.print(_summary(answers, labels, arena, same))
    if same != len(answers):
        raise BoardError(f"{len(answers) - same} answers are not tflite-micro's")


def held_out() -> tuple[Images, NDArray[Any]]:
    """Images (N, 28, 28), 0 is paper and 255 ink, and their labels (N,)."""
    path = FOLDER / "heldout.npz"
    if not path.exists():
        raise UserError(f"{path}: no such file")
    with np.load(path) as file:
        return file["images"], file["labels"]


def classify(model: Model, images: Images, err: Console) -> tuple[int, list[Answer]]:
    """Bytes of arena, and the board's answer to every image."""
    lines: list[Any] = []
    files = {"digits.tflite": model.data, "digits.bin": images.tobytes()}
    with (
        emulated(find_board(BOARD), files, err) as connection,
        Progress(console=err, transient=True) as progress,
    ):
        task = progress.add_task(f"/rom/digits.tflite on {BOARD}", total=len(images))

        def take(line: Any) -> None:
            lines.append(line)
            progress.update(task, completed=len(lines) - 1)

        connection.load("demo")
        connection.call("classify", "/rom/digits.tflite", "/rom/digits.bin", len(images), each=take)
    arena, *rows = lines
    return arena, [Answer(digit, ticks, bytes.fromhex(output.decode())) for digit, ticks, output in rows]


def _right_answers(model: Model, images: Images) -> Iterator[bytes]:
    oracle = Oracle(model)
    for image in images:
        # scale 1/255 and zero point -128: the quantized pixel is the pixel less 128
        pixels = (image.astype(np.int16) - 128).astype(np.int8)
        yield oracle.invoke([pixels.tobytes()])[0]


def _drawing(image: Images, answer: Answer, label: int) -> Text:
    """The image's middle, two pixels a character, and the answer below."""
    ink = image[4:24, 4:24] > INK
    text = Text()
    for upper, lower in zip(ink[::2], ink[1::2], strict=True):
        text.append("".join(" ▀▄█"[up + 2 * low] for up, low in zip(upper, lower, strict=True)) + "\n")
    right = answer.digit == label
    verdict = f"answer {answer.digit}" if right else f"answer {answer.digit}, is {label}"
    return text.append(verdict.center(WIDTH), style="bold green" if right else "bold red")


def _summary(answers: list[Answer], labels: NDArray[Any], arena: int, same: int) -> Table:
    count = len(answers)
    right = sum(answer.digit == label for answer, label in zip(answers, labels, strict=True))
    instructions = sum(answer.instructions for answer in answers) // count
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("accuracy", f"{100 * right / count:.1f} %: {right} of {count} held-out digits")
    table.add_row("arena", f"{arena:,} bytes; the weights stay in flash")
    table.add_row("one inference", f"{instructions:,} instructions, counted by the emulator (they are not cycles)")
    table.add_row("tflite-micro", f"{same} of {count} outputs are equal to it, byte for byte")
    return table
