"""EXPAND_DIMS, SQUEEZE, SHAPE, BROADCAST_ARGS, FILL, ZEROS_LIKE, BROADCAST_TO, TILE and RANGE."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Op, Tensor, build, options, single
from moves import TYPES, Array, activation, check, values
from reference import refusal

# What tflite-micro has.
EXPANDED = {"float32", "int8", "int16"}
FILLED = {"float32", "int8", "int32"}
ZEROED = {"float32", "int32", "int64"}


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_expand_dims(engine: Engine, dtype: str, seed: int) -> None:
    """Catches data that is moved wrongly, and an axis counted from the wrong end."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    x = values(rng, shape, dtype)
    y = np.expand_dims(x, axis)
    inputs = [activation(shape, dtype), Tensor.constant([axis])]
    model = single("EXPAND_DIMS", inputs, activation(y.shape, dtype), options("ExpandDims"))
    check(engine, model, [x], [y], dtype in EXPANDED or None)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_squeeze(engine: Engine, dtype: str, seed: int) -> None:
    """Catches axes that are not those named, and none named taken for none at all."""
    rng = np.random.default_rng(seed)
    shape = [1 if rng.random() < 0.5 else int(n) for n in rng.integers(2, 5, rng.integers(1, 7))]
    ones = [i for i, n in enumerate(shape) if n == 1]
    axes = [i for i in ones if rng.random() < 0.5]
    x = values(rng, shape, dtype)
    y = x.squeeze(tuple(axes or ones))
    named = [a - len(shape) if rng.random() < 0.4 else a for a in axes]
    model = single(
        "SQUEEZE", [activation(shape, dtype)], activation(y.shape, dtype), options("Squeeze", squeezeDims=named)
    )
    check(engine, model, [x], [np.asarray(y)])


def test_views_in_place_spare_what_is_needed_later(engine: Engine) -> None:
    """Catches an output laid over an input that another operator, or the caller, still reads."""
    x, wide, back, y = Tensor([2, 3]), Tensor([2, 1, 3]), Tensor([2, 3]), Tensor([2, 3])
    ops = [
        Op("EXPAND_DIMS", [x, Tensor.constant([1])], [wide], options("ExpandDims")),
        Op("SQUEEZE", [wide], [back], options("Squeeze")),
        Op("ADD", [x, back], [y], options("Add")),
    ]
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    check(engine, build(ops, outputs=[wide, y, back]), [data], [data[:, None], data + data, data])


def test_views_refuse(engine: Engine) -> None:
    """Catches another shape with as many elements, and axes that are computed or not of 1."""
    x, axis = Tensor([2, 1, 3]), Tensor.constant([0])
    assert "with a 1 at 0" in refusal(engine, single("EXPAND_DIMS", [x, axis], Tensor([2, 1, 1, 3])))
    assert "with a 1 at 0" in refusal(engine, single("EXPAND_DIMS", [x, axis], Tensor([1, 2, 3])))
    assert "with a 1 at 0" in refusal(engine, single("EXPAND_DIMS", [x, axis], Tensor([1, 3, 1, 2])))
    assert "axis 4" in refusal(engine, single("EXPAND_DIMS", [x, Tensor.constant([4])], Tensor([2, 1, 3, 1])))
    assert "constant" in refusal(engine, single("EXPAND_DIMS", [x, Tensor([1], "int32")], Tensor([1, 2, 1, 3])))
    for axes, shape in (([0], [1, 3]), ([1], [3, 2]), ([], [2, 1, 3]), ([1], [2, 3, 1]), ([-3], [1, 3])):
        model = single("SQUEEZE", [x], Tensor(shape), options("Squeeze", squeezeDims=axes))
        assert "without the axes" in refusal(engine, model)
    assert "axis 3" in refusal(engine, single("SQUEEZE", [x], Tensor([2, 3]), options("Squeeze", squeezeDims=[3])))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rank", range(9))
@pytest.mark.parametrize("index", ["int32", "int64"])
def test_shape(engine: Engine, index: str, rank: int, seed: int) -> None:
    """Catches a dimension that is left out, or written at another width."""
    rng = np.random.default_rng([rank, seed])
    shape = draw.shape(rng, rank, 4)
    wanted = np.asarray(shape, index)
    model = single(
        "SHAPE", [Tensor(shape)], Tensor([rank], index), options("Shape", outType=2 if index == "int32" else 4)
    )
    micro = True if index == "int32" and rank else False if rank == 0 else None
    check(engine, model, [values(rng, shape, "float32")], [wanted], micro)


