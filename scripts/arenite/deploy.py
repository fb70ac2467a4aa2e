"""Models on boards: which files go along with them, how they get there, and what is there already."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from rich.table import Table

from arenite import romfs
from arenite.board import Connection
from arenite.board import deploy as write_image
from arenite.errors import BoardError, UserError
from arenite.model import OPERATOR_NAMES, Model, model_of

MODEL = ".tflite"
BESIDE = ("{stem}.txt", "{stem}_labels.txt", "labels.txt")

File = tuple[str, int, int]  # path, size in bytes, CRC-32


def collect(arguments: Sequence[str], note: Callable[[str], None]) -> dict[str, bytes]:
    """What goes to a board's ROMFS: the files named, and beside each NAME.tflite its labels as NAME.txt.

    Labels are a line for each value of an output. They come from NAME.txt, NAME_labels.txt or labels.txt in the model's
    folder, or else from the text file that is packed into the model, as TensorFlow Lite's metadata has it.

    Args:
        arguments: FILE, NAME=FILE, or folders.
        note: is told of labels found.

    Raises:
        UserError: a file that is missing, a .tflite that is none, or two files of one name.
    """
    files = romfs.collect(arguments)
    sources = _sources(arguments)
    for name in [name for name in files if name.endswith(MODEL)]:
        model = model_of(Path(name), files[name])
        labels_name = name.removesuffix(MODEL) + ".txt"
        if labels_name in files:
            continue
        for source, text in _labels(model, sources.get(name)):
            if _fits(model, text):
                files[labels_name] = text
                note(f"{labels_name}: labels from {source}")
                break
    return files


def _sources(arguments: Sequence[str]) -> dict[str, Path]:
    """The files that were named one by one, by their name in the image."""
    found = {}
    for argument in arguments:
        name, equals, file = argument.partition("=")
        if not equals or Path(argument).exists():
            name, file = Path(argument).name, argument
        if Path(file).is_file():
            found[name] = Path(file)
    return found


def _labels(model: Model, source: Path | None) -> Iterator[tuple[str, bytes]]:
    """Files that may be a model's labels, the likeliest first."""
    if source:
        for pattern in BESIDE:
            path = source.with_name(pattern.format(stem=source.stem))
            if path.is_file():
                yield path.name, path.read_bytes()
    packed = io.BytesIO(model.data)
    if not zipfile.is_zipfile(packed):
        return
    try:
        with zipfile.ZipFile(packed) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
            for name in sorted(names, key=lambda name: "label" not in name.lower()):
                yield f"the model's metadata ({name})", archive.read(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return  # damaged, or packed in a way that Python cannot: the model itself needs none of it


def _fits(model: Model, text: bytes) -> bool:
    """Whether there is one line for each value along an output's last axis."""
    lines = len(text.rstrip().splitlines())
    return any(tensor.shape and tensor.shape[-1] == lines for tensor in model.outputs)


def deploy(port: str, files: dict[str, bytes]) -> int:
    """Write files to a real board's ROMFS through mpremote, which shows its progress, and read them back.

    Returns:
        bytes of the image.

    Raises:
        UserError: no such port, or the files do not fit.
        BoardError: the board has no ROMFS, or what it reads back is not what was sent.
    """
    image = romfs.pack(files)
    sizes: list[int | None] = []
    with Connection(port) as connection:
        connection.load("models")
        connection.call("romfs_size", each=sizes.append)
    if sizes[0] is None:
        raise BoardError(f"{port}: this firmware has no ROMFS; copy the models with `mpremote cp`")
    if len(image) > sizes[0]:
        raise UserError(f"{port} has {sizes[0]} bytes of ROMFS, the image of these files needs {len(image)}")
    write_image(port, image)
    found: list[File] = []
    with Connection(port) as connection:
        connection.load("models")
        connection.call("checksums", "/rom", each=found.append)
    expected = {(f"/rom/{name}", len(data), crc32(data)) for name, data in romfs.sealed(files).items()}
    if wrong := expected ^ set(found):
        raise BoardError(f"{port}: {min(wrong)[0]} is not what was sent; deploy again")
    return len(image)


@dataclass(frozen=True)
class OnBoard:
    """One model file on a board. Sizes are in bytes; problem says why it does not run, and is empty where it does."""

    path: str
    size: int
    operators: tuple[str, ...]
    arena: int | None
    heap: int
    problem: str


def models(port: str) -> list[OnBoard]:
    """Every .tflite file that a board can see.

    Raises:
        UserError: no such port.
        BoardError: the board does not answer, or its firmware is without Arenite.
    """
    rows: list[tuple[Any, ...]] = []
    with Connection(port) as connection:
        connection.load("models")
        connection.call("models", each=rows.append)
    return [
        OnBoard(path, size, tuple(_name(code) for code in codes or ()), arena, heap, problem or "")
        for path, size, codes, arena, heap, problem in rows
    ]


def _name(code: int | bytes) -> str:
    return code.decode(errors="replace") if isinstance(code, bytes) else OPERATOR_NAMES.get(code, f"BUILTIN_{code}")


def table(found: Sequence[OnBoard]) -> Table:
    """The models of a board, for a terminal."""
    made = Table()
    for heading in ("model", "operators"):
        made.add_column(heading, overflow="fold")
    for heading in ("bytes", "arena"):
        made.add_column(heading, justify="right")
    made.add_column("runs", overflow="fold")
    for row in found:
        arena = "" if row.arena is None else f"{row.arena:,}"
        made.add_row(
            row.path, ", ".join(row.operators), f"{row.size:,}", arena, f"no: {row.problem}" if row.problem else "yes"
        )
    return made
