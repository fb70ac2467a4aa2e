"""What a board goes through: no heap, collections, Ctrl-C, callbacks, soft resets, memory that changes hands."""

import time

import pytest

from arenite.errors import BoardError
from firmware.conftest import IMPORTS, Session

BEGIN = f"""{IMPORTS}
m = arenite.Model('/rom/digits.tflite')
right = bytes(m.invoke(digit(0)))
"""


def test_invoke_takes_no_heap(board: Session) -> None:
    """Catches an allocation in invoke, with inputs of every kind, or in what a loop does with the output."""
    board.run(
        BEGIN
        + """
two = arenite.Model('/rom/two.tflite')
greys, reals, four, t = digit(0), array('f', [0.5] * 784), bytes(4), m.inputs[0]
before = best = first = size = 0 # a new name may make the dictionary of names grow
micropython.heap_lock()
try:
    m.invoke()
    m.invoke(greys)
    m.invoke(reals)
    m.invoke(t)
    two.invoke(four, four)
    two.reset()
    t.set(greys, 0.5, -1)
    best = m.invoke().argmax()
    first, size = m.outputs[0][0], len(t)
finally:
    micropython.heap_unlock()
before = gc.mem_alloc()
m.invoke(greys)
m.invoke(greys)
assert gc.mem_alloc() == before
"""
    )


def test_a_hundred_thousand_invokes(board: Session) -> None:
    """Catches memory that leaks, an arena that wears out, and answers that drift."""
    board.run(
        BEGIN
        + """
s = arenite.Model('/rom/sine.tflite')
xs = [bytes((i,)) for i in range(100)]
ys = [bytes(s.invoke(x)) for x in xs]
def rounds(n):
    micropython.heap_lock()
    for _ in range(n):
        for x in xs:
            s.invoke(x)
    micropython.heap_unlock()
gc.collect()
before = gc.mem_alloc()
rounds(1000)
gc.collect()
assert gc.mem_alloc() - before < 100, gc.mem_alloc() - before
assert [bytes(s.invoke(x)) for x in xs] == ys and bytes(m.invoke(digit(0))) == right
"""
    )


def test_a_collection_at_any_allocation(board: Session) -> None:
    """Catches an object of the module that the collector does not see: it collects at nearly every allocation."""
    board.run(
        BEGIN
        + """
with open('/copy.tflite', 'wb') as f:
    f.write(open('/rom/digits.tflite', 'rb').read())
a = arenite.Arena(12000)
gc.threshold(1)
for n in range(6):
    models = [
        arenite.Model('/rom/digits.tflite'),
        arenite.Model('/copy.tflite'),
        arenite.Model(bytes(open('/rom/digits.tflite', 'rb').read()), arena=bytearray(9000)),
        arenite.Model('/rom/digits.tflite', arena=a),
    ]
    tensors = [x.outputs[0] for x in models]
    rows = []
    for x in models:
        assert repr(x) and x.inputs[0].name == 'image' and x.ticks
        x.profile(digit(0), each=lambda k, op, outputs: rows.append((k, op, outputs)))
    assert [bytes(t) for t in tensors] == [right] * 4
    assert len(rows) == 36 and all(repr(row) for row in rows)
    models[3].deinit()
    junk = [bytearray(b'\\xff' * 5000) for _ in range(20)]
    assert [bytes(x.invoke(digit(0))) for x in models[:3]] == [right] * 3
gc.threshold(-1)
"""
    )


def test_who_keeps_whom(board: Session) -> None:
    """Catches a Tensor that outlives its model's memory: everything else is dropped, collected and written over."""
    board.run(
        BEGIN
        + """
def output(**options):
    return arenite.Model(bytes(open('/rom/digits.tflite', 'rb').read()), **options).invoke(digit(0))
kept = [output(), output(arena=9000), output(arena=bytearray(9000)), output(arena=arenite.Arena(9000))]
for _ in range(3):
    gc.collect()
    junk = [bytearray(b'\\xff' * 1000) for _ in range(500)]
assert [bytes(t) for t in kept] == [right] * 4
assert [t.name for t in kept] == ['digit'] * 4
"""
    )


def ctrl_c_during(board: Session, program: str, after: float) -> str:
    """Run a program that prints `go`, press Ctrl-C so many seconds after that, and return the rest of its output."""
    transport = board.transport
    transport.exec_raw_no_follow(program)
    transport.read_until(1, b"go\r\n", timeout=20)
    time.sleep(after)
    transport.serial.write(b"\x03")
    output, errors = transport.follow(timeout=30)
    return (output + errors).decode()


def test_ctrl_c_during_an_invoke(board: Session) -> None:
    """Catches an invoke that cannot be interrupted between operators, and a model that thinks it runs for ever after.

    The model would run for hours, so that however fast the machine is the interrupt comes while it runs."""
    output = ctrl_c_during(
        board,
        BEGIN
        + """
endless = arenite.Model('/rom/endless.tflite')
start = bytes(4), bytes(65536)
print('go')
try:
    endless.invoke(*start)
    print('it ran to its end')
except KeyboardInterrupt:
    print('interrupted')
endless.reset()
assert bytes(m.invoke(digit(0))) == right
endless.deinit()
slow = arenite.Model('/rom/chain.tflite')
one = bytes(65536)
seen = 0
def stop(k, op, outputs):
    global seen
    seen = k
    if k == 3:
        raise KeyboardInterrupt
try:
    slow.profile(one, each=stop)
except KeyboardInterrupt:
    pass
assert seen == 3
slow.reset()
print('fine')
""",
        0.3,
    )
    assert output.replace("\r", "") == "interrupted\nfine\n"


