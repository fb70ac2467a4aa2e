"""Shared by the tests on firmware: booted boards, and the models that lie in their ROMFS."""

import textwrap
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
from mpremote.transport_serial import SerialTransport
from rich.console import Console

from arenite.board import Connection
from arenite.boards import ROOT, Board, find_board
from arenite.build import build
from arenite.demo import held_out
from arenite.emulator import Emulator
from arenite.errors import BoardError
from arenite.romfs import seal
from firmware import made_models
from firmware.made_models import TYPES

# A core with a floating-point unit, and Armv6-M code on a machine that traps unaligned words.
BOARDS = ("MPS2_AN500", "MPS2_M0")
MODELS = ROOT / "models"
DIGITS = MODELS / "digits" / "digits.tflite"
DIGITS_SIZE = len(seal(DIGITS.read_bytes()))  # as it lies in ROMFS
MADE = {
    "two.tflite": made_models.two_by_two(),
    "chain.tflite": made_models.chain(200, 65536),
    "endless.tflite": made_models.endless(16384),
    "sums.tflite": made_models.sums(),
    "waits.tflite": made_models.waits(),
    "name.tflite": made_models.reshape("int8", name=b"caf\xe9"),
    "channels.tflite": made_models.reshape("int8", (0.5, 1.0, 2.0)),
    "int16_quantized.tflite": made_models.reshape("int16", (0.25,)),
    "uint8_quantized.tflite": made_models.reshape("uint8", (0.5,), 10),
    "uncompiled.tflite": made_models.one_operator("LSH_PROJECTION"),
    "custom.tflite": made_models.one_operator("CUSTOM", custom="my_op"),
    "bad_type.tflite": made_models.one_operator("ADD", "bool"),
    **{f"{name}.tflite": made_models.reshape(name) for name in TYPES},
}

# What programs on a board begin with.
IMPORTS = """
import arenite, gc, micropython
from array import array
from uctypes import addressof
def digit(n):
    return memoryview(open('/rom/digits.bin', 'rb'))[785 * n + 1:785 * (n + 1)]
def raises(kind, call, *args):
    try:
        call(*args)
    except kind as error:
        return str(error)
    raise AssertionError('nothing was raised')
"""


@cache
def rom() -> Mapping[str, bytes]:
    """What every board of these tests has at /rom."""
    trained = [DIGITS, *sorted((MODELS / "sine").glob("*.tflite"))]
    images, labels = held_out()
    digits = b"".join(bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True))
    return {path.name: path.read_bytes() for path in trained} | MADE | {"digits.bin": digits}


class Session:
    """A board at its raw REPL, soft-reset since the last test."""

    def __init__(self, connection: Connection, board: Board) -> None:
        self.connection = connection
        self.board = board

    @property
    def transport(self) -> SerialTransport:
        """mpremote's transport, for tests that do more than run programs."""
        return self.connection.transport

    def run(self, program: str) -> str:
        """Run a program and return what it printed. BoardError holds its traceback."""
        output = bytearray()
        self.connection.run(textwrap.dedent(program), output.extend)
        return output.decode()

    def refusal(self, statement: str) -> str:
        """Run a statement that raises and return the last line of its traceback."""
        with pytest.raises(BoardError) as caught:
            self.run(statement)
        return str(caught.value).splitlines()[-1]

    def soft_reset(self) -> None:
        """A new MicroPython heap and new modules on the same board."""
        self.transport.enter_raw_repl(soft_reset=True)


class Booted:
    """One board's emulator, booted again when a test has ended it."""

    def __init__(self, name: str) -> None:
        self.board = find_board(name)
        self.emulator: Emulator | None = None

    def running(self) -> Emulator:
        """The emulator, booted."""
        if self.emulator and self.emulator.ended(within=0):
            self.close()
        if self.emulator is None:
            build(self.board, Console(stderr=True))
            self.emulator = Emulator(self.board, rom())
            self.emulator.__enter__()
        return self.emulator

    def close(self) -> None:
        """End the emulator."""
        if self.emulator:
            self.emulator.close()
        self.emulator = None


@pytest.fixture(scope="session", params=BOARDS)
def booted(request: pytest.FixtureRequest) -> Iterator[Booted]:
    """A board's emulator for the whole session."""
    made = Booted(request.param)
    yield made
    made.close()


@pytest.fixture
def board(booted: Booted) -> Iterator[Session]:
    """A freshly soft-reset board. A test that leaves it in the middle of a program has it booted anew."""
    emulator = booted.running()
    with Connection(emulator.address, emulator) as connection:
        yield Session(connection, booted.board)
