"""A network of MoveNet's size on a board with the core of a Pico 2, of whose heap 256 kB are left: host/pose.py."""

import ast

import pytest
from rich.console import Console

from arenite.boards import find_board
from arenite.targets import emulated
from pose import picture, pose, reference

HEAP = 256 << 10
PROGRAM = f"""
import arenite, gc
from binascii import hexlify
picture = memoryview(open('/rom/picture.bin', 'rb'))
gc.collect()
taken = bytearray(gc.mem_free() - {HEAP})
gc.collect()
assert gc.mem_free() <= {HEAP}, gc.mem_free()
def show(model):
    print((model.arena_size, [hexlify(memoryview(t)) for t in model.outputs]))
"""
RUN = {
    "whole": """
m = arenite.Model('/rom/pose.tflite')
m.invoke(picture)
""",
    "fed": """
m = arenite.Model('/rom/pose.tflite', stream=True)
rows, size = m.rows
for k in range(rows):
    out = m.feed(picture[k * size:(k + 1) * size])
    assert (out is None) == (k < rows - 1)
""",
}


@pytest.mark.parametrize("how", RUN)
def test_in_a_quarter_of_a_megabyte(how: str) -> None:
    """Catches a large network that a board of that size cannot load, for want of memory while it is planned too, whose
    arena is a fifth of tflite-micro's or more, or that gives other answers there."""
    data, x = pose(), picture()
    expected, activations = reference(data, x)
    files = {"pose.tflite": data, "picture.bin": x.tobytes()}
    printed = bytearray()
    with emulated(find_board("MPS2_AN505"), files, Console(stderr=True)) as connection:
        connection.run((PROGRAM + RUN[how] + "show(m)\n").encode(), printed.extend)
    arena, outputs = ast.literal_eval(printed.decode())
    assert 5 * arena < activations
    assert [bytes.fromhex(output.decode()) for output in outputs] == [output.tobytes() for output in expected]
