"""Firmware with only the operators that a model needs."""

import numpy as np
from rich.console import Console

from arenite.boards import find_board
from arenite.build import build
from arenite.flash import firmware_bytes
from arenite.model import OPERATOR_NAMES, read_model
from arenite.operators import variant
from arenite.targets import emulated
from builder import Tensor, options, single
from command import arenite
from firmware.conftest import DIGITS, MODELS

BOARD = "MPS2_AN500"
SINE = MODELS / "sine" / "sine.tflite"
PROGRAM = """\
import arenite
print(arenite.ops())
with arenite.Model("/rom/sine.tflite") as model:
    print(len(bytes(memoryview(model.invoke(b"\\x10")))))
for name in ("digits", "float"):
    try:
        arenite.Model("/rom/" + name + ".tflite")
    except NotImplementedError as error:
        print(error)
"""
NUMBERS = {name: number for number, name in OPERATOR_NAMES.items()}


def float_model() -> bytes:
    """One FULLY_CONNECTED of float32."""
    x, w, y = (Tensor([n, 4], data=data) for n, data in ((1, None), (4, np.ones([4, 4], np.float32)), (1, None)))
    return single("FULLY_CONNECTED", [x, w], y, options("FullyConnected"))


def test_firmware_for_one_model() -> None:
    """Catches a choice that the compiler does not get, firmware that lacks what the model needs, or one that is taken
    though an operator is missing, or the type; and a refusal without its cure."""
    done = arenite("build", BOARD, "--for", SINE)
    assert done.returncode == 0, done.stderr
    board = variant(find_board(BOARD), [read_model(SINE)])
    path, chosen, sizes = done.stdout.splitlines()
    assert path == str(board.firmware)
    assert chosen == "operators: FULLY_CONNECTED"
    assert "bytes of flash" in sizes
    output = bytearray()
    files = {SINE.name: SINE.read_bytes(), DIGITS.name: DIGITS.read_bytes(), "float.tflite": float_model()}
    with emulated(board, files, Console(stderr=True)) as connection:
        connection.run(PROGRAM, output.extend)
    missing = next(op for op in read_model(DIGITS).operators if op.op not in board.operators)
    number = NUMBERS[missing.op]
    refusals = [f"op {missing.index}: operator {number}", "op 0 FULLY_CONNECTED: float32"]
    cure = " is not compiled in: build for this model"
    assert output.decode().splitlines() == ["('FULLY_CONNECTED',)", "1", *(refusal + cure for refusal in refusals)]


def test_it_is_smaller() -> None:
    """Catches operators that stay in the firmware though nothing names them."""
    whole = find_board(BOARD)
    chosen = variant(whole, [read_model(SINE)])
    sizes = [firmware_bytes(build(board, Console(stderr=True))) for board in (whole, chosen)]
    assert sizes[1] < sizes[0] - 40_000
