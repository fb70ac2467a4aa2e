"""Models that are fed by rows: `Model(source, stream=True)` and `feed`, with all that can come between two rows."""

import pytest

from firmware.conftest import Session
from firmware.test_api import evaluate
from firmware.test_robust import BEGIN, ctrl_c_during

IMPORTS = (
    BEGIN
    + """
PATH = '/rom/digits.tflite'
s = arenite.Model(PATH, stream=True)
x = digit(0)
def rows(first, last, of=x):
    return of[28 * first:28 * last]
"""
)


def test_rows_one_by_one(board: Session) -> None:
    """Catches outputs before the last row, another answer than with the whole input, and a next run that begins with
    what is left of this one."""
    board.run(
        IMPORTS
        + """
assert s.rows == (28, 28) and m.rows is None
for n in range(4):
    one, want = digit(n), bytes(m.invoke(digit(n)))
    for k in range(28):
        assert s.rows == (28 - k, 28)
        out = s.feed(rows(k, k + 1, one))
        assert (out is None) == (k < 27), k
    assert out is s.outputs[0] and bytes(out) == want
assert s.feed(rows(0, 5)) is None and s.feed(rows(5, 27)) is None
assert bytes(s.feed(rows(27, 28))) == right
assert bytes(s.feed(x)) == right and bytes(s.invoke(x)) == right
"""
    )


def test_arena_needed(board: Session) -> None:
    """Catches an arena_needed(stream=True) that is not exact."""
    board.run(
        IMPORTS
        + """
size = arenite.arena_needed(PATH, stream=True)
assert size == s.arena_used == s.arena_size
assert bytes(arenite.Model(PATH, arena=size, stream=True).feed(x)) == right
text = raises(MemoryError, lambda: arenite.Model(PATH, arena=size - 16, stream=True))
assert text == 'arena: needs %d bytes, has %d' % (size, size - 16), text
for more in (size + 512, 20000):
    assert bytes(arenite.Model(PATH, arena=more, stream=True).feed(x)) == right
"""
    )


def test_what_samples_become(board: Session) -> None:
    """Catches rows that are quantized otherwise than a whole input is by invoke() and by Tensor.set()."""
    board.run(
        IMPORTS
        + """
reals = array('f', [g / 255 for g in x])
want = bytes(m.invoke(reals))
assert s.feed(reals[:28 * 3]) is None
assert bytes(s.feed(reals[28 * 3:])) == want
m.inputs[0].set(x, 1 / 255)
want = bytes(m.invoke())
for k in range(28):
    out = s.feed(rows(k, k + 1), 1 / 255) if k % 2 else s.feed(rows(k, k + 1), offset=0, scale=1 / 255)
assert bytes(out) == want
"""
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("s.feed(x[:27])", "ValueError: input 0 'image': needs up to 26 rows of 28 bytes, got 27"),
        ("s.feed(b'')", "ValueError: input 0 'image': needs up to 26 rows of 28 bytes, got 0"),
        ("s.feed(x[:27 * 28])", "ValueError: input 0 'image': needs up to 26 rows of 28 bytes, got 756"),
        ("s.feed(array('f', [0] * 29))", "ValueError: input 0 'image': needs up to 26 rows of 28 samples, got 29"),
        ("s.invoke(x[:756])", "ValueError: input 0 'image': needs 28 rows of 28 bytes, got 756"),
        (
            "s.feed(array('H', [0] * 28))",
            "TypeError: input 0 'image': needs 784 int8, got 28 of type 'H': give feed a scale",
        ),
        ("s.feed(3)", "TypeError: object with buffer protocol required"),
        ("s.invoke()", "TypeError: input 0: fed by rows: use feed(rows), or invoke(all)"),
        ("s.profile()", "TypeError: input 0: fed by rows: use feed(rows), or invoke(all)"),
        ("s.invoke(x, x)", "TypeError: input 0: fed by rows: use feed(rows), or invoke(all)"),
        ("s.feed(s.outputs[0])", "ValueError: input 0 'image': needs up to 26 rows of 28 bytes, got 10"),
        ("s.feed(memoryview(arena)[-28:])", "ValueError: rows: they lie in the arena: copy them first"),
        ("s.inputs[0].set(x)", "RuntimeError: input 0: fed by rows, and never whole: use feed(rows)"),
        ("s.inputs[0].argmax()", "RuntimeError: input 0: fed by rows, and never whole: use feed(rows)"),
        ("memoryview(s.inputs[0])", "RuntimeError: input 0: fed by rows, and never whole: use feed(rows)"),
    ],
)
def test_refusals_lose_nothing(board: Session, call: str, text: str) -> None:
    """Catches wrong rows that are taken in part, or that end the run that was begun."""
    board.run(
        IMPORTS
        + """
arena = bytearray(9000)
s = arenite.Model(PATH, arena=arena, stream=True)
s.feed(rows(0, 2))
"""
    )
    assert board.refusal(call) == text
    assert board.run("print(s.rows, bytes(s.feed(rows(2, 28))) == right)") == "(26, 28) True\n"


