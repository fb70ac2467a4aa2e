"""Several models in one arenite.Arena: what they share, what is their own, and when that is told."""

import pytest

from firmware.conftest import Session
from firmware.test_api import IMPORTS

SHARED = (
    IMPORTS
    + """
def path(name):
    return '/rom/%s.tflite' % name
def needed(*names):
    return arenite.arena_needed(*map(path, names))
def load(name, arena=None):
    return arenite.Model(path(name), arena=arena)
def own(m):
    return m.arena_used - m.activations
def alone(name, x):
    return bytes(load(name).invoke(x))
"""
)


def test_three_models_take_the_largest_activations_and_the_rest_of_each(board: Session) -> None:
    """Catches activations that are not shared, records that are, an arena_needed() of several that is off by a byte or
    holds in one order only, and a wrong account of what is used."""
    board.run(
        f"""{SHARED}
inputs = {{'digits': digit(0), 'sine': b'x', 'sine_float': array('f', (1.5,))}}
names = list(inputs)
right = {{n: alone(n, inputs[n]) for n in names}}
size = needed(*names)
roomy = arenite.Arena(9000)
parts = {{n: own(load(n, roomy)) for n in names}}
assert size == sum(parts.values()) + load('digits').activations < sum(map(needed, names))
del roomy
gc.collect()
a = arenite.Arena(size)
assert repr(a) == 'Arena(%d bytes, 0 used)' % size and (a.size, a.used) == (size, 0)
for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
    models = [load(names[k], a) for k in order]
    assert a.used == sum(map(own, models)) + max(m.activations for m in models) <= size
    for _ in range(2):
        for k, m in zip(order, models):
            assert bytes(m.invoke(inputs[names[k]])) == right[names[k]], (order, k)
    for m in models:
        assert m.arena_size == m.arena_used
        m.deinit()
    assert a.used == 0
a = arenite.Arena(size - 1)
models = [load('sine', a), load('sine_float', a)]
has = a.size - sum(map(own, models))
text = raises(MemoryError, load, 'digits', a)
assert text == 'arena: needs %d bytes, has %d' % (needed('digits'), has), text
raises(ValueError, lambda: arenite.Model(b'', arena=a))
assert bytes(models[0].invoke(b'x')) == right['sine']
"""
    )


def test_activations_of_others_count(board: Session) -> None:
    """Catches records that are put where a larger model's activations lie, and a MemoryError with another number."""
    board.run(
        f"""{SHARED}
right = alone('digits', digit(0))
a = arenite.Arena(needed('digits') + 15)
big = load('digits', a)
text = raises(MemoryError, load, 'sine', a)
part = own(load('sine', arenite.Arena(500)))
assert text == 'arena: needs %d bytes, has %d' % (part + big.activations, a.size - own(big)), text
assert bytes(big.invoke(digit(0))) == right
big.deinit()
load('sine', a)
"""
    )


def test_more_activations_are_used_where_others_take_them(board: Session) -> None:
    """Catches a model that does not have the room that is there anyway, and answers that depend on it."""
    board.run(
        f"""{SHARED}
a = arenite.Arena(needed('chain', 'digits'))
m = load('digits', a)
fewest = m.activations
assert fewest == load('digits').activations
m.deinit()
big, m = load('chain', a), load('digits', a)
assert fewest < m.activations <= big.activations
assert a.used == own(big) + own(m) + big.activations
assert bytes(m.invoke(digit(0))) == alone('digits', digit(0))
"""
    )


