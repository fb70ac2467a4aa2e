"""PAD, RESHAPE and MEAN against tflite-micro, one operator a model."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Op, Tensor, build, options, single
from reference import refusal, same

TYPES = ["int8", "float32"]


def draw_mean(rng: draw.Rng, shape: list[int]) -> tuple[list[int], list[int], bool]:
    """Axes, some counted from the end, some twice; the output's shape; whether dimensions are kept."""
    rank = len(shape)
    axes = [int(a) for a in rng.permutation(rank)[: rng.integers(1, min(rank, 2) + 1)]]
    keep = bool(rng.integers(2))
    if rng.random() < 0.4 and rank == 4:
        axes = [1, 2] if rng.random() < 0.5 else [2, 1]
    out = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    return [a - rank if rng.random() < 0.3 else a for a in axes], out, keep


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", TYPES)
def test_mean(engine: Engine, dtype: str, seed: int) -> None:
    """Catches an axis taken for another, a mean rounded otherwise, and a factor that lost other bits."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 9)
    axes, out, keep = draw_mean(rng, shape)
    x = draw.tensor(rng, shape, dtype)
    y = Tensor(out, dtype, x.scale, x.zero_point)
    if dtype == "int8" and seed % 3:
        y.scale, y.zero_point = float(np.float32(x.scale * 2.0 ** rng.uniform(-4, 4))), draw.zero_point(rng, dtype)
    fields = options("Reducer", keepDims=keep)
    data = draw.values(rng, x) if seed % 5 else np.full(shape, rng.choice([-128, 127]), x.dtype)
    same(engine, single("MEAN", [x, Tensor.constant(axes)], y, fields), [data], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 100, 4096, 65536, 100000])
def test_mean_of_many(engine: Engine, n: int, dtype: str) -> None:
    """Catches a sum or a factor that overflows with the number of elements."""
    x, y = Tensor([1, n, 1, 2], dtype, 0.1, -128), Tensor([1, 2], dtype, 0.11, -127)
    if dtype == "float32":
        x.scale = y.scale = None
    data = draw.values(np.random.default_rng(n), x)
    data[..., 0] = 127
    model = single("MEAN", [x, Tensor.constant([1, 2])], y, options("Reducer", keepDims=False))
    same(engine, model, [data], rtol=1e-5, atol=1e-4)


def test_mean_of_three_axes_of_five(engine: Engine) -> None:
    """Catches axes that do not lie side by side (the reference is numpy, in the limits of float32)."""
    x, y = Tensor([2, 3, 4, 5, 2]), Tensor([3, 5])
    data = draw.values(np.random.default_rng(1), x)
    axes = Tensor.constant([0, 2, -1, 2])
    (got,) = HostModel(engine, single("MEAN", [x, axes], y, options("Reducer", keepDims=False))).invoke([data])
    np.testing.assert_allclose(got, data.mean(axis=(0, 2, 4)), rtol=1e-5)


@pytest.mark.parametrize("axes", [[2], [-3], [0, 5], [1 << 30], [-(1 << 31)]])
def test_mean_refuses_axes(engine: Engine, axes: list[int]) -> None:
    """Catches an axis that points outside the shape."""
    model = single("MEAN", [Tensor([3, 4]), Tensor.constant(axes)], Tensor([3]), options("Reducer", keepDims=False))
    assert "axis" in refusal(engine, model)


def test_mean_refuses(engine: Engine) -> None:
    """Catches an output of another shape, axes that are computed or of another type, nothing to divide."""
    fields = options("Reducer", keepDims=False)
    x, axis = Tensor([3, 4]), Tensor.constant([1])
    for shape in ([4], [3, 1], [], [3, 4]):
        assert "output" in refusal(engine, single("MEAN", [x, axis], Tensor(shape), fields))
    assert "output" in refusal(engine, single("MEAN", [x, axis], Tensor([3]), options("Reducer", keepDims=True)))
    assert "constant" in refusal(engine, single("MEAN", [x, Tensor([1], "int32")], Tensor([3]), fields))
    assert "int64" in refusal(engine, single("MEAN", [x, Tensor.constant([1], "int64")], Tensor([3]), fields))
    assert "empty" in refusal(engine, single("MEAN", [Tensor([3, 0]), axis], Tensor([3]), fields))
    assert "int32" in refusal(engine, single("MEAN", [Tensor([3, 4], "int32"), axis], Tensor([3], "int32"), fields))


def padded(rng: draw.Rng, rank: int, dtype: str, index: str) -> tuple[bytes, Tensor]:
    """A model of one PAD, and its input."""
    shape = draw.shape(rng, rank, 5)
    paddings = rng.integers(0, 4, (rank, 2)) * (rng.random((rank, 2)) < 0.6)
    x = draw.tensor(rng, shape, dtype)
    y = Tensor([int(n + p.sum()) for n, p in zip(shape, paddings, strict=True)], dtype, x.scale, x.zero_point)
    return single("PAD", [x, Tensor.constant(paddings, index)], y, options("Pad")), x


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dtype", TYPES)
def test_pad(engine: Engine, dtype: str, seed: int) -> None:
    """Catches padding on another side or of another value, and a row in another place."""
    rng = np.random.default_rng(seed)
    model, x = padded(rng, int(rng.integers(1, 6)), dtype, "int32")
    same(engine, model, [draw.values(rng, x)])


@pytest.mark.parametrize("rank", [1, 4, 6, 8])
def test_pad_with_int64(engine: Engine, rank: int) -> None:
    """Catches paddings read with another width, and more dimensions than tflite-micro's (the reference is numpy)."""
    rng = np.random.default_rng(rank)
    x = Tensor([2] * rank)
    paddings = rng.integers(0, 2, (rank, 2))
    y = Tensor([int(2 + p.sum()) for p in paddings])
    data = draw.values(rng, x)
    model = single("PAD", [x, Tensor.constant(paddings, "int64")], y, options("Pad"))
    np.testing.assert_array_equal(HostModel(engine, model).invoke([data])[0], np.pad(data, paddings))


