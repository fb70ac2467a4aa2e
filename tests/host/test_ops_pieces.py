"""CONCATENATION, PACK, SPLIT, SPLIT_V and UNPACK: a tensor and its pieces along an axis."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine
from builder import Tensor, options, single
from moves import TYPES, activation, check, values
from reference import refusal

# What tflite-micro has.
JOINED = {"float32", "int8", "int16", "int32", "int64"}
PACKED = {"float32", "int8", "int16", "int32", "int64"}
PARTED = {"float32", "int8", "int16", "int32"}
UNPACKED = {"float32", "int8", "int32"}


def cut(rng: draw.Rng, shape: list[int], axis: int) -> list[list[int]]:
    """Shapes of pieces that make up another length of the axis; now and then one is empty."""
    sizes = [0 if rng.random() < 0.1 else int(rng.integers(1, 5)) for _ in range(rng.integers(1, 7))]
    return [[n if i == axis else m for i, m in enumerate(shape)] for n in sizes]


def sign(rng: draw.Rng, axis: int, rank: int) -> int:
    """The axis, or the same counted from the end."""
    return axis - rank if rng.random() < 0.4 else axis


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_concatenation(engine: Engine, dtype: str, seed: int) -> None:
    """Catches pieces in another order, another axis, and runs of a wrong length."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 8 if seed % 4 == 0 else 5))
    axis = int(rng.integers(rank))
    shapes = cut(rng, draw.shape(rng, rank, 4), axis)
    data = [values(rng, s, dtype) for s in shapes]
    joined = np.concatenate(data, axis)
    model = single(
        "CONCATENATION",
        [activation(s, dtype) for s in shapes],
        activation(joined.shape, dtype),
        options("Concatenation", axis=sign(rng, axis, rank)),
    )
    whole = joined.size and all(d.size for d in data)
    check(engine, model, data, [joined], True if dtype in JOINED and rank <= 4 and whole else None)


