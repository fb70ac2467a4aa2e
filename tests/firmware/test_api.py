"""The Python interface, line by line."""

import ast
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arenite.board import Connection
from arenite.emulator import Emulator
from firmware.conftest import DIGITS, DIGITS_SIZE, IMPORTS, Booted, Session


def evaluate(board: Session, program: str, expression: str) -> str:
    """Run a program and return how the board prints an expression."""
    return board.run(f"{IMPORTS}\n{program}\nprint(repr(({expression})), end='')")


def test_module(board: Session) -> None:
    """Catches a name that is missing, and operators that the firmware lacks."""
    names = evaluate(board, "", "sorted(n for n in dir(arenite) if n[0] != '_')")
    assert names == "['Arena', 'Model', 'Tensor', 'arena_needed', 'ops', 'ticks']"
    assert evaluate(board, "", "arenite.__version__") == "'0.1.0'"
    ops = evaluate(board, "", "arenite.ops()")
    assert ops.startswith("(")
    for op in ("CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "ADD"):
        assert f"'{op}'" in ops


def test_model_prints(board: Session) -> None:
    """Catches a printed form that does not say source, operators and arena."""
    needed = evaluate(board, "", "arenite.arena_needed('/rom/digits.tflite')")
    shown = evaluate(board, "m = arenite.Model('/rom/digits.tflite')", "m")
    assert shown == f"Model('/rom/digits.tflite', 9 ops, arena {needed} of {needed} bytes)"
    shown = evaluate(board, "b = bytes(open('/rom/digits.tflite', 'rb').read())", "arenite.Model(b, arena=9000)")
    used = re.fullmatch(rf"Model\(<{DIGITS_SIZE} bytes>, 9 ops, arena (\d+) of 9000 bytes\)", shown)
    assert used, shown
    assert int(needed) <= int(used[1]) <= 9000
    assert evaluate(board, "m.deinit()", "m") == "Model(closed)"


def test_tensors_print(board: Session) -> None:
    """Catches a printed form that lacks a fact, or claims a scale where there is none."""
    board.run(f"{IMPORTS}\nm = arenite.Model('/rom/digits.tflite')")
    assert (
        evaluate(board, "", "m.inputs[0]")
        == "Tensor('image', shape=(1, 28, 28, 1), dtype='int8', scale=0.003921569, zero_point=-128)"
    )
    assert (
        evaluate(board, "", "m.outputs[0]")
        == "Tensor('digit', shape=(1, 10), dtype='int8', scale=0.00390625, zero_point=-128)"
    )
    assert evaluate(board, "f = arenite.Model('/rom/float32.tflite')", "f.inputs[0]") == (
        "Tensor('in', shape=(2, 3), dtype='float32')"
    )
    assert evaluate(board, "c = arenite.Model('/rom/channels.tflite')", "c.inputs[0]") == (
        "Tensor('in', shape=(2, 3), dtype='int8', scale=(0.5, 1.0, 2.0), zero_point=0)"
    )
    assert evaluate(board, "m.deinit()", "m.inputs if 0 else 1") == "1"


def test_tensor_attributes(board: Session) -> None:
    """Catches a wrong fact, and one of the attributes missing."""
    program = "t = arenite.Model('/rom/digits.tflite').inputs[0]"
    facts = evaluate(board, program, "(t.name, t.shape, t.dtype, t.zero_point, t.nbytes, len(t), t.scale == 1 / 255)")
    assert facts == "('image', (1, 28, 28, 1), 'int8', -128, 784, 784, True)"
    program = "t = arenite.Model('/rom/float32.tflite').inputs[0]"
    assert evaluate(board, program, "(t.scale, t.zero_point, t.nbytes, len(t))") == "(0.0, 0, 24, 6)"


def test_a_name_that_is_not_utf8(board: Session) -> None:
    """Catches strings that MicroPython itself would not make, in attributes, messages and profiles."""
    board.run(f"{IMPORTS}\nm = arenite.Model('/rom/name.tflite')")
    assert evaluate(board, "", "m.inputs[0].name") == "'caf?'"
    message = board.refusal("m.invoke(bytes(1))")
    assert message == "ValueError: input 0 'caf?': needs 6 int8, got 1 bytes"


CODES = {
    "float32": "f", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q",
    "bool": "B",
}  # fmt: skip


@pytest.mark.parametrize("dtype", CODES)
def test_every_type_round_trips(board: Session, dtype: str) -> None:
    """Catches a wrong typecode or size, elements read as another type, and a memoryview that is a copy."""
    code = CODES[dtype]
    values = {"f": [0.5, -1.5, 2, 3, 4, 1e30], "B": [0, 1, 0, 1, 1, 0]}.get(code)
    if values is None:
        info = np.iinfo(dtype)
        values = [int(info.min), int(info.max), 0, 1, 2, int(info.max) - 1]
    board.run(
        f"""{IMPORTS}
m = arenite.Model('/rom/{dtype}.tflite')
values = array('{code}', {values})
t = m.inputs[0]
assert t.dtype == '{dtype}' and t.shape == (2, 3) and len(t) == 6 and t.nbytes == len(bytes(values))
out = m.invoke(values)
assert out is m.outputs[0] and out.shape == (6,)
assert bytes(out) == bytes(values), bytes(out)
assert list(memoryview(out)) == list(values)
assert [out[i] for i in range(6)] == list(values)
assert [out[i - 6] for i in range(6)] == list(values)
assert [x for x in out.dequantize()] == [float(x) for x in values]
m.invoke(bytes(values))
m.invoke(bytearray(values))
m.invoke(memoryview(bytes(values)))
m.invoke(out)
assert bytes(out) == bytes(values)
v = memoryview(t)
v[2] = values[3]
assert t[2] == values[3] and addressof(v) == addressof(memoryview(t))
t.set(values)
assert bytes(t) == bytes(values)
"""
    )


def test_iteration(board: Session) -> None:
    """Catches a Tensor that list() and max() do not take, an element too many, and iteration over a closed model."""
    program = """m = arenite.Model('/rom/two.tflite'); t = m.inputs[0]; t.set(bytes((1, 2, 3, 4)), 0.5); i = iter(t)"""
    assert evaluate(board, program, "list(t), max(t), sum(t), next(i), next(i)") == "([1, 2, 3, 4], 4, 10, 1, 2)"
    assert board.refusal("m.deinit()\nnext(i)") == "RuntimeError: model: used after deinit"


def test_bool_elements_are_bool(board: Session) -> None:
    """Catches truth shown as a number."""
    program = "m = arenite.Model('/rom/bool.tflite'); m.invoke(bytes((1, 0, 1, 0, 0, 0)))"
    assert evaluate(board, program, "m.outputs[0][0], m.outputs[0][1]") == "(True, False)"


def test_invoke_is_right(board: Session) -> None:
    """Catches wrong answers: 20 held-out digits against their labels, of which the model knows 99 %."""
    board.run(
        f"""{IMPORTS}
m = arenite.Model('/rom/digits.tflite')
data = memoryview(open('/rom/digits.bin', 'rb'))
right = 0
for n in range(20):
    m.inputs[0].set(digit(n), 1 / 255)
    right += m.invoke().argmax() == data[785 * n]
assert right >= 18, right
"""
    )


def test_several_inputs_and_outputs(board: Session) -> None:
    """Catches inputs in the wrong order, a single output where there are two, and inputs that have to be given."""
    program = "m = arenite.Model('/rom/two.tflite'); r = m.invoke(array('b', (1, 2, 3, 4)), b'\\x0a\\x0a\\x0a\\x0a')"
    expression = "[list(memoryview(x)) for x in r], r is m.outputs, [t.name for t in m.inputs], len(m.outputs)"
    assert evaluate(board, program, expression) == (
        "([[11, 12, 13, 14], [22, 24, 26, 28]], True, ['left', 'right'], 2)"
    )
    program = """
for t in m.inputs:
    t.set(bytes((4, 3, 2, 1)), 0.5)
m.invoke()
"""
    assert evaluate(board, program, "list(memoryview(m.outputs[0]))") == "[8, 6, 4, 2]"


@pytest.mark.parametrize(
    ("model", "dtype", "scale", "zero"),
    [("digits", "int8", 1 / 255, -128), ("uint8_quantized", "uint8", 0.5, 10), ("int16_quantized", "int16", 0.25, 0)],
)
def test_real_values_are_quantized(board: Session, model: str, dtype: str, scale: float, zero: int) -> None:
    """Catches truncation in place of rounding, ties to even, wrap-around in place of saturation, and infinities."""
    reals = np.array([0, 0.125, -0.125, 0.25, 0.375, 0.5, 0.75, 1, 1.25, -1.25, 100, -100, 1e9, -1e9, 1e38, -1e38, 0.1,
                      np.inf, -np.inf], np.float32)  # fmt: skip
    with np.errstate(over="ignore"):
        quotient = reals / np.float32(scale)
    rounded = np.sign(quotient) * np.floor(np.abs(quotient.astype(np.float64)) + 0.5)
    expected = np.clip(rounded + zero, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(int).tolist()
    board.run(f"{IMPORTS}\nm = arenite.Model('/rom/{model}.tflite')\nt = m.inputs[0]\nn = len(t)")
    # The digits' input is written over while the model runs; the RESHAPE models give back what came in.
    ways = {"t.set(a)": "t"} if model == "digits" else {"t.set(a)": "t", "m.invoke(a)": "m.outputs[0]"}
    for start in range(0, len(reals), 6):
        values = ", ".join(f"float('{real}')" for real in reals[start : start + 6])
        for way, where in ways.items():
            program = f"a = array('f', [{values}]); k = len(a); a.extend(array('f', [0] * (n - k))); {way}"
            assert evaluate(board, program, f"list(memoryview({where}))[:k]") == str(expected[start : start + 6])


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_set_takes_every_typecode(board: Session, code: str) -> None:
    """Catches samples read with the wrong size or sign; scale and offset are applied before quantization."""
    samples = [0, 1, 2, 100, 120, 3] if code in "BHILQ" else [0, -1, 2, -100, 120, 3]
    program = f"t = arenite.Model('/rom/int16_quantized.tflite').inputs[0]; t.set(array('{code}', {samples}), 0.5, -1)"
    expected = [round((sample * 0.5 - 1) / 0.25) for sample in samples]
    assert evaluate(board, program, "list(memoryview(t))") == str(expected)


def test_set_saturates_wide_types(board: Session) -> None:
    """Catches int32, uint32 and int64 tensors that clip at another type's limits, and integers that pass through a
    float where nothing asks for it."""
    for dtype, code in (("int32", "i"), ("uint32", "I"), ("int64", "q")):
        info = np.iinfo(dtype)
        board.run(f"{IMPORTS}\nt = arenite.Model('/rom/{dtype}.tflite').inputs[0]")
        program = "t.set(array('f', (1e30, -1e30, 2.5, 1e9, 0, 1)))"
        low, high, *rest = ast.literal_eval(evaluate(board, program, "[t[1], t[0], t[2], t[3]]"))
        assert low == info.min
        assert 0.9999 * info.max < high <= info.max
        assert rest == [3, 1000000000]
        program = f"t.set(array('{code}', (16777217, 0, 0, 0, 0, 0)))"
        assert evaluate(board, program, "t[0]") == "16777217"


def test_set_by_keyword(board: Session) -> None:
    """Catches parameters that are not called what the pages call them."""
    program = "t = arenite.Model('/rom/int16_quantized.tflite').inputs[0]; t.set(buffer=bytes(6), offset=2.0, scale=1)"
    assert evaluate(board, program, "list(memoryview(t)), t.set(bytes(6))") == "([8, 8, 8, 8, 8, 8], None)"


def test_argmax_and_dequantize(board: Session) -> None:
    """Catches the last of equal maxima in place of the first, integers compared as floats, and wrong real values."""
    program = "m = arenite.Model('/rom/int32.tflite'); m.invoke(array('i', (16777216, 16777217, 5, 16777217, 0, 1)))"
    assert evaluate(board, program, "m.outputs[0].argmax()") == "1"
    program = "m = arenite.Model('/rom/float32.tflite'); m.invoke(array('f', (-3, -2, -1, -1, -9, -8)))"
    assert evaluate(board, program, "m.outputs[0].argmax()") == "2"
    program = "m = arenite.Model('/rom/uint8_quantized.tflite'); m.invoke(bytes((0, 10, 11, 255, 12, 9)))"
    assert evaluate(board, program, "m.outputs[0].dequantize()") == "array('f', [-5.0, 0.0, 0.5, 122.5, 1.0, -0.5])"


def test_scales_of_channels(board: Session) -> None:
    """Catches the first channel's scale used for every channel, in either direction."""
    program = "t = arenite.Model('/rom/channels.tflite').inputs[0]; t.set(array('f', (1, 1, 1, 4, 5, -6)))"
    assert evaluate(board, program, "list(memoryview(t))") == "[2, 1, 1, 8, 5, -3]"
    program = "memoryview(t)[:] = array('b', (1, 2, 3, 4, 5, 6))"
    assert evaluate(board, program, "t.dequantize()") == "array('f', [0.5, 2.0, 6.0, 2.0, 5.0, 12.0])"


def test_profile(board: Session) -> None:
    """Catches operators missing or out of order, ticks that are not theirs, and outputs shown after they are gone."""
    board.run(
        f"""{IMPORTS}
m = arenite.Model('/rom/digits.tflite', arena=20000)
rows = m.profile(digit(0))
assert [row[0] for row in rows[:2]] == ['CONV_2D', 'CONV_2D'] and rows[-1][:2] == ('SOFTMAX', 'digit'), rows
assert len(rows) == 9 and all(row[2] > 0 for row in rows)
m.invoke(digit(0))
total = sum(row[2] for row in rows)
assert total <= m.ticks[1] + 9 * 200 and total > 0.9 * m.ticks[1], (total, m.ticks)
right = bytes(m.outputs[0])
seen = []
rows = m.profile(digit(0), each=lambda k, op, outputs: seen.append((k, op, outputs[0].name, bytes(outputs[0]))))
assert [s[:3] for s in seen] == [(k, rows[k][0], rows[k][1]) for k in range(9)], seen
assert seen[-1][3] == right and len(seen[0][3]) > 1000
"""
    )


def test_profile_of_rows(board: Session) -> None:
    """Catches ticks of operators that run in turns told more than once or not at all, and rings shown as tensors."""
    board.run(
        f"""{IMPORTS}
whole = {{}}
m = arenite.Model('/rom/digits.tflite', arena=20000)
m.profile(digit(0), each=lambda k, op, outputs: whole.__setitem__(k, bytes(outputs[0])))
m = arenite.Model('/rom/digits.tflite')
seen = {{}}
rows = m.profile(digit(0), each=lambda k, op, outputs: seen.__setitem__(k, outputs[0] and bytes(outputs[0])))
m.invoke(digit(0))
total = sum(row[2] for row in rows)
assert len(rows) == 9 and all(row[2] > 0 for row in rows)
assert total > 0.8 * m.ticks[1], (total, m.ticks)
assert None in seen.values() and seen[8] == whole[8]
assert all(data is None or data == whole[k] for k, data in seen.items())
"""
    )


def test_ticks(board: Session) -> None:
    """Catches a clock that is not the one of m.ticks, and figures that are not repeatable to the instruction."""
    board.run(
        f"""{IMPORTS}
m = arenite.Model('/rom/digits.tflite')
assert m.ticks[0] > 1000 and m.ticks[1] == 0
times = set()
for _ in range(3):
    start = arenite.ticks()
    m.invoke(digit(0))
    spent = (arenite.ticks() - start) & 0xffffffff
    assert m.ticks[1] < spent < m.ticks[1] + 50000, (m.ticks, spent)
    times.add(m.ticks[1])
assert len(times) == 1, times
"""
    )


def test_arena_of_every_kind(board: Session) -> None:
    """Catches an arena that is not what was given, sizes that do not add up, and answers that depend on it."""
    board.run(
        f"""{IMPORTS}
needed = arenite.arena_needed('/rom/digits.tflite')
m = arenite.Model('/rom/digits.tflite')
assert (m.arena_size, m.arena_used) == (needed, needed) and 0 < m.activations < needed
right = bytes(m.invoke(digit(0)))
buffer = bytearray(needed + 100)
for arena, size in ((needed, needed), (20000, 20000), (buffer, needed + 100), (memoryview(buffer)[1:], needed + 99),
        (memoryview(buffer)[7:], needed + 93), (arenite.Arena(9000), needed), (array('f', [0] * 3000), 12000)):
    m = arenite.Model('/rom/digits.tflite', arena=arena)
    assert m.arena_size == size and needed <= m.arena_used + 8 <= size + 8, (m, size)
    assert bytes(m.invoke(digit(0))) == right
    if arena is buffer:
        start = addressof(buffer)
        assert start <= addressof(memoryview(m.inputs[0])) < start + len(buffer)
"""
    )


def test_source_of_every_kind(board: Session) -> None:
    """Catches a source that is copied where it need not be, or not readable: paths, buffers, files of other systems."""
    size = DIGITS_SIZE
    board.run(
        f"""{IMPORTS}
data = open('/rom/digits.tflite', 'rb').read()
with open('/copy.tflite', 'wb') as f:
    f.write(data)
right = bytes(arenite.Model('/rom/digits.tflite').invoke(digit(0)))

def cost(source):
    gc.collect()
    before = gc.mem_alloc()
    m = arenite.Model(source)
    gc.collect()
    after = gc.mem_alloc()
    assert bytes(m.invoke(digit(0))) == right
    return after - before - m.arena_size

flash = memoryview(open('/rom/digits.tflite', 'rb'))
for source in ('/rom/digits.tflite', data, bytearray(data), memoryview(data), flash, open('/rom/digits.tflite', 'rb')):
    assert cost(source) < 600, (source, cost(source))
assert {size} <= cost('/copy.tflite') < {size} + 600, cost('/copy.tflite')
assert arenite.arena_needed('/copy.tflite') == arenite.arena_needed(flash)
"""
    )


def test_flash_is_used_in_place(board: Session) -> None:
    """Catches weights copied to RAM: what a model on ROMFS says of itself comes from the emulator's flash, which
    this test changes under it."""
    base, size = board.board.romfs_base, board.board.romfs_size
    board.run(
        f"""{IMPORTS}
flash = memoryview(open('/rom/digits.tflite', 'rb'))
assert {base} <= addressof(flash) and addressof(flash) + len(flash) <= {base + size}
m = arenite.Model('/rom/digits.tflite')
import vfs
name = m.inputs[0].name
data = bytes(flash)
def rename(letter):
    at = data.find(name.encode())
    while at >= 0:
        vfs.rom_ioctl(4, 0, addressof(flash) + at - {base}, letter.encode()) # WRITE
        at = data.find(name.encode(), at + 1)
rename('Z')
changed = m.inputs[0].name
rename(name[0])
assert changed == 'Z' + name[1:] and m.inputs[0].name == name, (changed, name)
"""
    )


def test_a_filesystem_written_in_python(board: Session) -> None:
    """Catches files that are only asked through C's stream protocol, and reads that return less than was asked."""
    board.run(
        f"""{IMPORTS}
import vfs
class File:
    def __init__(self, data):
        self.data, self.at, self.closed = data, 0, 0
    def seek(self, offset, whence=0):
        self.at = offset if whence == 0 else len(self.data) + offset
        return self.at
    def readinto(self, buffer):
        n = min(len(buffer), 1000, len(self.data) - self.at)
        buffer[:n] = self.data[self.at:self.at + n]
        self.at += n
        return n
    def close(self):
        self.closed += 1
class Files:
    def mount(self, readonly, mkfs): pass
    def umount(self): pass
    def open(self, path, mode):
        assert mode == 'rb', mode
        self.file = File(memoryview(open('/rom/digits.tflite', 'rb')) if 'digits' in path else b'no model')
        return self.file
fs = Files()
vfs.mount(fs, '/py')
m = arenite.Model('/py/digits.tflite')
assert fs.file.closed == 1
assert bytes(m.invoke(digit(0))) == bytes(arenite.Model('/rom/digits.tflite').invoke(digit(0)))
raises(ValueError, arenite.Model, '/py/other')
assert fs.file.closed == 1
vfs.umount('/py')
"""
    )


def test_a_mounted_folder(booted: Booted, tmp_path: Path) -> None:
    """Catches models that cannot be read through `mpremote mount`. The board waits a second for each answer: its clock
    must not run ahead of the host's, as it does where it counts instructions."""
    (tmp_path / "m.tflite").write_bytes(DIGITS.read_bytes())
    booted.running()
    timed = replace(booted.board, icount=False)
    with Emulator(timed) as emulator, Connection(emulator.address, emulator) as connection:
        connection.mount(tmp_path)
        session = Session(connection, timed)
        assert evaluate(session, "", "arenite.Model('/remote/m.tflite').invoke(bytes(784)).nbytes") == "10"


def test_with_and_deinit(board: Session) -> None:
    """Catches a model that stays open after `with`, deinit() that cannot be repeated, and an exception swallowed."""
    board.run(
        f"""{IMPORTS}
with arenite.Model('/rom/sine.tflite') as m:
    m.invoke(bytes(1))
assert 'deinit' in raises(RuntimeError, m.invoke)
m.deinit()
def failing():
    with arenite.Model('/rom/sine.tflite') as m:
        raise ValueError(m.outputs[0].nbytes)
assert raises(ValueError, failing) == '1'
gc.collect()
before = gc.mem_alloc()
for _ in range(50):
    with arenite.Model('/rom/digits.tflite') as m:
        pass
gc.collect()
assert gc.mem_alloc() - before < 2000, gc.mem_alloc() - before
"""
    )


def test_reset(board: Session) -> None:
    """Catches reset() that disturbs a model without variables."""
    program = "m = arenite.Model('/rom/digits.tflite'); a = bytes(m.invoke(digit(3))); r = m.reset()"
    assert evaluate(board, program, "r, bytes(m.invoke(digit(3))) == a") == "(None, True)"


def test_a_collected_model_gives_its_part_back(board: Session) -> None:
    """Catches an arena that fills up with models that nobody holds any more, and one that keeps them from collection.

    There is room for three: the collector takes what is left on the stack for pointers, and may keep the last one."""
    board.run(
        f"""{IMPORTS}
a = arenite.Arena(arenite.arena_needed(*3 * ['/rom/digits.tflite']))
def use():
    return bytes(arenite.Model('/rom/digits.tflite', arena=a).invoke(digit(0)))
right = use()
for _ in range(12):
    assert use() == right and a.used > 1000
"""
    )


def test_an_arena_and_its_models_dropped_at_once(board: Session) -> None:
    """Catches a finaliser that writes to an Arena or a model which the collector has freed already."""
    board.run(
        f"""{IMPORTS}
right = bytes(arenite.Model('/rom/sine.tflite').invoke(b'x'))
def use(order):
    if order:
        a = arenite.Arena(3000)
    ms = [None] * 4
    if not order:
        a = arenite.Arena(3000)
    for k in range(4):
        ms[k] = arenite.Model('/rom/sine.tflite', arena=a)
    assert all(bytes(m.invoke(b'x')) == right for m in ms)
for n in range(12):
    use(n & 1)
    gc.collect()
    junk = [bytearray(n) for n in range(0, 4000, 50)]
    gc.collect()
    assert not any(any(block) for block in junk)
"""
    )


@pytest.mark.parametrize("booted", ["MPS2_AN386"], indirect=True)
def test_static_arena(board: Session) -> None:
    """Catches a static arena that lies in the heap, and one that is still taken after a soft reset."""
    for _ in range(2):
        board.run(
            f"""{IMPORTS}
s = arenite.Arena.static
assert s is arenite.Arena.static and s.used == 0 and s.size >= 8192, s
gc.collect()
before = gc.mem_alloc()
m = arenite.Model('/rom/digits.tflite', arena=s)
right = bytes(m.invoke(digit(0)))
assert gc.mem_alloc() - before < 1500
assert s.used == m.arena_size == m.arena_used
assert right == bytes(arenite.Model('/rom/digits.tflite').invoke(digit(0)))
"""
        )
        board.soft_reset()


def test_no_static_arena(board: Session) -> None:
    """Catches an attribute that is missing where the board reserves nothing."""
    assert evaluate(board, "", "arenite.Arena.static") == "None"


@pytest.mark.parametrize("booted", ["MPS2_AN386"], indirect=True)
def test_a_second_import_does_not_pull_the_arena_away(board: Session) -> None:
    """Catches a module that is initialised again and hands memory that a model still uses to another."""
    board.run(
        f"""{IMPORTS}
import sys
static = arenite.Arena.static
m = arenite.Model('/rom/digits.tflite', arena=static)
right = bytes(m.invoke(digit(0)))
import arenite
assert static.used == m.arena_size
other = arenite.Model('/rom/sine.tflite', arena=static)
other.invoke(b'x')
assert bytes(m.invoke(digit(0))) == right
del sys.modules['arenite']
import arenite
other = arenite.Model('/rom/sine.tflite', arena=static)
assert raises(RuntimeError, m.invoke) == 'model: its arena was reset; load it again'
m.deinit()
other.invoke(b'x')
other.deinit()
assert arenite.Arena.static.used == 0
"""
    )


def test_numbers_agree_with_the_host(board: Session) -> None:
    """Catches a float that is not the file's: the scale of the digits' input, bit for bit."""
    program = "import struct; s = struct.pack('f', arenite.Model('/rom/digits.tflite').inputs[0].scale)"
    assert evaluate(board, program, "s") == repr(struct.pack("<f", np.float32(1 / 255)))
