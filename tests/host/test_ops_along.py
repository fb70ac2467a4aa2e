"""CUMSUM, ARG_MAX and ARG_MIN against tflite-micro, one operator a model: what goes along one axis."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine
from builder import Tensor, options, single
from reference import refusal, same

TYPES = ["float32", "int8"]
ARGS = [("ARG_MAX", "ArgMax"), ("ARG_MIN", "ArgMin")]


@pytest.mark.parametrize("seed", range(48))
@pytest.mark.parametrize("dtype", TYPES)
def test_cumsum(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a sum along another axis, from the other end, of one element too many, and one that saturates."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 5))
    shape, axis = draw.shape(rng, rank, 6), int(rng.integers(rank))
    if seed % 8 == 0:
        shape[axis] = 300 if dtype == "float32" else 24
    x = draw.tensor(rng, shape, dtype)
    y = Tensor(shape, dtype, x.scale, x.zero_point)
    if x.scale and seed % 3:
        y.scale, y.zero_point = float(np.float32(x.scale * 2.0 ** rng.uniform(-4, 6))), draw.zero_point(rng, dtype)
    fields = options("Cumsum", exclusive=bool(seed & 1), reverse=bool(seed & 2))
    at = Tensor.constant([axis - rank if rng.random() < 0.4 else axis])
    same(engine, single("CUMSUM", [x, at], y, fields), [draw.values(rng, x)], rtol=1e-6, atol=1e-6)


def test_cumsum_refuses(engine: Engine) -> None:
    """Catches another type, an axis outside or computed, another shape, and int8 without a scale."""

    def says(x: Tensor, y: Tensor, axis: Tensor) -> str:
        text = refusal(engine, single("CUMSUM", [x, axis], y, options("Cumsum")))
        assert text.startswith("op 0 CUMSUM: ")
        return text

    x, y, axis = Tensor([3, 4]), Tensor([3, 4]), Tensor.constant([1])
    assert "int16 is not supported" in says(Tensor([3], "int16", 0.5), Tensor([3], "int16", 0.5), axis)
    assert "output int8" in says(x, Tensor([3, 4], "int8", 0.5), axis)
    assert "axis 2" in says(x, y, Tensor.constant([2]))
    assert "axis -3" in says(x, y, Tensor.constant([-3]))
    assert "axis 0" in says(Tensor([]), Tensor([]), Tensor.constant([0]))
    assert "must be int32 or int64, and 1" in says(x, y, Tensor.constant([0, 1]))
    assert "constant" in says(x, y, Tensor([1], "int32"))
    assert "shape" in says(x, Tensor([4, 3]), axis)
    assert "one scale above 0" in says(Tensor([3, 4], "int8"), Tensor([3, 4], "int8", 0.5), axis)


@pytest.mark.parametrize("seed", range(32))
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("name", "kind"), ARGS)
def test_arg(engine: Engine, name: str, kind: str, dtype: str, seed: int) -> None:
    """Catches the other extreme, the last of several, another axis."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(2, 5))
    shape, axis = draw.shape(rng, rank, 6), int(rng.integers(rank))
    x = draw.tensor(rng, shape, dtype)
    data = draw.values(rng, x)
    if seed % 2:
        data = np.round(data / 64 if dtype == "int8" else data / 4).astype(dtype)
    y = Tensor(shape[:axis] + shape[axis + 1 :], "int32")
    at = Tensor.constant([axis - rank if rng.random() < 0.4 else axis])
    same(engine, single(name, [x, at], y, options(kind, outputType=2)), [data])


@pytest.mark.parametrize(("name", "kind"), ARGS)
def test_arg_of_what_is_no_number(engine: Engine, name: str, kind: str) -> None:
    """Catches infinities and NaN that are treated otherwise than by the reference."""
    data = np.float32([[np.nan, 1, 2], [1, np.nan, 2], [np.inf, -np.inf, np.inf], [0.0, -0.0, 0.0], [2, 1, np.nan]])
    model = single(name, [Tensor(data.shape), Tensor.constant([1])], Tensor([5], "int32"), options(kind, outputType=2))
    same(engine, model, [data])


@pytest.mark.parametrize(("name", "kind"), ARGS)
def test_arg_refuses(engine: Engine, name: str, kind: str) -> None:
    """Catches another type, an axis outside, computed or empty, and another shape."""

    def says(x: Tensor, y: Tensor, axis: Tensor) -> str:
        text = refusal(engine, single(name, [x, axis], y, options(kind, outputType=2)))
        assert text.startswith(f"op 0 {name}: ")
        return text

    x, y, axis = Tensor([3, 4]), Tensor([3], "int32"), Tensor.constant([1])
    assert "int16, output int32" in says(Tensor([3, 4], "int16"), y, axis)
    assert "output int64" in says(x, Tensor([3], "int64"), axis)
    assert "axis 2" in says(x, y, Tensor.constant([2]))
    assert "constant" in says(x, y, Tensor([1], "int32"))
    assert "shape" in says(x, Tensor([4], "int32"), axis)
    assert "shape" in says(x, Tensor([3, 1], "int32"), axis)
    assert "empty" in says(Tensor([3, 0]), y, axis)
