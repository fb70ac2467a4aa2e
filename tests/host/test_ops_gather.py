"""GATHER, GATHER_ND, EMBEDDING_LOOKUP, SCATTER_ND and WHERE: places in a tensor that data names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Tensor, options, single
from moves import TYPES, activation, check, values
from reference import refusal

# What tflite-micro has; SCATTER_ND and WHERE it has not.
GATHERED = {"float32", "int8"}
GATHERED_ND = {"float32", "int8"}
Array = np.ndarray[Any, np.dtype[Any]]


def index_tensor(data: Array, known: bool) -> tuple[Tensor, list[Array]]:
    """Indices as a constant, or as an input and its data."""
    if known:
        return Tensor.constant(data, str(data.dtype)), []
    return Tensor(data.shape, str(data.dtype)), [data]


def gathered(x: Array, at: Array, axis: int, batch: int) -> Array:
    """As TensorFlow defines it: each batch by itself."""
    if batch == 0:
        return np.take(x, at, axis)
    return np.stack([gathered(a, b, axis - 1, batch - 1) for a, b in zip(x, at, strict=True)])


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("dtype", TYPES)
def test_gather(engine: Engine, dtype: str, seed: int) -> None:
    """Catches another axis, batches that are mixed, runs of a wrong length, indices of another width."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 5))
    shape, axis = draw.shape(rng, rank, 5), int(rng.integers(rank))
    batch = int(rng.integers(axis + 1)) if seed % 3 == 0 else 0
    count = [*shape[:batch], *draw.shape(rng, int(rng.integers(0 if rank > 1 else 1, 3)), 4)]
    index = "int64" if seed % 5 == 4 else "int32"
    at = rng.integers(0, shape[axis], count).astype(index)
    x = values(rng, shape, dtype)
    y = gathered(x, at, axis, batch)
    tensor, more = index_tensor(at, seed % 2 == 0)
    fields = options("Gather", axis=axis - rank if rng.random() < 0.4 else axis, batchDims=batch)
    model = single("GATHER", [activation(shape, dtype), tensor], activation(y.shape, dtype), fields)
    check(
        engine, model, [x, *more], [y], True if dtype in GATHERED and index == "int32" and y.ndim and at.ndim else None
    )


@pytest.mark.parametrize("wrong", [-1, 3, 1 << 40, -(1 << 40), (1 << 32) + 1])
@pytest.mark.parametrize("known", [True, False])
def test_gather_refuses_an_index_outside(engine: Engine, wrong: int, known: bool) -> None:
    """Catches an index that reads elsewhere, whether it shows at load or as it runs; a later run is not harmed."""
    at = np.int64([0, wrong])
    tensor, more = index_tensor(at, known)
    model = single("GATHER", [Tensor([3, 2]), tensor], Tensor([2, 2]), options("Gather"))
    if known:
        assert "index is not in 0 to 2" in refusal(engine, model)
        return
    host = HostModel(engine, model)
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    with pytest.raises(EngineError, match="op 0 GATHER: an index is not in 0 to 2"):
        host.invoke([x, *more])
    np.testing.assert_array_equal(host.invoke([x, np.int64([2, 0])])[0], x[[2, 0]])