def test_state_is_not_shared(board: Session) -> None:
    """Catches variables, rows and outputs of runs that ended early which another model, or its loading, writes over."""
    board.run(
        f"""{SHARED}
def step(x):
    return array('i', (x, 2 * x, -x))
def four(k):
    return bytes(4 * (k,))
sums, waits = load('sums'), load('waits')
added = [bytes(sums.invoke(step(k))) for k in range(9)]
kept = [bytes(waits.invoke(four(k))) for k in range(9)]
assert added[1] == bytes(array('i', (11, 22, 29)))
a = arenite.Arena(needed('sums', 'waits', 'sums', 'digits'))
s, w = load('sums', a), load('waits', a)
other, big = load('sums', a), load('digits', a)
for k in range(9):
    assert bytes(s.invoke(step(k))) == added[k], k
    other.invoke(step(100))
    assert bytes(w.invoke(four(k))) == kept[k], k
    big.invoke(digit(0))
    if k == 4:
        other.deinit()
        other = load('sums', a)
s.reset()
w.reset()
for k in range(9):
    other.invoke(step(100))
    assert bytes(w.invoke(four(k)))[:16] == (kept[k] if k > 1 else bytes(w.outputs[0]))[:16], k
    assert bytes(s.invoke(step(k))) == added[k], k
"""
    )


def test_outputs_that_another_model_wrote_over(board: Session) -> None:
    """Catches an output that is read after another model's run, load or input has written over it: a wrong answer."""
    board.run(
        f"""{SHARED}
right = alone('digits', digit(0))
a = arenite.Arena(needed('digits', 'sine', 'float32'))
big, small = load('digits', a), load('sine', a)
t = big.outputs[0]
def gone():
    says = 'model: another of its arena was used since; read or copy outputs before'
    for read in (lambda: t[0], lambda: list(t), t.argmax, lambda: bytes(t), lambda: memoryview(t), t.dequantize):
        assert raises(RuntimeError, read) == says
    assert (t.name, t.nbytes, len(t)) == ('digit', 10, 10) and repr(t) and repr(big)
for spoil in (lambda: small.invoke(b'x'), lambda: small.inputs[0].set(b'x'), lambda: load('float32', a),
        lambda: raises(ValueError, lambda: arenite.Model(b'', arena=a)), lambda: small.profile(b'x')):
    big.invoke(digit(0))
    assert bytes(t) == right and t.argmax() == max(range(10), key=lambda k: right[k] ^ 128)
    spoil()
    gone()
v = memoryview(big.inputs[0])
v[:] = memoryview(array('b', (k - 128 for k in digit(0))))
big.invoke()
assert bytes(t) == alone('digits', array('b', (k - 128 for k in digit(0))))
"""
    )


def test_an_output_is_another_models_input(board: Session) -> None:
    """Catches a value that is written over before it is read, where the one lies over the other."""
    board.run(
        f"""{SHARED}
reals = array('f', (0.5, -1.25, 3, 100, 0.26, -5))
a = arenite.Arena(needed('float32', 'uint8_quantized', 'int16_quantized', 'int64'))
f, u, h, q = (load(n, a) for n in ('float32', 'uint8_quantized', 'int16_quantized', 'int64'))
for m, name in ((u, 'uint8_quantized'), (h, 'int16_quantized')):
    expected = alone(name, reals)
    for _ in range(2):
        assert bytes(m.invoke(f.invoke(reals))) == expected, name
for m, name in ((q, 'int64'), (h, 'int16_quantized'), (u, 'uint8_quantized')):
    alike = load(name)
    alike.inputs[0].set(reals, 2, 1)
    y = f.invoke(reals)
    if m is q: # the first lies below where it goes, the last above
        text = raises(ValueError, lambda: m.inputs[0].set(y, 2, 1))
        assert text == 'buffer lies where the tensor lies: copy it first'
        y = array('f', y)
    m.inputs[0].set(y, 2, 1)
    assert bytes(m.invoke()) == bytes(alike.invoke()), name
"""
    )


