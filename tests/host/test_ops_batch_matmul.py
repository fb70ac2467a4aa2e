"""BATCH_MATMUL against tflite-micro and numpy."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Array, Tensor, options, single
from reference import Rejected, reference, refusal, same

TYPES = ["float32", "int8", "int16"]
CLOSE = {"float32": {"rtol": 1e-5, "atol": 1e-3}, "int8": {}, "int16": {}}


def quantized(rng: draw.Rng, shape: list[int], dtype: str) -> Tensor:
    """A tensor; int16 has zero points of 0."""
    t = draw.tensor(rng, shape, dtype, -9, -1)
    if dtype == "int16":
        t.zero_point = 0
    return t


class Product:
    """A product of two tensors, drawn at random."""

    def __init__(self, seed: int, dtype: str) -> None:
        rng = self.rng = np.random.default_rng(seed)
        rows, columns = (int(n) for n in rng.integers(1, 10, 2))
        self.depth = int(rng.integers(1, 30))
        outer = draw.shape(rng, int(rng.integers(0, 4)), 4)
        self.adj_x, self.adj_y = bool(rng.integers(2)), bool(rng.integers(2))
        left = [self.depth, rows] if self.adj_x else [rows, self.depth]
        right = [columns, self.depth] if self.adj_y else [self.depth, columns]
        self.x = quantized(rng, [*self.some(outer), *left], dtype)
        self.y = quantized(rng, [*self.some(outer), *right], dtype)
        whole = np.broadcast_shapes(tuple(self.x.shape[:-2]), tuple(self.y.shape[:-2]))
        self.out = quantized(rng, [*whole, rows, columns], dtype)
        if dtype != "float32":
            spread = self.x.scale * self.y.scale * self.x.high * np.sqrt(self.depth)
            self.out.scale = float(np.float32(spread * 2.0 ** rng.uniform(-4, 5)))

    def some(self, outer: list[int]) -> list[int]:
        """Batches that broadcast to these: some are 1, some in front are left out."""
        kept = [1 if self.rng.random() < 0.3 else n for n in outer]
        return kept[int(self.rng.integers(0, len(kept) + 1)) if self.rng.random() < 0.2 else 0 :]

    def model(self) -> bytes:
        """The file."""
        fields = options("BatchMatMul", adjX=self.adj_x, adjY=self.adj_y)
        return single("BATCH_MATMUL", [self.x, self.y], self.out, fields)

    def by_numpy(self, a: Array, b: Array) -> Array:
        """The product as numpy has it."""
        left = np.swapaxes(a, -1, -2) if self.adj_x else a
        right = np.swapaxes(b, -1, -2) if self.adj_y else b
        return np.asarray(left @ right)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", TYPES)
def test_two_inputs(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a matrix that is transposed or not, a batch that is not repeated, zero points, factor and clamp."""
    case = Product(seed, dtype)
    inputs = [draw.values(case.rng, case.x), draw.values(case.rng, case.y)]
    (got,) = HostModel(engine, case.model()).invoke(inputs)
    if dtype == "float32":
        np.testing.assert_allclose(got, case.by_numpy(*inputs), rtol=1e-5, atol=1e-3)
    else:
        real = [(v.astype(np.float64) - t.zero_point) * t.scale for v, t in zip(inputs, (case.x, case.y), strict=True)]
        steps = case.by_numpy(*real) / case.out.scale + case.out.zero_point
        assert np.abs(got - np.clip(steps, case.out.low, case.out.high)).max() <= (
            2 if dtype == "int16" else 1
        )  # int16: a factor of 15 bits
    same(engine, case.model(), inputs, **CLOSE[dtype])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", TYPES)
