"""TRANSPOSE, SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine
from builder import Tensor, options, single
from moves import TYPES, Array, activation, check, values
from reference import refusal

# What tflite-micro has.
TRANSPOSED = {"float32", "int8", "int16"}
BLOCKS = {"float32", "int8"}


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("dtype", TYPES)
def test_transpose(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a permutation that is taken for its inverse, and dimensions that are joined though they part."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 7)), 5)
    perm = [int(i) for i in rng.permutation(len(shape))]
    x = values(rng, shape, dtype)
    y = np.ascontiguousarray(x.transpose(perm))
    index = "int64" if seed % 5 == 4 else "int32"
    model = single(
        "TRANSPOSE",
        [activation(shape, dtype), Tensor.constant(perm, index)],
        activation(y.shape, dtype),
        options("Transpose"),
    )
    micro = (dtype in TRANSPOSED and len(shape) < 6) or None
    check(engine, model, [x], [y], micro if index == "int32" else False)  # it reads an int64 permutation as int32


def test_transpose_of_eight_dimensions(engine: Engine) -> None:
    """Catches dimensions that are left out, and an axis counted from the end (the reference is numpy)."""
    perm = [7, 0, 6, 1, 5, 2, 4, 3]
    x = values(np.random.default_rng(8), [2, 3, 2, 1, 2, 3, 2, 2], "int8")
    y = np.ascontiguousarray(x.transpose(perm))
    inputs = [activation(x.shape, "int8"), Tensor.constant([-1, *perm[1:]])]
    check(engine, single("TRANSPOSE", inputs, activation(y.shape, "int8"), options("Transpose")), [x], [y], False)


@pytest.mark.parametrize("perm", [[0, 0, 1], [0, 1, 3], [0, 1, -4], [0, 1], [1, 0, 2], [2, 1, 0], [0, 1, 2, 3]])
def test_transpose_refuses(engine: Engine, perm: list[int]) -> None:
    """Catches what is no permutation, or does not give the output's shape."""
    model = single("TRANSPOSE", [Tensor([2, 3, 4]), Tensor.constant(perm)], Tensor([2, 4, 3]), options("Transpose"))
    said = refusal(engine, model)
    assert "permutation" in said or "axis" in said


def test_transpose_refuses_what_is_computed(engine: Engine) -> None:
    """Catches a permutation that is trusted before it is known."""
    model = single("TRANSPOSE", [Tensor([2, 3]), Tensor([2], "int32")], Tensor([3, 2]), options("Transpose"))
    assert "constant" in refusal(engine, model)