def test_gather_refuses(engine: Engine) -> None:
    """Catches shapes that do not fit, an axis or batches outside, and indices that are no integers."""

    def says(at: Tensor, shape: list[int], **fields: int) -> str:
        return refusal(engine, single("GATHER", [Tensor([3, 4]), at], Tensor(shape), options("Gather", **fields)))

    at = Tensor([2], "int32")
    assert "shape" in says(at, [2, 3])
    assert "shape" in says(at, [2])
    assert "shape" in says(at, [2, 4], axis=1)
    assert "shape" in says(at, [3, 1], axis=1, batchDims=1)
    assert "axis 2" in says(at, [3, 4], axis=2)
    assert "axis -3" in says(at, [3, 4], axis=-3)
    assert "1 batch dimensions" in says(at, [2, 4], batchDims=1)
    assert "-2 batch" in says(at, [2, 4], axis=1, batchDims=-3)
    assert "int16" in says(Tensor([2], "int16"), [2, 4])
    assert "float32" in says(Tensor([2], "float32"), [2, 4])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_gather_nd(engine: Engine, dtype: str, seed: int) -> None:
    """Catches strides of another shape, and a coordinate of fewer indices than dimensions that reads one element."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 5))
    shape, depth = draw.shape(rng, rank, 5), int(rng.integers(1, rank + 1))
    count = draw.shape(rng, int(rng.integers(0, 3)), 4)
    index = "int64" if seed % 5 == 4 else "int32"
    at = np.stack([rng.integers(0, n, count) for n in shape[:depth]], -1).astype(index)
    x = values(rng, shape, dtype)
    y = np.asarray(x[tuple(np.moveaxis(at, -1, 0))])
    tensor, more = index_tensor(at, seed % 2 == 0)
    model = single("GATHER_ND", [activation(shape, dtype), tensor], activation(y.shape, dtype), options("GatherNd"))
    check(engine, model, [x, *more], [y], True if dtype in GATHERED_ND and index == "int32" and y.ndim else None)


def test_gather_nd_refuses(engine: Engine) -> None:
    """Catches coordinates longer than the shape, outputs that do not fit, and places outside."""

    def says(at: Tensor, shape: list[int]) -> str:
        return refusal(engine, single("GATHER_ND", [Tensor([3, 4]), at], Tensor(shape), options("GatherNd")))

    assert "3 dimensions in a tensor of 2" in says(Tensor([5, 3], "int32"), [5])
    assert "do not fit" in says(Tensor([5, 2], "int32"), [4])
    assert "do not fit" in says(Tensor([5, 1], "int32"), [5, 3])
    assert "0 dimensions" in says(Tensor([], "int32"), [4])
    assert "uint8" in says(Tensor([5, 2], "uint8"), [5])
    assert "outside" in says(Tensor.constant([[0, 4]]), [1])
    assert "outside" in says(Tensor.constant([[-1, 0]]), [1])
    host = HostModel(engine, single("GATHER_ND", [Tensor([3, 4]), Tensor([1, 2], "int32")], Tensor([1])))
    with pytest.raises(EngineError, match="op 0 GATHER_ND: an index lies outside"):
        host.invoke([np.zeros([3, 4], np.float32), np.int32([[3, 0]])])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_embedding_lookup(engine: Engine, dtype: str, seed: int) -> None:
    """Catches another row."""
    rng = np.random.default_rng(seed)
    shape = [int(rng.integers(1, 9)), *draw.shape(rng, int(rng.integers(1, 4)))]
    at = rng.integers(0, shape[0], int(rng.integers(1, 7)), np.int32)
    x = values(rng, shape, dtype)
    table = activation(shape, dtype)
    table.data = x
    model = single("EMBEDDING_LOOKUP", [Tensor(at.shape, "int32"), table], activation([len(at), *shape[1:]], dtype))
    check(engine, model, [at], [x[at]], True)


@pytest.mark.parametrize("seed", range(24))
def test_embedding_lookup_of_quantized_rows(engine: Engine, seed: int) -> None:
    """Catches rows of int8 that come out as their bits, or times another scale."""
    rng = np.random.default_rng(seed)
    shape = [int(rng.integers(1, 9)), *draw.shape(rng, int(rng.integers(1, 4)))]
    at = rng.integers(0, shape[0], int(rng.integers(1, 7)), np.int32)
    x, scale = values(rng, shape, "int8"), draw.scale(rng)
    table = Tensor(shape, "int8", scale, data=x)
    model = single("EMBEDDING_LOOKUP", [Tensor(at.shape, "int32"), table], Tensor([len(at), *shape[1:]]))
    check(engine, model, [at], [x[at].astype(np.float32) * np.float32(scale)], True)


def test_embedding_lookup_refuses(engine: Engine) -> None:
    """Catches an index outside, a vector of values, and a zero point that nobody subtracts."""

    def says(at: Tensor, x: Tensor, y: Tensor) -> str:
        return refusal(engine, single("EMBEDDING_LOOKUP", [at, x], y))

    at = Tensor([2], "int32")
    assert "vector" in says(Tensor([2, 1], "int32"), Tensor([3, 4]), Tensor([2, 1, 4]))
    assert "vector" in says(at, Tensor([3]), Tensor([2]))
    assert "zero point 0" in says(at, Tensor([3, 4], "int8", 0.5, 1), Tensor([2, 4]))
    assert "one scale" in says(at, Tensor([3, 4], "int8"), Tensor([2, 4]))
    assert "output float32" in says(at, Tensor([3, 4], "int16"), Tensor([2, 4]))
    assert "index" in says(Tensor.constant([0, 3]), Tensor([3, 4]), Tensor([2, 4]))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_scatter_nd(engine: Engine, dtype: str, seed: int) -> None:
    """Catches what is named twice and not summed, places that are not 0, and another place (numpy is the reference)."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 5))
    shape, depth = draw.shape(rng, rank, 4), int(rng.integers(1, rank + 1))
    count = draw.shape(rng, int(rng.integers(1, 3)), 4)
    index = "int64" if seed % 5 == 4 else "int32"
    at = np.stack([rng.integers(0, n, count) for n in shape[:depth]], -1).astype(index)
    x = values(rng, [*count, *shape[depth:]], dtype)
    y = np.zeros(shape, dtype)
    for place in np.ndindex(*count):
        where = tuple(at[place])
        with np.errstate(over="ignore"):
            y[where] = y[where] | x[place] if dtype == "bool" else y[where] + x[place]
    tensor, more = index_tensor(at, seed % 2 == 0)
    model = single(
        "SCATTER_ND",
        [tensor, activation(x.shape, dtype), Tensor.constant(shape, index)],
        activation(shape, dtype),
        options("ScatterNd"),
    )
    check(engine, model, [*more, x], [y], False)