def test_constant(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a constant that is written to, or read from the arena."""
    case = Product(100 + seed, dtype)
    inputs = [draw.values(case.rng, case.x), draw.values(case.rng, case.y)]
    which = seed % 2
    (case.x, case.y)[which].data = inputs[which]
    same(engine, case.model(), [inputs[1 - which]], **CLOSE[dtype])


@pytest.mark.parametrize("adjoint", [False, True])
def test_with_itself(engine: Engine, adjoint: bool) -> None:
    """Catches an input that is changed while it is read a second time."""
    rng = np.random.default_rng(0)
    x, out = Tensor([3, 5, 5], "int8", 0.1, 3), Tensor([3, 5, 5], "int8", 0.7, -3)
    model = single("BATCH_MATMUL", [x, x], out, options("BatchMatMul", adjX=adjoint, adjY=not adjoint))
    same(engine, model, [draw.values(rng, x)])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("left", "right"), [([2, 0], [0, 3]), ([0, 4], [4, 3]), ([2, 4], [4, 0]), ([0, 2, 4], [1, 4, 3])]
)
def test_empty(engine: Engine, dtype: str, left: list[int], right: list[int]) -> None:
    """Catches a loop that runs once over nothing; sums of nothing are 0."""
    scale = None if dtype == "float32" else 0.5
    zero = 5 if dtype == "int8" else 0
    x, y = Tensor(left, dtype, scale), Tensor(right, dtype, scale)
    out = Tensor([*left[:-1], right[-1]], dtype, scale, zero)
    arrays = [np.ones(t.shape, dtype) for t in (x, y)]
    (got,) = HostModel(engine, single("BATCH_MATMUL", [x, y], out, options("BatchMatMul"))).invoke(arrays)
    np.testing.assert_array_equal(got, np.full(out.shape, zero, dtype), strict=True)


def small(x: Tensor, y: Tensor, out: Tensor, **fields: object) -> bytes:
    """A model of these tensors."""
    return single("BATCH_MATMUL", [x, y], out, options("BatchMatMul", **fields))


@pytest.mark.parametrize(
    ("left", "right", "out", "says"),
    [
        ([2, 3], [4, 5], [2, 5], "inner"),
        ([2, 3], [3, 5], [5, 2], "output"),
        ([2, 3], [3, 5], [1, 2, 5], "at least 2"),
        ([3], [3, 5], [1, 5], "at least 2"),
        ([2, 2, 3], [3, 3, 5], [2, 2, 5], "batches"),
        ([2, 2, 3], [2, 3, 5], [3, 2, 5], "batches of the output"),
        ([2, 2, 3], [1, 3, 5], [1, 2, 5], "batches of the output"),
    ],
)
def test_refuses_shapes(engine: Engine, left: list[int], right: list[int], out: list[int], says: str) -> None:
    """Catches shapes that are trusted: tflite-micro rejects most of them too."""
    model = small(Tensor(left), Tensor(right), Tensor(out))
    assert says in refusal(engine, model)
    if says != "output" and not says.startswith("at least"):
        with pytest.raises(Rejected):
            reference(model, [np.zeros(left, np.float32), np.zeros(right, np.float32)])


def test_refuses_types(engine: Engine) -> None:
    """Catches types that are mixed, and int16 with zero points."""
    x, y, out = Tensor([2, 3], "int8", 0.1), Tensor([3, 4], "int8", 0.1), Tensor([2, 4], "int8", 0.1)
    assert "scale" in refusal(engine, small(Tensor([2, 3], "int8"), y, out))
    assert "float32 times int8" in refusal(engine, small(Tensor([2, 3]), y, Tensor([2, 4])))
    assert "to int32" in refusal(engine, small(x, y, Tensor([2, 4], "int32")))
    wide = [Tensor(t.shape, "int16", 0.1) for t in (x, y, out)]
    wide[1].zero_point = 1
    assert "zero points of 0" in refusal(engine, small(*wide))
    assert "uint8" in refusal(engine, small(Tensor([2, 3], "uint8", 0.1), Tensor([3, 4], "uint8", 0.1), out))