@pytest.mark.parametrize(
    ("paddings", "shape", "says"),
    [
        ([[0, 1], [0, 1]], [3, 2], "do not make"),
        ([[-1, 1], [0, 0]], [2, 2], "do not make"),
        ([[1, -1], [0, 0]], [2, 2], "do not make"),
        ([[2**31 - 1, 2**31 - 1], [0, 0]], [0, 2], "do not make"),
        ([[0, 1]], [3, 2], "two for each dimension"),
        ([[0, 0], [0, 0]], [2, 2, 1], "two for each dimension"),
    ],
)
@pytest.mark.parametrize("index", ["int32", "int64"])
def test_pad_refuses(engine: Engine, paddings: list[list[int]], shape: list[int], says: str, index: str) -> None:
    """Catches paddings that would write past the output."""
    model = single("PAD", [Tensor([2, 2]), Tensor.constant(paddings, index)], Tensor(shape), options("Pad"))
    assert says in refusal(engine, model)


def test_pad_refuses_paddings_that_overflow(engine: Engine) -> None:
    """Catches a sum of two paddings that passes 64 bits (the sanitizers' build sees it)."""
    paddings = Tensor.constant([[1, 2**63 - 1], [0, 0]], "int64")
    assert "do not make" in refusal(engine, single("PAD", [Tensor([2, 2]), paddings], Tensor([3, 2]), options("Pad")))


def test_pad_refuses_computed_paddings(engine: Engine) -> None:
    """Catches paddings that are trusted before they are known."""
    model = single("PAD", [Tensor([2, 2]), Tensor([2, 2], "int32")], Tensor([3, 3]), options("Pad"))
    assert "constant" in refusal(engine, model)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_reshape(engine: Engine, dtype: str, seed: int) -> None:
    """Catches data that is moved wrongly, or not at all, between shapes of up to 8 dimensions."""
    rng = np.random.default_rng(seed)
    factors = [int(f) for f in rng.choice([1, 2, 3, 5], 6)]
    first, second = (regroup(rng, factors) for _ in range(2))
    x, y = Tensor(first, dtype), Tensor(second, dtype)
    wanted = Tensor.constant(second)
    if seed % 3 == 0:
        model = single("RESHAPE", [x], y, options("Reshape", newShape=second))
    else:
        model = single("RESHAPE", [x, wanted], y, options("Reshape"))
    same(engine, model, [draw.values(rng, x)])


def regroup(rng: draw.Rng, factors: list[int]) -> list[int]:
    """A shape of the same number of elements."""
    cuts = np.sort(rng.integers(0, len(factors) + 1, rng.integers(0, 5)))
    return [int(np.prod(part, dtype=int)) for part in np.split(np.asarray(factors), cuts)]


def test_reshape_in_place_spares_what_is_needed_later(engine: Engine) -> None:
    """Catches an output laid over an input that another operator, or the caller, still reads."""
    x, flat, total, y = Tensor([2, 3]), Tensor([6]), Tensor([6]), Tensor([2, 3])
    ops = [
        Op("RESHAPE", [x], [flat], options("Reshape")),
        Op("ADD", [flat, flat], [total], options("Add")),
        Op("ADD", [x, x], [y], options("Add")),
    ]
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    same(engine, build(ops, outputs=[flat, total, y, x]), [data])


def test_reshape_of_a_constant(engine: Engine) -> None:
    """Catches an output that is laid over flash."""
    c, y, x, z = Tensor([2, 2], data=np.float32([[1, 2], [3, 4]])), Tensor([4]), Tensor([4]), Tensor([4])
    ops = [Op("RESHAPE", [c], [y], options("Reshape")), Op("ADD", [x, y], [z], options("Add"))]
    same(engine, build(ops, outputs=[z, y]), [np.float32([1, 1, 1, 1])])


def test_reshape_refuses(engine: Engine) -> None:
    """Catches another number of elements, or another type."""
    assert "of 6" in refusal(engine, single("RESHAPE", [Tensor([2, 3])], Tensor([7]), options("Reshape")))
    assert "int8" in refusal(engine, single("RESHAPE", [Tensor([2, 3])], Tensor([6], "int8"), options("Reshape")))