def test_callbacks_during_an_invoke(board: Session) -> None:
    """Catches scheduled functions that have to wait for the end of an invoke, and what they may not do in between."""
    board.run(
        BEGIN
        + """
seen = []
def scheduled(k):
    try:
        m.invoke()
    except RuntimeError as error:
        seen.append((k, str(error)))
    other.invoke(b'x')
    gc.collect()
other = arenite.Model('/rom/sine.tflite')
def each(k, op, outputs):
    if k < 3:
        micropython.schedule(scheduled, k)
m.profile(digit(0), each=each)
assert seen == [(k, 'model: already running') for k in range(3)], seen
assert bytes(m.outputs[0]) == right and bytes(m.invoke(digit(0))) == right
assert raises(ZeroDivisionError, lambda: m.profile(digit(0), each=lambda *a: 1 // 0))
assert bytes(m.invoke(digit(0))) == right
"""
    )


def test_soft_reset(board: Session) -> None:
    """Catches state that outlives a soft reset, at rest or in the middle of a run."""
    for _ in range(3):
        board.run(BEGIN + "assert m.ticks[1] > 0")
        board.soft_reset()
    program = BEGIN + "import machine\nm.profile(digit(0), each=lambda *a: machine.soft_reset())"
    board.transport.exec_raw_no_follow(program)
    board.transport.follow(timeout=20)
    board.soft_reset()
    board.run(BEGIN)


def test_a_source_that_grows(board: Session) -> None:
    """Catches weights read where a bytearray was before it moved."""
    board.run(
        BEGIN
        + """
data = bytearray(open('/rom/digits.tflite', 'rb').read())
x = arenite.Model(data)
t = x.outputs[0]
assert bytes(x.invoke(digit(0))) == right
data.extend(bytes(50000))
junk = bytearray(b'\\xff' * 12000)
for use in (x.invoke, x.profile, x.reset, lambda: x.inputs, lambda: bytes(t), lambda: t.name):
    assert raises(RuntimeError, use) == 'model: its source has moved or shrunk; load it again'
x.deinit()
y = arenite.Model(data)
def move(k, op, outputs):
    data.extend(bytes(50000))
assert 'source' in raises(RuntimeError, lambda: y.profile(digit(0), each=move))
"""
    )


def test_an_arena_that_grows(board: Session) -> None:
    """Catches activations written where a bytearray was before it moved, which is other objects' memory now."""
    board.run(
        BEGIN
        + """
arena = bytearray(9000)
x = arenite.Model('/rom/digits.tflite', arena=arena)
assert bytes(x.invoke(digit(0))) == right
arena.extend(bytes(50000))
junk = bytearray(b'\\xff' * 9000)
for use in (x.invoke, x.profile, lambda: x.outputs):
    assert raises(RuntimeError, use) == 'model: its arena has moved or shrunk; load it again'
assert junk == b'\\xff' * 9000
x.deinit()
x = arenite.Model('/rom/digits.tflite', arena=arena)
def move(k, op, outputs):
    arena.extend(bytes(90000))
assert 'arena' in raises(RuntimeError, lambda: x.profile(digit(0), each=move))
"""
    )


def test_two_models_in_one_buffer(board: Session) -> None:
    """Catches a run over another model's records, which hold addresses: it ended the board."""
    board.run(
        BEGIN
        + """
arena = bytearray(9000)
x = arenite.Model('/rom/digits.tflite', arena=arena)
y = arenite.Model('/rom/sine.tflite', arena=arena)
text = raises(RuntimeError, x.invoke, digit(0))
assert text == 'model: its arena was written over; give each model its own, or an Arena', text
y.invoke(b'x')
y.deinit()
x.deinit()
x = arenite.Model('/rom/digits.tflite', arena=arena)
assert bytes(x.invoke(digit(0))) == right
arena[:] = bytes(9000)
assert 'written over' in raises(RuntimeError, x.invoke)
"""
    )


@pytest.mark.parametrize("value", [0, 0xFF])
def test_a_model_that_is_written_to(board: Session, value: int) -> None:
    """Catches memory measured by what the file says now: every byte of a loaded model is changed in turn, and every
    use of it must raise or stay inside its tensors."""
    board.run(
        BEGIN
        + f"""
good = bytes(open('/rom/two.tflite', 'rb').read())
data = bytearray(good)
x = arenite.Model(data)
ins, outs = x.inputs, x.outputs
guard = bytearray(b'\\x55' * 3000)
four, long = b'\\x01\\x02\\x03\\x04', bytes(5000)
uses = (
    lambda: x.invoke(four, four), lambda: x.invoke(long, long), lambda: x.profile(each=lambda k, op, o: bytes(o[0])),
    lambda: repr(ins), lambda: ins[0].set(long), lambda: ins[1].set(four, 0.5), lambda: outs[0].dequantize(),
    lambda: len(bytes(outs[1])) == 4 or 1 // 0, lambda: outs[0].argmax(), lambda: x.reset(), lambda: ins[0].scale,
    lambda: ins[0][3],
)
refused = 0
for at in range(len(data)):
    data[at] = {value}
    for use in uses:
        try:
            use()
        except (ValueError, NotImplementedError, IndexError):
            refused += 1
    data[at] = good[at]
assert refused > 2 * len(good)  # the long inputs at least
assert guard == b'\\x55' * 3000
assert [list(memoryview(t)) for t in x.invoke(four, four)] == [[2, 4, 6, 8], [4, 8, 12, 16]]
"""
    )


def test_a_fault_would_be_seen(board: Session) -> None:
    """Catches tests that pass because nothing is watched: an access to nowhere ends the emulator with a word."""
    with pytest.raises(BoardError, match="FAULT"):
        board.run("import machine\nmachine.mem32[0xf0000000] = 1\nmachine.mem32[0x70000000]")
