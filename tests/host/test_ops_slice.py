"""SLICE, STRIDED_SLICE, REVERSE_V2 and DYNAMIC_UPDATE_SLICE: windows of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Tensor, options, single
from moves import TYPES, activation, check, values
from reference import refusal

# What tflite-micro has.
SLICED = {"float32", "int8", "int16", "int32", "bool"}
STRIDED = {"float32", "int8", "int16", "int32", "bool"}
REVERSED = {"float32", "int8", "int16", "int32", "int64", "uint8", "bool"}
UPDATED = {"float32", "int8", "int32"}


def draw_window(rng: draw.Rng, shape: list[int]) -> tuple[list[int], list[int]]:
    """Where a window begins, and its size."""
    size = [int(rng.integers(1, n + 1)) for n in shape]
    return [int(rng.integers(0, n - m + 1)) for n, m in zip(shape, size, strict=True)], size


def part(x: Any, begin: list[int], size: list[int]) -> Any:
    """The window of an array."""
    return x[tuple(slice(b, b + n) for b, n in zip(begin, size, strict=True))]


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_slice(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a window in another place, a -1 that is taken for a size, indices of another width, or known too late."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)))
    begin, size = draw_window(rng, shape)
    x = values(rng, shape, dtype)
    y = part(x, begin, size)
    index = "int64" if seed % 4 == 1 else "int32"
    said = [-1 if b + n == m and rng.random() < 0.5 else n for b, n, m in zip(begin, size, shape, strict=True)]
    if seed % 3:
        where, inputs = [Tensor.constant(begin, index), Tensor.constant(said, index)], [x]
    else:
        where = [Tensor([len(shape)], index), Tensor([len(shape)], index)]
        inputs = [x, np.asarray(begin, index), np.asarray(said, index)]
    model = single("SLICE", [activation(shape, dtype), *where], activation(y.shape, dtype), options("Slice"))
    check(engine, model, inputs, [y], dtype in SLICED or None)


@pytest.mark.parametrize("begin", [[-1, 0], [2, 0], [0, 3], [1 << 30, 0], [-(1 << 31), 0]])
@pytest.mark.parametrize("known", [True, False])
def test_slice_refuses_a_window_outside(engine: Engine, begin: list[int], known: bool) -> None:
    """Catches a window that leaves the tensor, whether that shows at load or as it runs."""
    x, y, size = Tensor([3, 4]), Tensor([2, 2]), Tensor.constant([2, 2])
    if known:
        assert "window" in refusal(engine, single("SLICE", [x, Tensor.constant(begin), size], y, options("Slice")))
        return
    model = HostModel(engine, single("SLICE", [x, Tensor([2], "int32"), size], y, options("Slice")))
    data = np.arange(12, dtype=np.float32).reshape(3, 4)
    with pytest.raises(EngineError, match="op 0 SLICE: begin"):
        model.invoke([data, np.int32(begin)])
    np.testing.assert_array_equal(model.invoke([data, np.int32([1, 2])])[0], data[1:, 2:])


def test_slice_refuses(engine: Engine) -> None:
    """Catches sizes that are not the output's, and windows of another rank or larger than the tensor."""
    x, y, begin, size = Tensor([3, 4]), Tensor([2, 2]), Tensor.constant([0, 0]), Tensor.constant([2, 2])
    for wrong in ([2, 3], [-1, 2], [-2, 2], [0, 0]):
        model = single("SLICE", [x, begin, Tensor.constant(wrong)], y, options("Slice"))
        assert "window" in refusal(engine, model)
    assert "3 dimensions" in refusal(engine, single("SLICE", [x, begin, size], Tensor([2, 2, 1]), options("Slice")))
    assert "a window of 4 in a tensor of 3" in refusal(
        engine, single("SLICE", [x, begin, size], Tensor([4, 2]), options("Slice"))
    )
    assert "input 1" in refusal(engine, single("SLICE", [x, Tensor.constant([0]), size], y, options("Slice")))
    other = Tensor.constant([2, 2], "int64")
    assert "types" in refusal(engine, single("SLICE", [x, begin, other], y, options("Slice")))
    assert "output int8" in refusal(engine, single("SLICE", [x, begin, size], Tensor([2, 2], "int8"), options("Slice")))


def draw_entry(rng: draw.Rng, n: int) -> slice:
    """What Python writes as begin:end:stride, inside and outside of n elements."""
    ends = [None if rng.random() < 0.25 else int(rng.integers(-n - 3, n + 4)) for _ in range(2)]
    stride = int(rng.choice([1, 1, 2, 3, 9, -1, -1, -2, -3, -9]))
    return slice(ends[0], ends[1], stride)