def space_to_depth(x: Array, block: int) -> Array:
    """Rows before columns, columns before channels."""
    b, h, w, c = x.shape
    parts = x.reshape(b, h // block, block, w // block, block, c).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(parts.reshape(b, h // block, w // block, block * block * c))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_depth_and_space(engine: Engine, dtype: str, seed: int) -> None:
    """Catches rows and columns of a block exchanged, either way."""
    rng = np.random.default_rng(seed)
    block = int(rng.integers(1, 5))
    b, h, w, c = draw.shape(rng, 4, 4)
    space = values(rng, [b, h * block, w * block, c], dtype)
    depth = space_to_depth(space, block)
    near, far = (activation(a.shape, dtype) for a in (space, depth))
    micro = dtype in BLOCKS or None
    check(
        engine,
        single("SPACE_TO_DEPTH", [near], far, options("SpaceToDepth", blockSize=block)),
        [space],
        [depth],
        micro,
    )
    check(
        engine,
        single("DEPTH_TO_SPACE", [far], near, options("DepthToSpace", blockSize=block)),
        [depth],
        [space],
        micro,
    )


@pytest.mark.parametrize("block", [0, -1, 2, 3, 1 << 30, -(1 << 31)])
def test_depth_and_space_refuse(engine: Engine, block: int) -> None:
    """Catches a block that the shapes are not made of."""
    x, y = Tensor([1, 2, 2, 2]), Tensor([1, 1, 1, 2])
    assert "block" in refusal(engine, single("SPACE_TO_DEPTH", [x], y, options("SpaceToDepth", blockSize=block)))
    assert "block" in refusal(engine, single("DEPTH_TO_SPACE", [y], x, options("DepthToSpace", blockSize=block)))
    model = single("SPACE_TO_DEPTH", [Tensor([2, 2, 1])], Tensor([1, 1, 4]), options("SpaceToDepth", blockSize=block))
    assert "block" in refusal(engine, model)


def to_batches(x: Array, block: list[int], pads: list[list[int]], fill: int) -> Array:
    """SPACE_TO_BATCH_ND, of one or two spatial dimensions."""
    n = len(block)
    padded = np.pad(x, [[0, 0], *pads, [0, 0]], constant_values=fill)
    b, c = x.shape[0], x.shape[-1]
    sizes = [m // k for m, k in zip(padded.shape[1:-1], block, strict=True)]
    split = [b] + [d for m, k in zip(sizes, block, strict=True) for d in (m, k)] + [c]
    order = [2 * i + 2 for i in range(n)] + [0] + [2 * i + 1 for i in range(n)] + [2 * n + 1]
    return np.ascontiguousarray(padded.reshape(split).transpose(order).reshape([b * int(np.prod(block)), *sizes, c]))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dtype", TYPES)
def test_batches_and_space(engine: Engine, dtype: str, seed: int) -> None:
    """Catches padding of another value or on another side, crops, and places in the block exchanged."""
    rng = np.random.default_rng(seed)
    n = 1 if seed % 4 == 3 else 2
    shape = draw.shape(rng, 2 + n, 5)
    block = [int(k) for k in rng.integers(1, 4, n)]
    pads = []
    for i, k in enumerate(block, 1):
        if seed % 2:
            shape[i] *= k
            pads.append([0, 0])
        else:
            before = int(rng.integers(0, 4))
            pads.append([before, -(shape[i] + before) % k + k * int(rng.integers(0, 2))])
    space = values(rng, shape, dtype)
    near = activation(shape, dtype)
    batches = to_batches(space, block, pads, near.zero_point)
    far = activation(batches.shape, dtype)
    more = [Tensor.constant(block), Tensor.constant(pads)]
    micro = dtype in BLOCKS or None
    check(
        engine,
        single("SPACE_TO_BATCH_ND", [near, *more], far, options("SpaceToBatchND")),
        [space],
        [batches],
        False if np.any(pads) else micro,  # its padding is memory that nobody has set; LiteRT takes the zero point
    )
    check(
        engine,
        single("BATCH_TO_SPACE_ND", [far, *more], near, options("BatchToSpaceND")),
        [batches],
        [space],
        micro,
    )


def test_batches_and_space_refuse(engine: Engine) -> None:
    """Catches blocks and paddings that the shapes are not made of, and numbers whose sums pass 32 bits."""

    def says(
        block: list[int], pads: list[list[int]], x: list[int], y: list[int], name: str = "SPACE_TO_BATCH_ND"
    ) -> str:
        inputs = [Tensor(x), Tensor.constant(block), Tensor.constant(pads)]
        return refusal(engine, single(name, inputs, Tensor(y)))

    none = [[0, 0], [0, 0]]
    assert "blocks of 2 by 2" in says([2, 2], none, [1, 4, 4, 1], [4, 2, 1, 1])
    assert "blocks of 2 by 2" in says([2, 2], none, [1, 4, 4, 1], [3, 2, 2, 1])
    assert "blocks of 2 by 2" in says([2, 2], none, [1, 4, 4, 1], [4, 2, 2, 2])
    assert "blocks of 2 by 2" in says([2, 2], [[1, 0], [0, 0]], [1, 4, 4, 1], [4, 2, 2, 1])
    assert "negative" in says([2, 0], none, [1, 4, 4, 1], [4, 2, 2, 1])
    assert "negative" in says([2, 2], [[-2, 2], [0, 0]], [1, 4, 4, 1], [4, 2, 2, 1])
    assert "negative" in says([2, 2], [[2, -2], [0, 0]], [1, 4, 4, 1], [4, 2, 2, 1])
    assert "negative" in says([2, 2], [[1 << 30, 1 << 30], [0, 0]], [1, 4, 4, 1], [4, 2, 2, 1])
    assert "dimensions" in says([2], [[0, 0]], [4, 4], [8, 2])
    assert "and 2" in says([2], none, [1, 4, 4, 1], [4, 2, 2, 1])
    assert "blocks of 2 by 2" in says([2, 2], none, [3, 2, 2, 1], [1, 4, 4, 1], "BATCH_TO_SPACE_ND")


def test_blocks_of_nothing(engine: Engine) -> None:
    """Catches a walk through a huge block where there is nothing to move."""
    inputs = [Tensor([0, 4, 4, 1]), Tensor.constant([32767, 32767]), Tensor.constant([[32763, 0], [32763, 0]])]
    model = single("SPACE_TO_BATCH_ND", inputs, Tensor([0, 1, 1, 1]))
    empty = np.empty([0, 4, 4, 1], np.float32)
    check(engine, model, [empty], [np.empty([0, 1, 1, 1], np.float32)], False)
