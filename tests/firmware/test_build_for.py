"""Firmware with only the operators that a model needs."""

from rich.console import Console

from arenite.boards import find_board
from arenite.build import build
from arenite.flash import firmware_bytes
from arenite.model import read_model
from arenite.operators import variant
from arenite.targets import emulated
from command import arenite
from firmware.conftest import DIGITS, MODELS

BOARD = "MPS2_AN500"
SINE = MODELS / "sine" / "sine.tflite"
PROGRAM = """\
import arenite
print(arenite.ops())
with arenite.Model("/rom/sine.tflite") as model:
    print(len(bytes(memoryview(model.invoke(b"\\x10")))))
try:
    arenite.Model("/rom/digits.tflite")
except NotImplementedError as error:
    print(error)
"""


def test_firmware_for_one_model() -> None:
    """Catches a choice that the compiler does not get, firmware that lacks what the model needs, or one that is taken
    though an operator is missing."""
    done = arenite("build", BOARD, "--for", SINE)
    assert done.returncode == 0, done.stderr
    board = variant(find_board(BOARD), [read_model(SINE)])
    path, chosen, sizes = done.stdout.splitlines()
    assert path == str(board.firmware)
    assert chosen == "operators: FULLY_CONNECTED"
    assert "bytes of flash" in sizes
    output = bytearray()
    files = {SINE.name: SINE.read_bytes(), DIGITS.name: DIGITS.read_bytes()}
    with emulated(board, files, Console(stderr=True)) as connection:
        connection.run(PROGRAM, output.extend)
    missing = next(op for op in read_model(DIGITS).operators if op.op not in board.operators)
    refusal = f"op {missing.index}: operator {missing.op} is not compiled in"
    assert output.decode().splitlines() == ["('FULLY_CONNECTED',)", "1", refusal]


def test_it_is_smaller() -> None:
    """Catches operators that stay in the firmware though nothing names them."""
    whole = find_board(BOARD)
    chosen = variant(whole, [read_model(SINE)])
    sizes = [firmware_bytes(build(board, Console(stderr=True))) for board in (whole, chosen)]
    assert sizes[1] < sizes[0] - 40_000
