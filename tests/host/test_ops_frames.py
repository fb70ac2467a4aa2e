"""PAD in front of a convolution, which then makes up the zeros by itself: against tflite-micro."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

import draw
from arenite import repack
from arenite.engine import Engine, HostModel
from builder import SAME, VALID, Array, Op, Tensor, build, options
from reference import same
from test_ops_conv import (
    CLOSE,
    COLUMNS,
    TYPES,
    activation,
    columns_conv_2d,
    conv_2d,
    deep_conv_2d,
    depthwise_3x3,
    depthwise_conv_2d,
    depthwise_one_channel,
    narrow_conv_2d,
    output,
    weights,
)

CASES = range(20)
Made = tuple[bytes, list[Array]]
Pads = list[tuple[int, int]]


def lacking(rng: np.random.Generator, op: Any, shape: list[int], kernel: list[int], out: list[int]) -> Pads:
    """What PAD is to add along the height and the width: what SAME adds, or of a VALID input some that is its own."""
    pads = []
    for n, k, o, axis in zip(shape, kernel, out, "HW", strict=True):
        reach = (k - 1) * getattr(op, f"dilation{axis}Factor", 1) + 1
        missing = max((o - 1) * getattr(op, f"stride{axis}") + reach - n, 0)
        if op.padding == SAME:
            pads.append((missing // 2, missing - missing // 2))
        else:
            before = int(rng.integers(0, min(k // 2, n - 1) + 1))
            pads.append((before, int(rng.integers(0, min(k // 2, n - 1 - before) + 1))))
    return pads


def framed(data: bytes, inputs: list[Array], seed: int) -> tuple[bytes, list[Array], Pads, list[int]]:
    """The model with a PAD before its first operator, a convolution, and its input; what is added, and the kernel."""
    model = repack.unpack(data)
    graph = model.subgraphs[0]
    conv = graph.operators[0]
    x, kernel = graph.tensors[conv.inputs[0]], [int(n) for n in graph.tensors[conv.inputs[1]].shape[1:3]]
    shape = [int(n) for n in x.shape]
    out = [int(n) for n in graph.tensors[conv.outputs[0]].shape[1:3]]
    pads = lacking(np.random.default_rng(seed), conv.builtinOptions, shape[1:3], kernel, out)
    values = inputs[0]
    if conv.builtinOptions.padding == SAME:
        whole = [shape[0], *(n + sum(pad) for n, pad in zip(shape[1:3], pads, strict=True)), shape[3]]
        conv.builtinOptions.padding = VALID
    else:
        whole, inside = shape, [slice(b, n - a) for n, (b, a) in zip(shape[1:3], pads, strict=True)]
        values = np.ascontiguousarray(values[:, inside[0], inside[1]])
    padded, paddings, code = schema.TensorT(), schema.TensorT(), schema.OperatorCodeT()
    padded.shape, padded.type, padded.quantization, padded.name = np.int32(whole), x.type, x.quantization, b"padded"
    x.shape = np.int32(values.shape)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.int32([(0, 0), *pads, (0, 0)]).tobytes(), np.uint8)
    paddings.shape, paddings.type, paddings.buffer = np.int32([4, 2]), schema.TensorType.INT32, len(model.buffers)
    model.buffers.append(buffer)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.PAD
    pad = schema.OperatorT()
    pad.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(code)
    pad.builtinOptionsType, pad.builtinOptions = schema.BuiltinOptions.PadOptions, schema.PadOptionsT()
    pad.inputs, pad.outputs = [conv.inputs[0], len(graph.tensors) + 1], [len(graph.tensors)]
    graph.tensors += [padded, paddings]
    conv.inputs = [len(graph.tensors) - 2, *conv.inputs[1:]]
    graph.operators.insert(0, pad)
    return repack.pack(model), [values], pads, kernel


def is_left(engine: Engine, data: bytes, k: int = 0) -> bool:
    """Whether operator k, a PAD, has no output, as the one behind it makes up the zeros."""
    return not list(HostModel(engine, data).op_outputs(k))


def check(engine: Engine, made: Made, seed: int, close: dict[str, float] | None = None) -> None:
    """Compare, and see that PAD is left where it can be, and only there; in an arena with room, too."""
    data, inputs, pads, kernel = framed(*made, seed)
    near = all(max(pad) <= k // 2 for pad, k in zip(pads, kernel, strict=True)) and inputs[0].shape[0] == 1
    assert is_left(engine, data) == near
    expected = same(engine, data, inputs, **(close or {}))
    for got, right in zip(HostModel(engine, data, 1 << 20).invoke(inputs), expected, strict=True):
        np.testing.assert_array_equal(got, right)


@pytest.mark.parametrize("seed", CASES)
@pytest.mark.parametrize("model", [conv_2d, depthwise_conv_2d])
@pytest.mark.parametrize("dtype", TYPES)
def test_types(engine: Engine, dtype: str, model: Callable[..., Made], seed: int) -> None:
    """Catches zeros of the wrong value, too few or too many, before or behind; padding that reaches too far."""
    check(engine, model(seed, dtype), seed, CLOSE[dtype])


@pytest.mark.parametrize("seed", CASES)
def test_many_channels(engine: Engine, seed: int) -> None:
    """Catches patches that only know what SAME adds."""
    check(engine, deep_conv_2d(seed), seed)


@pytest.mark.parametrize("seed", CASES)
def test_short_rows(engine: Engine, seed: int) -> None:
    """Catches the same where all patches of a row are held."""
    check(engine, narrow_conv_2d(seed), seed)


@pytest.mark.parametrize("way", COLUMNS)
@pytest.mark.parametrize("seed", range(6))
def test_columns(engine: Engine, seed: int, way: str) -> None:
    """Catches the same where columns are shared."""
    check(engine, columns_conv_2d(seed, *COLUMNS[way]), seed)


@pytest.mark.parametrize("seed", CASES)
def test_depthwise_3x3(engine: Engine, seed: int) -> None:
    """Catches a column before the first with a stride of two, and none behind the last."""
    check(engine, depthwise_3x3(seed), seed)


@pytest.mark.parametrize("seed", CASES)
def test_depthwise_one_channel(engine: Engine, seed: int) -> None:
    """Catches four of eight taps before the input, where SAME has three at most."""
    check(engine, depthwise_one_channel(seed), seed)


def chain(pads: list[list[int]] | None, padding: int, **how: bool) -> tuple[bytes, Array]:
    """A convolution, PAD if there is any, and another convolution; and an input.

    how: taken: something else takes what PAD makes; out: it is an output of the model, too; pooled: what takes it is
    no convolution; between: another operator runs in between; skipped: what PAD takes has another taker.
    """
    rng = np.random.default_rng(7)
    x = activation(rng, [1, 20, 12, 4], "int8")
    f, b = weights(rng, [8, 3, 3, 4], 0, x, "int8")
    y = output(rng, [1, 20, 12, 8], x, f)
    conv = options("Conv2D", padding=SAME, strideH=1, strideW=1)
    ops, outputs = [Op("CONV_2D", [x, f, b], [y], conv)], []
    z = y
    if pads:
        shape = [n + sum(pad) for n, pad in zip(y.shape, [[0, 0], *pads, [0, 0]], strict=True)]
        z = Tensor(shape, "int8", y.scale, y.zero_point)
        ops.append(Op("PAD", [y, Tensor.constant([[0, 0], *pads, [0, 0]])], [z], options("Pad")))
    if how.get("between") or how.get("taken"):
        taker = Tensor((z if how.get("taken") else y).shape, "int8", y.scale, y.zero_point)
        ops.append(Op("RELU", [z if how.get("taken") else y], [taker]))
        outputs.append(taker)
    size = [n if padding == SAME else n - 2 for n in z.shape[1:3]]
    if how.get("pooled"):
        last = Tensor([1, *size, 8], "int8", y.scale, y.zero_point)
        made = options("Pool2D", padding=padding, filterHeight=3, filterWidth=3, strideH=1, strideW=1)
        ops.append(Op("MAX_POOL_2D", [z], [last], made))
    else:
        f, b = weights(rng, [8, 3, 3, 8], 0, z, "int8")
        last = output(rng, [1, *size, 8], z, f)
        ops.append(Op("CONV_2D", [z, f, b], [last], options("Conv2D", padding=padding, strideH=1, strideW=1)))
    if how.get("skipped"):
        total = Tensor(last.shape, "int8", last.scale * 2, 3)
        ops.append(Op("ADD", [y, last], [total], options("Add")))
        last = total
    outputs += [z] * bool(how.get("out")) + [last]
    return build(ops, outputs=outputs) if len(outputs) > 1 else build(ops), draw.values(rng, x)


ONE = [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("pads", "padding", "how"),
    [
        (ONE, VALID, {"taken": True}),
        (ONE, VALID, {"out": True}),
        (ONE, VALID, {"pooled": True}),
        (ONE, VALID, {"between": True}),
        (ONE, SAME, {}),
        ([[2, 1], [1, 1]], VALID, {}),
        ([[1, 1], [0, 2]], VALID, {}),
    ],
)
def test_not_left(engine: Engine, pads: list[list[int]], padding: int, how: dict[str, bool]) -> None:
    """Catches a PAD that is left out though somebody needs what it makes, or the convolution cannot make it up."""
    data, x = chain(pads, padding, **how)
    assert not is_left(engine, data, 1)
    same(engine, data, [x])


@pytest.mark.parametrize("how", [{}, {"skipped": True}])
@pytest.mark.parametrize("arena", ["least", "whole"])
def test_costs_nothing(engine: Engine, arena: str, how: dict[str, bool]) -> None:
    """Catches a PAD that cuts the chain of rows, copies any, or takes more of the arena than a record of twelve bytes.

    The same network is built with SAME and without PAD.
    """
    data, x = chain(ONE, VALID, **how)
    without, _ = chain(None, SAME, **how)
    assert is_left(engine, data, 1)
    bytes_of = {}
    for which in (data, without):
        model = HostModel(engine, which) if arena == "least" else HostModel(engine, which, 1 << 20)
        same(engine, which, [x])
        model.invoke([x])
        bytes_of[which] = model.model.arena_used
        rows = [model.rows_made(k) for k in range(model.model.main.n_ops)]
        assert (rows[-1] is not None) == (arena == "least")
    assert 0 <= bytes_of[data] - bytes_of[without] <= 32