def test_what_can_not_be_fed(board: Session) -> None:
    """Catches a model that loads to be fed though its input is taken whole, and an error without operator or cure."""
    board.run("import arenite")
    text = "ValueError: op 0 FULLY_CONNECTED: takes no rows of the input as they come: load without stream"
    assert board.refusal("arenite.Model('/rom/sine.tflite', stream=True)") == text
    assert board.refusal("arenite.arena_needed('/rom/sine.tflite', stream=True)") == text
    text = "ValueError: model: has subgraphs, or more than one input: load without stream"
    assert board.refusal("arenite.Model('/rom/two.tflite', stream=True)") == text
    text = "RuntimeError: feed: load the model with stream=True"
    assert board.refusal("arenite.Model('/rom/sine.tflite').feed(b'x')") == text
    board.run("m = arenite.Model('/rom/digits.tflite', stream=True)\nm.feed(bytes(28))\nm.deinit()")
    assert board.refusal("m.feed(bytes(28))") == "RuntimeError: model: used after deinit"
    assert board.refusal("m.rows") == "RuntimeError: model: used after deinit"


def test_the_input_says_what_it_is(board: Session) -> None:
    """Catches an input of which shape and quantization can not be asked, since it is never there."""
    shown = evaluate(board, "s = arenite.Model('/rom/digits.tflite', stream=True)", "s.inputs[0], s.inputs[0].nbytes")
    assert shown.startswith("(Tensor('image', shape=(1, 28, 28, 1), dtype='int8', scale=0.003921569, zero_point=-128)")
    assert shown.endswith(", 784)")


def test_reset_and_invoke_drop_what_was_fed(board: Session) -> None:
    """Catches rows of a run that was given up which the next takes for its own."""
    board.run(
        IMPORTS
        + """
s.feed(rows(0, 9, digit(1)))
s.reset()
assert s.rows == (28, 28) and bytes(s.feed(x)) == right
s.feed(rows(0, 9, digit(1)))
assert bytes(s.invoke(x)) == right and s.rows == (28, 28)
s.feed(rows(0, 9, digit(1)))
assert [p[0] for p in s.profile(x)] == [p[0] for p in m.profile(x)]
assert bytes(s.outputs[0]) == right
"""
    )


def test_an_interrupted_run_is_dropped(board: Session) -> None:
    """Catches a run that goes on behind an interrupt as if the row in the middle had been made."""
    output = ctrl_c_during(
        board,
        IMPORTS
        + """
s.feed(rows(0, 9))
def stop(k, op, outputs):
    raise KeyboardInterrupt
try:
    s.profile(x, each=stop)
except KeyboardInterrupt:
    assert s.rows == (28, 28)
assert bytes(s.feed(x)) == right
print('go')
try:
    while True:
        s.feed(x)
except KeyboardInterrupt:
    print('interrupted')
assert s.rows == (28, 28) and bytes(s.feed(x)) == right
""",
        0.3,
    )
    assert output.replace("\r", "") == "interrupted\n"


def test_callbacks_between_rows(board: Session) -> None:
    """Catches a buffer that a scheduled function moves, which is read where it was, and a model that is fed by two."""
    board.run(
        IMPORTS
        + """
seen, text = [], ''
def scheduled(_):
    try:
        s.feed(x)
    except RuntimeError as error: # it came between two rows
        seen.append(str(error))
        source.extend(bytes(50000))
        gc.collect()
    else:
        micropython.schedule(scheduled, 0)
source = bytearray(x)
micropython.schedule(scheduled, 0)
while not seen:
    try:
        s.feed(source)
    except RuntimeError as error:
        text = str(error)
assert seen == ['model: already running'] and text in ('', 'rows: moved or shrunk while they were fed'), (seen, text)
assert bytes(s.feed(x)) == right
"""
    )


def test_in_an_arena(board: Session) -> None:
    """Catches a run that goes on over rows that another model of the Arena has written over, and one in a part of the
    Arena that is too small."""
    board.run(
        IMPORTS
        + """
size = arenite.arena_needed(PATH, stream=True)
a = arenite.Arena(size + arenite.arena_needed('/rom/sine.tflite'))
f, other = arenite.Model(PATH, arena=a, stream=True), arenite.Model('/rom/sine.tflite', arena=a)
assert bytes(f.feed(x)) == right
f.feed(rows(0, 9))
assert f.feed(rows(9, 12)) is None
other.invoke(b'x')
text = raises(RuntimeError, f.feed, rows(12, 20))
assert text == 'model: another of its arena was used since: feed it from the first row on', text
assert f.rows == (28, 28) and bytes(f.feed(x)) == right
f.feed(rows(0, 9))
f.deinit()
assert a.used == other.arena_used
"""
    )


def test_feeding_takes_no_heap(board: Session) -> None:
    """Catches an allocation for each row, which a loop at a camera's pace would have the collector run for."""
    board.run(
        IMPORTS
        + """
pieces = [rows(k, k + 1) for k in range(28)]
reals = array('f', [0.5] * 28)
k = 0
def loop():
    for k in range(27):
        s.feed(pieces[k])
    s.feed(reals)
loop()
micropython.heap_lock()
try:
    loop()
finally:
    micropython.heap_unlock()
"""
    )


def test_a_model_in_a_buffer_that_is_written_to(board: Session) -> None:
    """Catches records that a script has changed, which a row would run through."""
    board.run(
        IMPORTS
        + """
arena = bytearray(arenite.arena_needed(PATH, stream=True) + 16)
b = arenite.Model(PATH, arena=arena, stream=True)
assert b.feed(rows(0, 9)) is None
for k in range(0, 160, 4):
    was = arena[k]
    arena[k] ^= 0x10
    try:
        b.feed(rows(9, 10))
        b.reset()
        b.feed(rows(0, 9))
    except RuntimeError as error:
        assert 'written over' in str(error), error
        arena[k] = was
b.reset()
arena[:] = bytes(len(arena))
assert 'written over' in raises(RuntimeError, b.feed, rows(0, 1))
assert bytes(s.feed(x)) == right
"""
    )
