"""SELECT_V2 and ADD_N beside tflite-micro."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Tensor, options, single
from reference import compared, refusal, same

CASES = 24


def select(c: Tensor, x: Tensor, y: Tensor, out: Tensor) -> bytes:
    """A model of one SELECT_V2."""
    return single("SELECT_V2", [c, x, y], out, options("SelectV2"))


def add_n(inputs: list[Tensor], out: Tensor) -> bytes:
    """A model of one ADD_N."""
    return single("ADD_N", inputs, out, options("AddN"))


def three_shapes(rng: draw.Rng, case: int, rank: int = 5) -> list[list[int]]:
    """Shapes that broadcast together: equal ones in every second case, then each with ones and without leading ones."""
    out = draw.shape(rng, int(rng.integers(1, rank + 1)), 5)
    if case % 2 == 0:
        return [out] * 3
    shapes = [[1 if rng.random() < 0.4 else n for n in out] for _ in range(3)]
    return [s[int(rng.integers(len(s))) :] if rng.random() < 0.3 else s for s in shapes]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_select(engine: Engine, dtype: str) -> None:
    """Catches the condition turned round, a stride of another tensor, an element of another size."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        shapes = three_shapes(rng, case)
        out = list(np.broadcast_shapes(*map(tuple, shapes)))
        x, y = (Tensor(s, dtype, None if dtype == "float32" else 0.5) for s in shapes[1:])
        condition = rng.integers(0, 2, shapes[0]).astype(bool)
        data = select(Tensor(shapes[0], "bool"), x, y, Tensor(out, dtype, x.scale))
        same(engine, data, [condition, draw.values(rng, x), draw.values(rng, y)])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_select_beyond_tflite_micro(engine: Engine, dtype: str) -> None:
    """The other types and up to 8 dimensions, beside numpy: catches an element cut in two."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        shapes = three_shapes(rng, case, 8)
        out = list(np.broadcast_shapes(*map(tuple, shapes)))
        condition = rng.integers(0, 2, shapes[0]).astype(bool)
        x, y = (rng.integers(0, 2**40, s).astype(dtype) for s in shapes[1:])
        data = select(Tensor(shapes[0], "bool"), *(Tensor(s, dtype) for s in shapes[1:]), Tensor(out, dtype))
        expected = np.where(condition, x, y)
        np.testing.assert_array_equal(HostModel(engine, data).invoke([condition, x, y])[0], expected)
        compared(data, [condition, x, y], [expected])


def test_select_refuses(engine: Engine) -> None:
    """Catches shapes that would run past a tensor, and types that differ."""
    c, x = Tensor([2, 1], "bool"), Tensor([2, 3])
    assert "not supported" in refusal(engine, select(Tensor([2, 1]), x, Tensor([2, 3]), Tensor([2, 3])))
    assert "not supported" in refusal(engine, select(c, x, Tensor([2, 3], "int32"), Tensor([2, 3])))
    assert "not supported" in refusal(engine, select(c, x, Tensor([2, 3]), Tensor([2, 3], "int32")))
    assert "broadcast" in refusal(engine, select(c, x, Tensor([2, 2]), Tensor([2, 3])))
    assert "broadcast" in refusal(engine, select(c, x, Tensor([2, 3]), Tensor([2, 4])))
    assert "output only" in refusal(engine, select(c, Tensor([2, 1]), Tensor([2, 1]), Tensor([2, 4])))
    assert "fewer dimensions" in refusal(engine, select(c, Tensor([3]), Tensor([3]), Tensor([3])))
    assert "inputs" in refusal(engine, single("SELECT_V2", [c, x], Tensor([2, 3]), options("SelectV2")))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_add_n(engine: Engine, dtype: str) -> None:
    """Catches an input left out, and a factor that is not the one of ADD."""
    for case in range(2 * CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        shape = draw.shape(rng, int(rng.integers(1, 5)))
        first = draw.tensor(rng, shape, dtype)
        inputs = [Tensor(shape, dtype, first.scale, first.zero_point) for _ in range(int(rng.integers(2, 9)))]
        out = draw.tensor(rng, shape, dtype)
        same(engine, add_n(inputs, out), [draw.values(rng, t) for t in inputs], rtol=1e-6)


def test_add_n_of_many(engine: Engine) -> None:
    """More int8 inputs than 20 spare bits bear: catches a sum that overflows; and int32, which wraps."""
    for n in (1, 15, 16, 40, 254):
        inputs = [Tensor([3], "int8", 0.5, 0) for _ in range(n)]
        data = add_n(inputs, Tensor([3], "int8", 0.5 * n, 0))
        x = np.int8([-128, 127, 5])
        assert np.abs(HostModel(engine, data).invoke([x] * n)[0].astype(int) - x).max() == 0
    inputs = [Tensor([2], "int32") for _ in range(3)]
    x = np.int32([2**31 - 1, -7])
    (got,) = HostModel(engine, add_n(inputs, Tensor([2], "int32"))).invoke([x] * 3)
    assert got.tolist() == [2**31 - 3, -21]


def test_add_n_refuses(engine: Engine) -> None:
    """Catches shapes, types and quantizations that differ."""
    q = Tensor([2, 3], "int8", 0.5, 1)
    assert "shape" in refusal(engine, add_n([Tensor([2]), Tensor([3])], Tensor([2])))
    assert "shape" in refusal(engine, add_n([Tensor([2]), Tensor([2])], Tensor([3])))
    assert "types" in refusal(engine, add_n([Tensor([2, 3]), q], Tensor([2, 3])))
    assert "types" in refusal(engine, add_n([Tensor([2, 3]), Tensor([2, 3])], q))
    assert "same scale" in refusal(engine, add_n([q, Tensor([2, 3], "int8", 0.25, 1)], Tensor([2, 3], "int8", 0.5)))
    assert "same scale" in refusal(engine, add_n([q, Tensor([2, 3], "int8", 0.5, 2)], Tensor([2, 3], "int8", 0.5)))
    assert "scale" in refusal(engine, add_n([q, Tensor([2, 3], "int8", 0.5, 1)], Tensor([2, 3], "int8")))
    assert "bool" in refusal(engine, add_n([Tensor([2], "bool"), Tensor([2], "bool")], Tensor([2], "bool")))