def test_scatter_nd_refuses(engine: Engine) -> None:
    """Catches an output of another shape than asked for, updates that do not fit, and writes outside."""

    def model(at: Tensor, x: list[int], shape: Tensor, y: list[int]) -> bytes:
        return single("SCATTER_ND", [at, Tensor(x), shape], Tensor(y), options("ScatterNd"))

    at, shape = Tensor([2, 1], "int32"), Tensor.constant([3, 4])
    assert "not the one asked for" in refusal(engine, model(at, [2, 4], shape, [4, 3]))
    assert "the shape must be" in refusal(engine, model(at, [2, 4], shape, [3, 4, 1]))
    assert "constant" in refusal(engine, model(at, [2, 4], Tensor([2], "int32"), [3, 4]))
    assert "do not fit" in refusal(engine, model(at, [2, 3], shape, [3, 4]))
    assert "outside" in refusal(engine, model(Tensor.constant([[0], [3]]), [2, 4], shape, [3, 4]))
    host = HostModel(engine, model(at, [2, 4], shape, [3, 4]))
    x = np.ones([2, 4], np.float32)
    for wrong in (-1, 3, 1 << 30):
        with pytest.raises(EngineError, match="op 0 SCATTER_ND: an index lies outside"):
            host.invoke([np.int32([[0], [wrong]]), x])
    np.testing.assert_array_equal(host.invoke([np.int32([[2], [2]]), x])[0], [[0] * 4, [0] * 4, [2] * 4])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", TYPES)
def test_where(engine: Engine, dtype: str, seed: int) -> None:
    """Catches coordinates in another order, a -0 that counts, a value of which only the low byte is looked at."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 5)
    x = values(rng, shape, dtype)
    x[rng.random(shape) < 0.4] = 0
    if dtype == "float32":
        x[rng.random(shape) < 0.1] = -0.0
    elif dtype not in ("bool", "int8", "uint8"):
        x[rng.random(shape) < 0.2] = 256
    y = np.argwhere(x).astype(np.int64)
    model = single("WHERE", [activation(shape, dtype)], Tensor(y.shape, "int64"), options("Where"))
    check(engine, model, [x], [y], False)


def test_where_refuses(engine: Engine) -> None:
    """Catches more coordinates than the output has room for, at load and as it runs."""
    assert "must be int64" in refusal(engine, single("WHERE", [Tensor([3, 4])], Tensor([2, 3], "int64")))
    assert "must be int64" in refusal(engine, single("WHERE", [Tensor([3, 4])], Tensor([2, 2], "int32")))
    known = Tensor.constant([1, 0, 1], "bool")
    assert "room for, 1" in refusal(engine, single("WHERE", [known], Tensor([1, 1], "int64")))
    host = HostModel(engine, single("WHERE", [Tensor([3], "bool")], Tensor([2, 1], "int64")))
    for wrong in ([True] * 3, [True, False, False]):
        with pytest.raises(EngineError, match="op 0 WHERE: not as many"):
            host.invoke([np.array(wrong)])
    np.testing.assert_array_equal(host.invoke([np.array([True, False, True])])[0], [[0], [2]])
