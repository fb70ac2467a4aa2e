"""SUM, MEAN of int16, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL against tflite-micro, one operator a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Tensor, options, single
from reference import compared, refusal, same

SUMS = [("SUM", "float32"), ("SUM", "int8"), ("SUM", "int16"), ("MEAN", "int16")]
EXTREMES = [(name, dtype) for name in ("REDUCE_MAX", "REDUCE_MIN") for dtype in ("float32", "int8")]


def draw_axes(rng: draw.Rng, shape: list[int]) -> tuple[list[int], list[int], bool]:
    """Axes, some counted from the end, some twice; the output's shape; whether dimensions are kept."""
    rank = len(shape)
    axes = [int(a) for a in rng.permutation(rank)[: rng.integers(1, min(rank, 2) + 1)]]
    if rank == 4 and rng.random() < 0.3:
        axes = [1, 2] if rng.random() < 0.5 else [2, 1]
    keep = bool(rng.integers(2))
    out = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    return [a - rank if rng.random() < 0.3 else a for a in axes], out, keep


def reduction(name: str, x: Tensor, y: Tensor, axes: list[int], *, keep: bool = False) -> bytes:
    """A model of one reduction."""
    return single(name, [x, Tensor.constant(axes)], y, options("Reducer", keepDims=keep))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("name", "dtype"), SUMS)
def test_sums(engine: Engine, name: str, dtype: str, seed: int) -> None:
    """Catches an axis taken for another, a division too many or too few, and a zero point that counts once."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 9)
    axes, out, keep = draw_axes(rng, shape)
    x = draw.tensor(rng, shape, dtype)
    y = Tensor(out, dtype, x.scale, x.zero_point)
    if x.scale and seed % 3:
        y.scale, y.zero_point = float(np.float32(x.scale * 2.0 ** rng.uniform(-4, 6))), draw.zero_point(rng, dtype)
    data = draw.values(rng, x) if seed % 5 else np.full(shape, rng.choice([-128, 127]), x.dtype)
    same(engine, reduction(name, x, y, axes, keep=keep), [data], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [1, 100, 4096, 65536, 70000, 140000])
@pytest.mark.parametrize(("name", "dtype"), SUMS)
def test_sums_of_many(engine: Engine, name: str, dtype: str, n: int) -> None:
    """Catches a sum that saturates, or overflows as C leaves undefined, where the reference's wraps."""
    x, y = Tensor([1, n, 1, 2], dtype, 0.1, -3), Tensor([1, 2], dtype, 0.11 * n, 5)
    if dtype == "float32":
        x.scale = y.scale = None
    data = draw.values(np.random.default_rng(n), x)
    data[..., 0] = 127 if dtype == "float32" else x.high
    same(engine, reduction(name, x, y, [1, 2]), [data], rtol=1e-5, atol=1e-3, arena=1 << 21)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("name", "dtype"), EXTREMES)
def test_extremes(engine: Engine, name: str, dtype: str, seed: int) -> None:
    """Catches the other extreme, a start that wins, an axis taken for another."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 6)
    axes, out, keep = draw_axes(rng, shape)
    x = draw.tensor(rng, shape, dtype)
    y = Tensor(out, dtype, x.scale, x.zero_point)
    data = draw.values(rng, x) if seed % 5 else np.full(shape, rng.choice([-128, 127]), x.dtype)
    same(engine, reduction(name, x, y, axes, keep=keep), [data])


@pytest.mark.parametrize("name", ["REDUCE_MAX", "REDUCE_MIN"])
def test_extremes_of_what_is_no_number(engine: Engine, name: str) -> None:
    """Catches infinities and NaN that are treated otherwise than by the reference."""
    data = np.float32(
        [[np.inf, 1, 2], [-np.inf] * 3, [np.inf] * 3, [np.nan] * 3, [np.nan, 1, 2], [1, np.nan, 2], [0.0, -0.0, 0.0]]
    )
    same(engine, reduction(name, Tensor(data.shape), Tensor([7]), [1]), [data])


@pytest.mark.parametrize("seed", range(30))
def test_all(engine: Engine, seed: int) -> None:
    """Catches a value that is lost, and one that is carried into the next output."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 5)
    axes, out, keep = draw_axes(rng, shape)
    data = rng.random(shape) < 0.8
    same(engine, reduction("REDUCE_ALL", Tensor(shape, "bool"), Tensor(out, "bool"), axes, keep=keep), [data])


@pytest.mark.parametrize(
    ("name", "dtype", "function"),
    [
        ("SUM", "float32", np.sum),
        ("REDUCE_MAX", "int8", np.max),
        ("REDUCE_MIN", "int8", np.min),
        ("REDUCE_ALL", "bool", np.all),
    ],
)
@pytest.mark.parametrize("axes", [[0, 2, -1, 2], [0, 1, 2, 3, 4], [], [-5, 3, 1]])
def test_more_axes_than_two(
    engine: Engine, name: str, dtype: str, function: Callable[..., Any], axes: list[int]
) -> None:
    """Catches axes that do not lie side by side, all of them, and none (numpy is the reference)."""
    shape = [2, 3, 4, 5, 2]
    rng = np.random.default_rng(len(axes))
    data = (rng.random(shape) < 0.98) if dtype == "bool" else rng.integers(-128, 128, shape).astype(dtype)
    expected = np.asarray(function(data, axis=tuple({a % 5 for a in axes})))
    scale = 0.5 if dtype == "int8" else None
    model = reduction(name, Tensor(shape, dtype, scale), Tensor(expected.shape, dtype, scale), axes)
    (got,) = HostModel(engine, model).invoke([data])
    np.testing.assert_array_equal(got, expected)
    compared(model, [data], [expected])


@pytest.mark.parametrize("name", ["SUM", "MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ALL"])
def test_refuses(engine: Engine, name: str) -> None:
    """Catches another type, an axis outside, axes that are computed, a shape that does not fit, nothing to reduce."""
    dtype = "bool" if name == "REDUCE_ALL" else "float32"

    def says(x: Tensor, y: Tensor, axes: Tensor) -> str:
        text = refusal(engine, single(name, [x, axes], y, options("Reducer")))
        assert text.startswith(f"op 0 {name}: ")
        return text

    x, y, axes = Tensor([3, 4], dtype), Tensor([3], dtype), Tensor.constant([1])
    assert "int64 is not supported" in says(Tensor([3, 4], "int64"), Tensor([3], "int64"), axes)
    assert "output int8" in says(x, Tensor([3], "int8", 0.5), axes)
    assert "axis 2" in says(x, y, Tensor.constant([2]))
    assert "constant" in says(x, y, Tensor([1], "int32"))
    assert "shape" in says(x, Tensor([4], dtype), axes)
    assert "empty" in says(Tensor([3, 0], dtype), y, axes)


@pytest.mark.parametrize("name", ["REDUCE_MAX", "REDUCE_MIN"])
def test_extremes_refuse_another_quantization(engine: Engine, name: str) -> None:
    """Catches values that would mean something else in the output than in the input."""
    x = Tensor([3, 4], "int8", 0.5, 3)
    for y in (Tensor([3], "int8", 0.5, 4), Tensor([3], "int8", 0.25, 3)):
        assert "same scale and zero point" in refusal(engine, reduction(name, x, y, [1]))
    assert "one scale above 0" in refusal(engine, reduction(name, x, Tensor([3], "int8"), [1]))
