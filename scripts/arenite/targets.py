"""Where a program runs: on a board in the emulator, or on a real one behind a serial port."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from arenite.board import Connection
from arenite.boards import Board
from arenite.build import build
from arenite.emulator import Emulator, image_for
from arenite.errors import UserError
from arenite.rp2040 import Rp2040


def emulator_of(board: Board, files: Mapping[str, bytes], *, terminal: bool = False) -> Emulator | Rp2040:
    """The emulator of a board, not yet started; the files will lie at /rom.

    Args:
        terminal: what it offers is a terminal, which every serial program can open.

    Raises:
        UserError: there is none for this board, or it or the firmware is missing, or the files do not fit.
    """
    if board.emulator == "qemu":
        return Emulator(board, files, terminal=terminal)
    if board.emulator == "rp2040":
        return Rp2040(board, files)
    raise UserError(f"{board.name} cannot be emulated here; name a real one's serial port (--port)")


@contextmanager
def emulated(board: Board, files: Mapping[str, bytes], console: Console) -> Iterator[Connection]:
    """A connection to the board in the emulator, its firmware up to date, the files at /rom.

    Raises:
        UserError: the firmware cannot be built, or the files do not fit.
        BoardError: the emulator does not answer.
    """
    image_for(board, files)  # whether they fit is known before the build
    build(board, console)
    with emulator_of(board, files) as emulator, Connection(emulator.address, emulator) as connection:
        yield connection


@contextmanager
def mounted(port: str, files: Mapping[str, bytes]) -> Iterator[Connection]:
    """A connection to a real board that sees the files at /remote; nothing is written to its flash.

    Raises:
        UserError: there is no such port.
        BoardError: the board does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="arenite-") as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        with Connection(port) as connection:
            connection.mount(Path(folder))
            yield connection
