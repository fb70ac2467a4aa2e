"""A board that is given damaged models, half a deployment, a stack that is nearly used up: its REPL still answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from rich.console import Console

from arenite.board import Connection
from arenite.boards import ROOT, Board, find_board
from arenite.build import build
from arenite.emulator import Emulator, image_for
from arenite.errors import BoardError
from firmware.conftest import DIGITS, Session

ZOO = ROOT / "models" / "zoo"
CHANGED = ("digits", "sine", "sine_float", "two")
CHANGES = """
import arenite, gc
seed = 1
def draw(n):
    global seed
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
good = bytes(open('/rom/{name}.tflite', 'rb').read())
data = bytearray(good)
ran = refused = 0
for _ in range(300):
    at = draw(len(good))
    data[at] = draw(256)
    try:
        m = arenite.Model(data)
        m.invoke()
        m.reset()
        [(bytes(t), repr(t)) for t in m.outputs]
        m.deinit()
        ran += 1
    except (ValueError, NotImplementedError, MemoryError):
        refused += 1
    m = None
    data[at] = good[at]
arenite.Model(data).invoke()
print(ran, refused)
"""


@pytest.mark.parametrize("name", CHANGED)
def test_one_byte_changes(board: Session, name: str) -> None:
    """Catches a fault, a hang or a heap in disorder on the board itself, with its kernels and its MPU: 300 changes."""
    ran, refused = map(int, board.run(CHANGES.format(name=name)).split())
    assert ran + refused == 300
    assert ran > 20
    assert refused > 2
    assert board.run("print(1 + 1)") == "2\n"


@contextmanager
def booted_with(image: bytes, board: Board) -> Iterator[Connection]:
    """A board whose flash holds this for an image of files."""
    build(board, Console(file=StringIO()))
    emulator = Emulator(board)
    emulator.image = image
    with emulator, Connection(emulator.address, emulator) as connection:
        yield connection


LOAD = """
import arenite
try:
    print('ran', bytes(arenite.Model('/rom/{name}.tflite').invoke(bytes({size})))[:0])
except (ValueError, OSError) as error:
    print(error)
"""


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.95, 0.999, 1])
def test_a_deployment_that_was_cut_off(part: float) -> None:
    """Catches half a model that loads: the flash behind what was written is erased."""
    board = find_board("MPS2_AN500")
    image = image_for(board, {"digits.tflite": DIGITS.read_bytes()})
    size = int(len(image) * part)
    said: list[bytes] = []
    with booted_with(image[:size] + b"\xff" * (len(image) - size), board) as connection:
        connection.run(LOAD.format(name="digits", size=784), said.append)
    assert b"".join(said).decode() == (
        "ran b''\n" if part == 1 else "model: not what was packed: its deployment was cut off; deploy it again\n"
    )


def test_a_deployment_over_another() -> None:
    """Catches half of a new model with the rest of the one before it, whose sizes agree."""
    board = find_board("MPS2_AN500")
    data = DIGITS.read_bytes()
    other = data[:-6000] + bytes(b ^ 1 for b in data[-6000:-5000]) + data[-5000:]
    old, new = (image_for(board, {"digits.tflite": model}) for model in (other, data))
    assert len(old) == len(new)
    said: list[bytes] = []
    with booted_with(new[:3000] + old[3000:], board) as connection:
        connection.run(LOAD.format(name="digits", size=784), said.append)
    assert b"deploy it again" in b"".join(said)


def test_a_file_that_was_cut_off(board: Session) -> None:
    """Catches half a file on a filesystem that loads, and a message without the cure."""
    for size in (8, 100, 3000, 8000):
        board.run(
            f"with open('/half.tflite', 'wb') as f: f.write(memoryview(open('/rom/digits.tflite', 'rb'))[:{size}])"
        )
        text = board.refusal("import arenite\narenite.Model('/half.tflite')")
        assert text.startswith("ValueError: model: ")
        assert "deploy it again" in text
    board.run("import os\nos.remove('/half.tflite')")


DEEP = """
import arenite, gc
m = arenite.Model('/rom/sine.tflite')
m.invoke(b'x')
said = []
def down(n, use):
    try:
        down(n + 1, use)
        return
    except RuntimeError as error:
        if said:
            raise
    try:
        use()
        said.append('ran')
    except RuntimeError as error:
        said.append(str(error))
for use in (lambda: m.invoke(b'x'), lambda: arenite.Model('/rom/sine.tflite'), m.reset, m.profile):
    gc.collect()
    said.clear()
    down(0, use)
    print(said[0])
m.invoke(b'x')
"""


def test_the_stack_of_a_small_board() -> None:
    """Catches a run that is begun where Python's stack has nearly ended, and leaves the stack: a micro:bit has 4 kB of
    it, below which there is nothing."""
    board = find_board("MICROBIT")
    said: list[bytes] = []
    model = (ROOT / "models" / "sine" / "sine.tflite").read_bytes()
    with booted_with(image_for(board, {"sine.tflite": model}), board) as connection:
        connection.run(DEEP, said.append)
    assert b"".join(said).decode().splitlines() == ["maximum recursion depth exceeded"] * 4


@pytest.mark.parametrize("use", ["m.invoke(bytes(784))", "arenite.Model('/rom/digits.tflite')", "m.profile()"])
def test_at_the_end_of_the_stack(board: Session, use: str) -> None:
    """Catches a fault where a script has called itself as often as it can."""
    board.run(
        f"""
import arenite
m = arenite.Model('/rom/digits.tflite')
said = []
def down(n):
    try:
        down(n + 1)
        return
    except RuntimeError:
        if said:
            raise
    try:
        {use}
        said.append('ran')
    except RuntimeError as error:
        assert str(error) == 'maximum recursion depth exceeded'
        said.append('refused')
down(0)
assert len(said) == 1
m.invoke(bytes(784))
"""
    )


def test_a_fault_would_be_seen_here_too() -> None:
    """Catches images that are never looked at: one that is no image has no /rom."""
    board = find_board("MPS2_AN500")
    with booted_with(b"\xff" * 4096, board) as connection, pytest.raises(BoardError, match="OSError"):
        connection.run("import os\nos.listdir('/rom')", lambda _: None)