def spec(entries: list[Any]) -> tuple[list[Tensor], Any]:
    """The operator's inputs and options for an index as numpy takes it."""
    begin, end, strides = [], [], []
    masks = dict.fromkeys(("beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask"), 0)
    for i, e in enumerate(entries):
        s = e if isinstance(e, slice) else slice(0, 0, 1)
        if e is Ellipsis:
            masks["ellipsisMask"] |= 1 << i
        elif e is None:
            masks["newAxisMask"] |= 1 << i
        elif isinstance(e, int):
            masks["shrinkAxisMask"] |= 1 << i
            s = slice(e, e + 1, 1)
        else:
            masks["beginMask"] |= (s.start is None) << i
            masks["endMask"] |= (s.stop is None) << i
        begin.append(s.start or 0)
        end.append(s.stop or 0)
        strides.append(s.step or 1)
    return [Tensor.constant(v) for v in (begin, end, strides)], options("StridedSlice", **masks)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", TYPES)
def test_strided_slice(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a stride, a negative one, an end that is cut, a mask, an axis that is dropped."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)))
    entries: list[Any] = [int(rng.integers(-n, n)) if rng.random() < 0.2 else draw_entry(rng, n) for n in shape]
    x = values(rng, shape, dtype)
    y = x[tuple(entries)]
    where, fields = spec(entries)
    model = single("STRIDED_SLICE", [activation(shape, dtype), *where], activation(y.shape, dtype), fields)
    check(engine, model, [x], [y], True if dtype in STRIDED and y.size else None)


@pytest.mark.parametrize(
    "entries",
    [
        [...],
        [..., 1],
        [1, ..., slice(None, None, -1)],
        [None, ..., None],
        [slice(1, 3), None, 2, ...],
        [None, -1, None, slice(0, 2), ..., None],
        [..., slice(None), slice(None), slice(None), slice(None)],
        [1, 2, 3, ..., 0],
        [None, None, None, None, 1, 1, 1, 1],
        [slice(2)],
        [1],
    ],
)
def test_strided_slice_with_new_axes_and_an_ellipsis(engine: Engine, entries: list[Any]) -> None:
    """Catches what tflite-micro lacks and LiteRT has: an ellipsis and new axes (the reference is numpy)."""
    shape = [3, 4, 5, 2]
    x = values(np.random.default_rng(1), shape, "int16")
    y = x[tuple(entries)]
    where, fields = spec(entries)
    model = single("STRIDED_SLICE", [activation(shape, "int16"), *where], activation(y.shape, "int16"), fields)
    check(engine, model, [x], [np.asarray(y)], False)


def test_strided_slice_with_an_offset(engine: Engine) -> None:
    """Catches ends that count from the beginning (option offset) and are taken as they stand."""
    x = np.arange(10, dtype=np.float32)
    where = [Tensor.constant([v]) for v in (3, 4, 2)]
    model = single("STRIDED_SLICE", [Tensor([10]), *where], Tensor([2]), options("StridedSlice", offset=True))
    check(engine, model, [x], [x[3:7:2]], False)


def strided(begin: list[int], end: list[int], strides: list[int], shape: list[int], **masks: int) -> bytes:
    """A model of one STRIDED_SLICE of a tensor of 3 by 4."""
    where = [Tensor.constant(v) for v in (begin, end, strides)]
    return single("STRIDED_SLICE", [Tensor([3, 4]), *where], Tensor(shape), options("StridedSlice", **masks))


LOW, HIGH = -(1 << 31), (1 << 31) - 1


@pytest.mark.parametrize(
    "model",
    [
        strided([0, 0], [3, 4], [0, 1], [3, 4]),
        strided([0, 0], [3, 4], [1, 1], [3, 3]),
        strided([0, 0], [3, 4], [1, 1], [3]),
        strided([0, 0], [3, 4], [1, 1], [3, 4, 1]),
        strided([3, 0], [4, 4], [1, 1], [4], shrinkAxisMask=1),
        strided([HIGH, 0], [HIGH, 4], [1, 1], [4], shrinkAxisMask=1),
        strided([0, 0], [1, 4], [-1, 1], [4], shrinkAxisMask=1),
        strided([0, 0, 0], [3, 4, 1], [1, 1, 1], [3, 4, 1]),
        strided([LOW, LOW], [HIGH, HIGH], [1, 1], [3, 5]),
        strided([0, 0], [3, 4], [LOW, LOW], [3, 4]),
    ],
)
def test_strided_slice_refuses(engine: Engine, model: bytes) -> None:
    """Catches a stride of 0, shapes that are not what is asked for, and an index outside the tensor."""
    assert "do not give" in refusal(engine, model)


def test_strided_slice_at_the_ends_of_int32(engine: Engine) -> None:
    """Catches sums of begin, end and stride that pass 32 bits (the sanitizers' build sees it)."""
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    check(engine, strided([LOW, HIGH], [HIGH, LOW], [HIGH, LOW], [1, 1]), [x], [x[:1, 3:]], False)
    check(engine, strided([LOW, HIGH], [HIGH, LOW], [2, -1], [2, 4]), [x], [x[::2, ::-1]], False)


def test_strided_slice_refuses_inputs(engine: Engine) -> None:
    """Catches entries that are computed, of different numbers or too many."""
    x, y, two, one = Tensor([3, 4]), Tensor([3, 4]), Tensor.constant([1, 1]), Tensor.constant([1])
    fields = options("StridedSlice")
    assert "end must be" in refusal(engine, single("STRIDED_SLICE", [x, two, one, two], y, fields))
    assert "constant" in refusal(engine, single("STRIDED_SLICE", [x, two, Tensor([2], "int32"), two], y, fields))
    many = Tensor.constant([0] * 17)
    assert "16" in refusal(engine, single("STRIDED_SLICE", [x, many, many, many], y, fields))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_reverse(engine: Engine, dtype: str, seed: int) -> None:
    """Catches another axis reversed, and elements that are reversed inside."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)))
    first = int(rng.integers(len(shape)))
    axes = list(range(first, int(rng.integers(first, len(shape))) + 1))
    if seed % 4 == 3:
        axes = [int(a) for a in rng.permutation(len(shape))[:2]]
    beside = axes == list(range(axes[0], axes[-1] + 1))
    x = values(rng, shape, dtype)
    signed = [a - len(shape) if rng.random() < 0.3 else a for a in axes]
    model = single(
        "REVERSE_V2",
        [activation(shape, dtype), Tensor.constant(signed)],
        activation(shape, dtype),
        options("ReverseV2"),
    )
    micro = True if dtype in REVERSED and beside else None
    check(engine, model, [x], [np.flip(x, axes)], micro)


def test_reverse_refuses(engine: Engine) -> None:
    """Catches axes that are computed, outside the shape or too many."""
    x, fields = Tensor([3, 4]), options("ReverseV2")
    assert "axis 2" in refusal(engine, single("REVERSE_V2", [x, Tensor.constant([2])], Tensor([3, 4]), fields))
    assert "constant" in refusal(engine, single("REVERSE_V2", [x, Tensor([1], "int32")], Tensor([3, 4]), fields))
    assert "more axes" in refusal(engine, single("REVERSE_V2", [x, Tensor.constant([0] * 3)], Tensor([3, 4]), fields))
    assert "shape" in refusal(engine, single("REVERSE_V2", [x, Tensor.constant([0])], Tensor([4, 3]), fields))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_dynamic_update_slice(engine: Engine, dtype: str, seed: int) -> None:
    """Catches an update in another place, and one that is not moved to where it fits."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)))
    begin, size = draw_window(rng, shape)
    x, update = values(rng, shape, dtype), values(rng, size, dtype)
    y = x.copy()
    part(y, begin, size)[...] = update
    index = "int64" if seed % 4 == 1 else "int32"
    far = [int(rng.choice([-7, -(1 << 31)])) if b == 0 and rng.random() < 0.3 else b for b in begin]
    for i, b in enumerate(begin):
        if b and b + size[i] == shape[i] and rng.random() < 0.3:
            far[i] = (1 << 31) - 1
    known = seed % 3 == 0
    where = Tensor.constant(far, index) if known else Tensor([len(shape)], index)
    model = single(
        "DYNAMIC_UPDATE_SLICE",
        [activation(shape, dtype), activation(size, dtype), where],
        activation(shape, dtype),
        options("DynamicUpdateSlice"),
    )
    inputs = [x, update] if known else [x, update, np.asarray(far, index)]
    check(engine, model, inputs, [y], dtype in UPDATED or None)


def test_dynamic_update_slice_refuses(engine: Engine) -> None:
    """Catches an update that is larger than the tensor, and indices that are not one a dimension."""

    def says(update: Tensor, begin: Tensor, y: Tensor) -> str:
        inputs = [Tensor([3, 4]), update, begin]
        return refusal(engine, single("DYNAMIC_UPDATE_SLICE", inputs, y, options("DynamicUpdateSlice")))

    begin, y = Tensor([2], "int32"), Tensor([3, 4])
    assert "a window of 5 in a tensor of 4" in says(Tensor([3, 5]), begin, y)
    assert "a window of 1 dimensions" in says(Tensor([3]), begin, y)
    assert "input 2" in says(Tensor([1, 1]), Tensor([1], "int32"), y)
    assert "input 2" in says(Tensor([1, 1]), Tensor([2], "int16"), y)
    assert "another type" in says(Tensor([1, 1], "int32"), begin, y)
    assert "another shape" in says(Tensor([1, 1]), begin, Tensor([4, 3]))
