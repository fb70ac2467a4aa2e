"""Which ways of the operators models take: what `arenite build --for` leaves out (usermod/arenite/kernels/has.h)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite import repack
from arenite.boards import ROOT
from arenite.model import PLAN, Model, name_of

HEADER = ROOT / "usermod" / "arenite" / "kernels" / "has.h"
COLUMNS_TAPS = 3  # AR_COLUMNS_TAPS
WIDE_OUTPUTS = 16  # as in ops/fully_connected.c
TURNED_ROW = 8  # AR_TURNED_ROW: the width of kernels whose output channels go by pairs
Type = schema.TensorType
# What is left out where tensors are whole.
ROWS = {"ROWS", "DENSE_ROWS", "PLAN", "FEW"}
# These keep something from one invoke to the next, in other places than variable tensors.
KEEPS = {"CALL_ONCE", "CIRCULAR_BUFFER", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
# These have ways of their own for every type, in any build.
CONVERSIONS = {"QUANTIZE", "DEQUANTIZE", "CAST", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"}


@dataclass(frozen=True)
class _Use:
    """An operator of a model, with its tensors; None for inputs left out."""

    op: str
    inputs: list[Any]
    outputs: list[Any]
    options: Any
    model: Any

    @property
    def types(self) -> set[int]:
        """Of all inputs and outputs."""
        return {tensor.type for tensor in [*self.inputs, *self.outputs] if tensor is not None}

    @property
    def weights(self) -> Any:
        """The weights, of operators that have them as input 1."""
        return self.inputs[1]

    def on_int8(self, op: str) -> bool:
        """Whether it is this operator, on activations of int8."""
        return self.op == op and self.inputs[0].type == Type.INT8


def all_ways() -> list[str]:
    """The constants of kernels/has.h that a build may set to 0, without AR_HAS_, in their order."""
    return re.findall(r"^#ifndef AR_HAS_(\w+)$", HEADER.read_text(), re.MULTILINE)


def left_out(models: Iterable[Model], *, whole: bool = False) -> tuple[str, ...]:
    """Those of them that none of these models takes; with whole, rows too."""
    uses = [use for model in models for use in _uses(model)]
    return tuple(way for way in all_ways() if (whole and way in ROWS) or not any(TAKES[way](use) for use in uses))


def _uses(model: Model) -> Iterator[_Use]:
    parsed = repack.unpack(model.data)
    for graph in parsed.subgraphs:
        for operator in graph.operators if graph.operators is not None else []:
            inputs, outputs = (
                [graph.tensors[i] if i >= 0 else None for i in (indices if indices is not None else [])]
                for indices in (operator.inputs, operator.outputs)
            )
            op = name_of(parsed.operatorCodes[operator.opcodeIndex])
            yield _Use(op, inputs, outputs, operator.builtinOptions, parsed)


def _computes(kind: int) -> Callable[[_Use], bool]:
    return lambda use: use.op not in CONVERSIONS and kind in use.types


def _shape(tensor: Any) -> list[int]:
    return [] if tensor.shape is None else [int(size) for size in tensor.shape]


def _hybrid(use: _Use) -> bool:
    return use.op not in CONVERSIONS and {Type.FLOAT32, Type.INT8} <= use.types


def _groups(use: _Use) -> bool:
    return use.op == "CONV_2D" and _shape(use.weights)[-1:] != _shape(use.inputs[0])[-1:]


def _dilation(use: _Use) -> bool:
    dilations = (getattr(use.options, f"dilation{axis}Factor", 1) for axis in "HW")
    return use.op in ("CONV_2D", "DEPTHWISE_CONV_2D") and any(factor != 1 for factor in dilations)


def _depthwise_one(use: _Use) -> bool:
    return use.on_int8("DEPTHWISE_CONV_2D") and _shape(use.inputs[0])[-1:] == [1] and use.weights.type == Type.INT8


def _depthwise_any(use: _Use) -> bool:
    """What no tier has a way of its own for."""
    if use.op != "DEPTHWISE_CONV_2D" or _depthwise_one(use):
        return False
    channels, shape = _shape(use.inputs[0])[-1:], _shape(use.weights)
    by_threes = len(shape) == 4 and shape[1:3] == [3, 3] and shape[3:] == channels and 4 <= shape[3] < 16384
    strides = by_threes and use.options is not None and use.options.strideW <= 10
    return not (strides and use.types <= {Type.INT8, Type.INT32} and not _dilation(use))


def _pairs(use: _Use) -> bool:
    return _depthwise_one(use) and _shape(use.weights)[2:3] == [TURNED_ROW]


def _columns(use: _Use) -> bool:
    """Three taps a row, of whole words."""
    if not use.on_int8("CONV_2D") or use.weights.type != Type.INT8 or _groups(use):
        return False
    shape = _shape(use.weights)
    return shape[2:3] == [COLUMNS_TAPS] and shape[-1] % 4 == 0


def _dense_channels(use: _Use) -> bool:
    if not use.on_int8("FULLY_CONNECTED"):
        return False
    quantized = use.weights.quantization
    scales = 0 if quantized is None or quantized.scale is None else len(quantized.scale)
    rows = prod(_shape(use.inputs[0])) // max(1, *_shape(use.weights)[-1:])
    return scales > 1 or rows > 0xFFFF


def _wide(use: _Use) -> bool:
    return use.on_int8("FULLY_CONNECTED") and prod(_shape(use.outputs[0])[-1:]) >= WIDE_OUTPUTS


def _dense_rows(use: _Use) -> bool:
    return use.on_int8("FULLY_CONNECTED") and len(_shape(use.inputs[0])) == 4


def _dead(use: _Use) -> bool:
    """Output channels without weights, of what is a product of these."""
    if not use.on_int8("CONV_2D") and not _depthwise_one(use):
        return False
    data, shape = use.model.buffers[use.weights.buffer].data, _shape(use.weights)
    if data is None or len(data) != prod(shape):  # somewhere else, or packed: nobody knows
        return True
    by_channel = (
        np.asarray(data).reshape(shape[0], -1).T if use.op == "CONV_2D" else np.asarray(data).reshape(-1, shape[-1])
    )
    return not by_channel.any(axis=0).all()


def _plan(use: _Use) -> bool:
    return any(entry.name == PLAN.encode() for entry in use.model.metadata or [])


TAKES: dict[str, Callable[[_Use], bool]] = {
    "FLOAT32": _computes(Type.FLOAT32),
    "INT16": _computes(Type.INT16),
    "INT4": _computes(Type.INT4),
    "HYBRID": _hybrid,
    "GROUPS": _groups,
    "DILATION": _dilation,
    "DEPTHWISE_ONE": _depthwise_one,
    "DEPTHWISE_ANY": _depthwise_any,
    "DENSE_CHANNELS": _dense_channels,
    "PAIRS": _pairs,
    "COLUMNS": _columns,
    "FEW": lambda use: use.on_int8("CONV_2D") or _depthwise_one(use),
    "WIDE": _wide,
    "DENSE_ROWS": _dense_rows,
    "DEAD": _dead,
    "FRAMES": lambda use: use.op in ("PAD", "PADV2"),
    "PLAN": _plan,
    "STATE": lambda use: use.op in KEEPS or any(t is not None and t.isVariable for t in use.inputs),
    "SUBGRAPHS": lambda use: len(use.model.subgraphs) > 1,
    "ROWS": lambda use: True,
    "NAMES": lambda use: False,
}