def test_shape_refuses(engine: Engine) -> None:
    """Catches an output that is too short or too narrow for what is written."""
    for y in (Tensor([1], "int32"), Tensor([3], "int32"), Tensor([2]), Tensor([2], "int8")):
        assert "the output must be" in refusal(engine, single("SHAPE", [Tensor([2, 3])], y, options("Shape")))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("index", ["int32", "int64"])
def test_broadcast_args(engine: Engine, index: str, seed: int) -> None:
    """Catches shapes that are aligned at the wrong end, and a 1 that wins."""
    rng = np.random.default_rng(seed)
    whole = draw.shape(rng, int(rng.integers(1, 7)), 9)
    a = [1 if rng.random() < 0.3 else n for n in whole]
    b = [1 if rng.random() < 0.3 and n == m else m for n, m in zip(a, whole, strict=True)]
    b = b[int(rng.integers(0, len(b))) :]
    pair = [np.asarray(s, index) for s in ((a, b) if seed % 2 else (b, a))]
    wanted = np.asarray(np.broadcast_shapes(a, b), index)
    model = single("BROADCAST_ARGS", [Tensor([len(s)], index) for s in pair], Tensor([len(wanted)], index))
    check(engine, model, pair, [wanted], True)


def test_broadcast_args_refuses(engine: Engine) -> None:
    """Catches shapes that do not broadcast as they come, and an output that is too short."""
    two, three = Tensor([2], "int32"), Tensor([3], "int32")
    assert "the output as long" in refusal(engine, single("BROADCAST_ARGS", [two, three], Tensor([2], "int32")))
    assert "int32 or int64" in refusal(engine, single("BROADCAST_ARGS", [Tensor([2])] * 2, Tensor([2])))
    model = HostModel(engine, single("BROADCAST_ARGS", [two, three], Tensor([3], "int32")))
    with pytest.raises(EngineError, match="op 0 BROADCAST_ARGS: shapes do not broadcast: 3 and 4"):
        model.invoke([np.int32([3, 2]), np.int32([5, 4, 2])])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_fill(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a value of another width, and a shape that is not looked at."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)), 5)
    value = values(rng, [], dtype)
    index = "int64" if seed % 3 == 1 else "int32"
    known = seed % 4 != 3
    dims = Tensor.constant(shape, index) if known else Tensor([len(shape)], index)
    model = single("FILL", [dims, activation([], dtype)], activation(shape, dtype), options("Fill"))
    inputs = [value] if known else [np.asarray(shape, index), value]
    check(engine, model, inputs, [np.full(shape, value, dtype)], (known and dtype in FILLED) or None)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_zeros_like(engine: Engine, dtype: str, seed: int) -> None:
    """Catches what is left of the arena's bytes. A quantized tensor gets zeros, too, and not its zero point."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)), 5)
    model = single("ZEROS_LIKE", [activation(shape, dtype)], activation(shape, dtype), options("ZerosLike"))
    check(engine, model, [values(rng, shape, dtype)], [np.zeros(shape, dtype)], dtype in ZEROED or None)


def wide(rng: draw.Rng, shape: list[int]) -> list[int]:
    """What a shape can be broadcast to."""
    more = draw.shape(rng, int(rng.integers(0, 6 - len(shape))), 3)
    return more + [int(rng.integers(1, 5)) if n == 1 else n for n in shape]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("dtype", TYPES)
def test_broadcast_to(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a dimension that is repeated though it has more than 1, and shapes aligned at the wrong end."""
    rng = np.random.default_rng(seed)
    small = [1 if rng.random() < 0.4 else n for n in draw.shape(rng, int(rng.integers(1, 6)), 4)]
    shape = wide(rng, small)
    index = "int64" if seed % 3 == 1 else "int32"
    x = values(rng, small, dtype)
    inputs = [activation(small, dtype), Tensor.constant(shape, index)]
    model = single("BROADCAST_TO", inputs, activation(shape, dtype), options("BroadcastTo"))
    check(engine, model, [x], [np.broadcast_to(x, shape)], True)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("dtype", TYPES)
def test_tile(engine: Engine, dtype: str, seed: int) -> None:
    """Catches elements that are repeated one by one instead of as a whole (the reference is numpy)."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 9 if seed % 5 == 0 else 5)), 3)
    times = [int(n) for n in rng.integers(0 if seed % 7 == 6 else 1, 3, len(shape))]
    x = values(rng, shape, dtype)
    y = np.tile(x, times)
    index = "int64" if seed % 3 == 1 else "int32"
    inputs = [activation(shape, dtype), Tensor.constant(times, index)]
    check(engine, single("TILE", inputs, activation(y.shape, dtype), options("Tile")), [x], [y])


def test_makers_refuse(engine: Engine) -> None:
    """Catches shapes that are not the output's, more than one value, and multiples that are computed."""
    shape, y = Tensor.constant([2, 3]), Tensor([2, 3])
    for wrong in (
        Tensor.constant([3, 2]),
        Tensor.constant([2]),
        Tensor.constant([2, 3], "int16"),
        Tensor([3], "int32"),
    ):
        assert "asked for" in refusal(engine, single("FILL", [wrong, Tensor([])], y, options("Fill")))
        assert "asked for" in refusal(engine, single("BROADCAST_TO", [Tensor([3]), wrong], y, options("BroadcastTo")))
    assert "one value" in refusal(engine, single("FILL", [shape, Tensor([2])], y, options("Fill")))
    assert "broadcast" in refusal(engine, single("BROADCAST_TO", [Tensor([2]), shape], y, options("BroadcastTo")))
    assert "fewer" in refusal(engine, single("BROADCAST_TO", [Tensor([1, 2, 3]), shape], y, options("BroadcastTo")))
    assert "shape" in refusal(engine, single("ZEROS_LIKE", [Tensor([3, 2])], y, options("ZerosLike")))
    x = Tensor([2, 3])
    assert "constant" in refusal(engine, single("TILE", [x, Tensor([2], "int32")], Tensor([4, 3]), options("Tile")))
    for times in ([1, 1], [-2, 1], [1 << 30, 1 << 30]):
        model = single("TILE", [x, Tensor.constant(times)], Tensor([4, 3]), options("Tile"))
        assert "is not the output's" in refusal(engine, model)


def ranged(bounds: list[float], n: int, dtype: str, known: bool) -> tuple[bytes, list[Array]]:
    """A model of one RANGE, and its inputs."""
    data = [np.asarray(b, dtype) for b in bounds]
    inputs = [Tensor([], dtype, data=d if known else None) for d in data]
    return single("RANGE", inputs, Tensor([n], dtype), options("Range")), [] if known else data


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_range(engine: Engine, dtype: str, seed: int) -> None:
    """Catches an end that is included, a step that is negative, and roundings that do not add up as in LiteRT."""
    rng = np.random.default_rng(seed)
    start, n = int(rng.integers(-50, 50)), int(rng.integers(0, 20))
    delta = int(rng.choice([-7, -2, -1, 1, 3, 10]))
    limit = start + delta * n - (int(np.sign(delta)) * int(rng.integers(0, abs(delta))) if n else 0)
    bounds: list[float] = [start, limit, delta]
    wanted = np.arange(start, limit, delta).astype(dtype)
    if dtype == "float32":
        bounds = [b * 0.5 for b in bounds]
        wanted = wanted * np.float32(0.5)
    model, inputs = ranged(bounds, n, dtype, seed % 2 == 0)
    check(engine, model, inputs, [wanted], False)


def test_range_adds_up(engine: Engine) -> None:
    """Catches a float that is multiplied where LiteRT adds."""
    wanted = np.add.accumulate(np.full(100, 0.1, np.float32)) - np.float32(0)
    model, _ = ranged([wanted[0], 10.05, 0.1], 100, "float32", True)
    check(engine, model, [], [wanted], False)


LOW, HIGH = -(1 << 63), (1 << 63) - 1


@pytest.mark.parametrize(
    ("bounds", "dtype"),
    [
        ([0, 10, 0], "int32"),
        ([0, 10, -1], "int32"),
        ([10, 0, 1], "int32"),
        ([0, 5, 2], "int32"),
        ([LOW, HIGH, 1], "int64"),
        ([HIGH, LOW, -1], "int64"),
        ([0, 1, 0], "float32"),
        ([0, 0, 0], "float32"),
        ([0, np.nan, 1], "float32"),
        ([0, np.inf, 1], "float32"),
        ([0, 1, -1], "float32"),
    ],
)
def test_range_refuses(engine: Engine, bounds: list[float], dtype: str) -> None:
    """Catches steps that never arrive, or more of them than there is room for: at load, or as they come."""
    model, _ = ranged(bounds, 2, dtype, True)
    assert "do not give 2" in refusal(engine, model)
    model, inputs = ranged(bounds, 2, dtype, False)
    with pytest.raises(EngineError, match=r"op 0 RANGE: .* do not give 2"):
        HostModel(engine, model).invoke(inputs)


def test_range_at_the_ends_of_int64(engine: Engine) -> None:
    """Catches differences that pass 64 bits (the sanitizers' build sees it)."""
    model, _ = ranged([LOW, HIGH, HIGH], 3, "int64", True)
    check(engine, model, [], [np.int64([LOW, -1, HIGH - 1])], False)