@pytest.mark.parametrize("dtype", TYPES)
def test_concatenation_of_a_constant_and_of_one_twice(engine: Engine, dtype: str) -> None:
    """Catches a piece that lies in the model, and a tensor that is named twice."""
    rng = np.random.default_rng(0)
    x, c = activation([2, 3], dtype), activation([2, 1], dtype)
    a, c.data = values(rng, [2, 3], dtype), values(rng, [2, 1], dtype)
    model = single("CONCATENATION", [x, c, x], activation([2, 7], dtype), options("Concatenation", axis=1))
    check(engine, model, [a], [np.concatenate([a, c.data, a], 1)])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_pack(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a new axis in another place."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 4)), 4)
    axis = int(rng.integers(len(shape) + 1))
    n = int(rng.integers(1, 5))
    data = [values(rng, shape, dtype) for _ in range(n)]
    packed = np.stack(data, axis)
    fields = options("Pack", axis=sign(rng, axis, len(shape) + 1), valuesCount=n)
    model = single("PACK", [activation(shape, dtype) for _ in data], activation(packed.shape, dtype), fields)
    check(engine, model, data, [packed], True if dtype in PACKED else None)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_split(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a piece that starts elsewhere."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 5))
    axis, n = int(rng.integers(rank)), int(rng.integers(1, 5))
    shape = draw.shape(rng, rank, 4)
    shape[axis] *= n
    x = values(rng, shape, dtype)
    pieces = np.split(x, n, axis)
    model = single(
        "SPLIT",
        [Tensor.constant([sign(rng, axis, rank)]), activation(shape, dtype)],
        [activation(y.shape, dtype) for y in pieces],
        options("Split", numSplits=n),
    )
    check(engine, model, [x], pieces, True if dtype in PARTED else None)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_split_v(engine: Engine, dtype: str, seed: int) -> None:
    """Catches pieces of different lengths that are taken for equal ones."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 5))
    axis = int(rng.integers(rank))
    shapes = cut(rng, draw.shape(rng, rank, 4), axis)
    pieces = [values(rng, s, dtype) for s in shapes]
    x = np.concatenate(pieces, axis)
    sizes = [s[axis] for s in shapes]
    if seed % 3 == 0:
        sizes[int(rng.integers(len(sizes)))] = -1
    model = single(
        "SPLIT_V",
        [activation(x.shape, dtype), Tensor.constant(sizes), Tensor.constant(sign(rng, axis, rank))],
        [activation(y.shape, dtype) for y in pieces],
        options("SplitV", numSplits=len(sizes)),
    )
    whole = all(y.size for y in pieces)
    check(engine, model, [x], pieces, True if dtype in PARTED and whole else None)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_unpack(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a piece taken along another axis, and scalars."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 4)
    axis = int(rng.integers(len(shape)))
    x = values(rng, shape, dtype)
    pieces = [np.take(x, i, axis) for i in range(shape[axis])]
    fields = options("Unpack", axis=sign(rng, axis, len(shape)), num=shape[axis])
    model = single("UNPACK", [activation(shape, dtype)], [activation(y.shape, dtype) for y in pieces], fields)
    check(engine, model, [x], pieces, True if dtype in UNPACKED else None)


def test_concatenation_refuses(engine: Engine) -> None:
    """Catches pieces that do not fit, an axis outside the shape, other types, and bits of another meaning."""
    a, b = Tensor([2, 3]), Tensor([2, 1])

    def says(inputs: list[Tensor], shape: list[int], dtype: str = "float32", **fields: int) -> str:
        return refusal(
            engine, single("CONCATENATION", inputs, Tensor(shape, dtype), options("Concatenation", **fields))
        )

    assert "less than 5" in says([a, b], [2, 5], axis=1)
    assert "more than 3" in says([a, b], [2, 3], axis=1)
    assert "input 1 differs" in says([a, b], [4, 3], axis=0)
    assert "input 0 differs" in says([Tensor([2]), b], [2, 2], axis=1)
    assert "axis 2" in says([a, b], [2, 4], axis=2)
    assert "axis -3" in says([a, b], [2, 4], axis=-3)
    assert "axis 0 of a tensor with 0" in says([Tensor([])], [], axis=0)
    assert "types differ" in says([a, Tensor([2, 1], "int32")], [2, 4], axis=1)
    assert "activation 1" in says([a, b], [2, 4], axis=1, fusedActivationFunction=1)
    q, other, y = Tensor([2], "int8", 0.5, 3), Tensor([2], "int8", 0.25, 3), Tensor([4], "int8", 0.5, 3)
    assert "quantized otherwise" in refusal(engine, single("CONCATENATION", [q, other], y, options("Concatenation")))
    assert "inputs" in refusal(engine, single("CONCATENATION", [], Tensor([0]), options("Concatenation")))


def test_split_refuses(engine: Engine) -> None:
    """Catches an axis that is computed or outside the shape, and pieces that read past the input."""
    x, axis, y = Tensor([4, 2]), Tensor.constant([0]), Tensor([2, 2])
    fields = options("Split", numSplits=2)
    assert "less than 4" in refusal(engine, single("SPLIT", [axis, x], [y], fields))
    assert "more than 4" in refusal(engine, single("SPLIT", [axis, x], [y, Tensor([3, 2])], fields))
    assert "output 1 differs" in refusal(engine, single("SPLIT", [axis, x], [y, Tensor([2, 3])], fields))
    assert "constant" in refusal(engine, single("SPLIT", [Tensor([1], "int32"), x], [y, Tensor([2, 2])], fields))
    for wrong in (2, -3, 1 << 30):
        model = single("SPLIT", [Tensor.constant([wrong]), x], [y, Tensor([2, 2])], fields)
        assert f"axis {wrong}" in refusal(engine, model)
    assert "int32" in refusal(engine, single("SPLIT", [Tensor.constant([0, 0]), x], [y, Tensor([2, 2])], fields))
    sizes = Tensor.constant([1, 3])
    model = single("SPLIT_V", [x, sizes, axis], [y, Tensor([2, 2])], options("SplitV", numSplits=2))
    assert "the sizes say 1" in refusal(engine, model)
    assert "less than" in refusal(engine, single("UNPACK", [x], [Tensor([2])], options("Unpack", num=1)))
    assert "output 0 differs" in refusal(engine, single("UNPACK", [x], [Tensor([2, 1])] * 1, options("Unpack", num=1)))