def test_samples_that_lie_over_the_tensor(board: Session) -> None:
    """Catches samples that are read after what became of others was written there: bytes into int16, in place, with
    each distance from one to the other."""
    board.run(
        f"""{SHARED}
block = bytearray(2000)
m = arenite.Model(path('int16_quantized'), arena=block)
t = m.inputs[0]
at = addressof(t) - addressof(block)
refused = 0
for distance in range(13): # before the tensor lies what the model keeps
    samples = bytes(range(7, 13))
    block[at + distance:at + distance + 6] = samples
    try:
        t.set(memoryview(block)[at + distance:at + distance + 6])
        assert list(memoryview(t)) == [4 * k for k in samples], distance
    except ValueError as error:
        assert str(error) == 'buffer lies where the tensor lies: copy it first'
        assert bytes(block[at + distance:at + distance + 6]) == samples
        refused += 1
assert 0 < refused <= 4, refused
"""
    )


def test_one_runs_at_a_time(board: Session) -> None:
    """Catches a model that runs, is loaded or has its input set in the middle of another's run, in the memory of that;
    an Arena that stays locked after an exception; and one that locks models of others."""
    board.run(
        f"""{SHARED}
right = alone('digits', digit(0))
a = arenite.Arena(needed('digits', 'sine', 'float32'))
big, small, apart = load('digits', a), load('sine', a), load('sine')
said = []
def each(k, op, outputs):
    for use in (lambda: small.invoke(b'x'), lambda: small.profile(b'x'), lambda: load('float32', a),
            lambda: small.inputs[0].set(b'x')):
        said.append(raises(RuntimeError, use))
    apart.invoke(b'x')
    assert all(t is None or bytes(t) for t in outputs)
big.profile(digit(0), each=each)
assert set(said) == {{'arena: one of its models is running'}} and len(said) == 36, said
assert bytes(big.outputs[0]) == right
def fails(k, op, outputs):
    raise KeyError(k)
raises(KeyError, lambda: big.profile(digit(0), each=fails))
assert bytes(small.invoke(b'x')) == alone('sine', b'x')
def drop(k, op, outputs):
    small.deinit()
big.profile(digit(0), each=drop)
assert bytes(big.outputs[0]) == right and a.used == big.arena_used
"""
    )


def test_gaps_are_used_again(board: Session) -> None:
    """Catches a part that is lost when another, behind it, is still taken, and parts that overlap their neighbours."""
    board.run(
        f"""{SHARED}
def sums():
    return load('sums', a)
a = arenite.Arena(needed(*4 * ['sums']))
x = array('i', (1, 2, 3))
models = [sums() for _ in range(4)]
part, shared = own(models[0]), models[0].activations
right = bytes(models[0].invoke(x))
models[0].reset()
for gone in ((1,), (0,), (3,), (2, 1), (1, 2), (0, 3), (3, 0, 1), (0, 1, 2, 3), (3, 2, 1, 0)):
    for m in models:
        m.reset()
        assert bytes(m.invoke(x)) == right
    before = [bytes(m.invoke(x)) for m in models]
    for k in gone:
        models[k].deinit()
    assert a.used == (4 - len(gone)) * part + (shared if len(gone) < 4 else 0)
    for k in sorted(gone):
        models[k] = sums()
    assert 'needs' in raises(MemoryError, sums)
    after = [bytes(m.invoke(x)) for m in models]
    for k in range(4):
        if k in gone:
            assert after[k] == right, (gone, k)
        else:
            assert after[k] == bytes(p + q for p, q in zip(before[k], bytes(x))), (gone, k)
"""
    )


@pytest.mark.parametrize("booted", ["MPS2_AN386"], indirect=True)
def test_the_static_arena_is_shared(board: Session) -> None:
    """Catches a static arena that stays locked or held by a model of before a soft reset."""
    for _ in range(2):
        board.run(
            f"""{SHARED}
s = arenite.Arena.static
m, n = load('digits', s), load('sine', s)
right = bytes(m.invoke(digit(0)))
assert bytes(n.invoke(b'x')) == alone('sine', b'x')
assert s.used == own(m) + own(n) + m.activations
assert bytes(m.invoke(digit(0))) == right == alone('digits', digit(0))
"""
        )
        board.soft_reset()
