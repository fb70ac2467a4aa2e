"""Models by code: a few tensors and operators become the bytes of a .tflite file.

A test describes tensors and operators as TensorFlow's schema names them; what has data is a constant, what an operator
writes is an activation, the rest are the model's inputs in the order in which they are first read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

Array = np.ndarray[Any, np.dtype[Any]]

ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4, "SIGN_BIT": 5}
SAME, VALID = 0, 1


@dataclass(eq=False)
class Tensor:
    """One tensor.

    Attributes:
        shape: sizes of its dimensions.
        dtype: a numpy name, or one of the schema's that numpy lacks ("int4", "float16" as raw bytes).
        scale: of the quantization: one number, one a channel, or None for none.
        zero_point: one number, or one a channel.
        data: the values of a constant.
        axis: the dimension of the channels.
        variable: keeps its value from one invoke to the next.
        name: None: made up.
    """

    shape: Sequence[int]
    dtype: str = "float32"
    scale: float | Sequence[float] | None = None
    zero_point: int | Sequence[int] = 0
    data: Array | None = None
    axis: int = 0
    variable: bool = False
    name: str | bytes | None = None

    @classmethod
    def constant(cls, data: Any, dtype: str = "int32", **more: Any) -> Tensor:
        """A constant of these values, of their shape."""
        array = np.asarray(data, dtype)
        return cls(array.shape, dtype, data=array, **more)

    @property
    def low(self) -> int:
        """The smallest value of an integer type."""
        return int(np.iinfo(self.dtype).min)

    @property
    def high(self) -> int:
        """The largest value of an integer type."""
        return int(np.iinfo(self.dtype).max)


@dataclass(eq=False)
class Op:
    """One operator: its name in the schema ("CONV_2D"), tensors (None: left out) and options (`schema.AddOptionsT`)."""

    name: str
    inputs: Sequence[Tensor | None]
    outputs: Sequence[Tensor]
    options: Any = None
    custom_code: str | None = None
    custom_options: bytes | None = None


def options(kind: str, **fields: Any) -> Any:
    """Options by their name in the schema: options("Add", fusedActivationFunction=1).

    Raises:
        AttributeError: the schema has no such options or no such field.
    """
    made = getattr(schema, f"{kind}OptionsT")()
    for name, value in fields.items():
        getattr(made, name)
        setattr(made, name, value)
    return made


@dataclass(eq=False)
class Graph:
    """A subgraph; the arguments of build()."""

    ops: Sequence[Op]
    outputs: Sequence[Tensor] | None = None
    inputs: Sequence[Tensor] | None = None


def build(
    ops: Sequence[Op],
    outputs: Sequence[Tensor] | None = None,
    inputs: Sequence[Tensor] | None = None,
    others: Sequence[Graph] = (),
) -> bytes:
    """The file.

    Args:
        ops: in the order of execution.
        outputs: of the model; None: those of the last operator.
        inputs: of the model; None: what is read and neither constant, variable nor written, in order.
        others: subgraphs that operators call: the first is number 1.
    """
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    model.subgraphs = [_graph(graph, model) for graph in (Graph(ops, outputs, inputs), *others)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _graph(graph: Graph, model: Any) -> Any:
    inputs = graph.inputs
    tensors = _all_tensors(graph.ops, [*(inputs or ()), *(graph.outputs or ())] if inputs is not None else ())
    index = {id(t): i for i, t in enumerate(tensors)}
    written = {id(t) for op in graph.ops for t in op.outputs}
    if inputs is None:
        inputs = [t for t in tensors if t.data is None and not t.variable and id(t) not in written]
    made = schema.SubGraphT()
    made.inputs = [index[id(t)] for t in inputs]
    made.outputs = [index[id(t)] for t in (graph.ops[-1].outputs if graph.outputs is None else graph.outputs)]
    made.tensors = [_tensor(t, i, model.buffers) for i, t in enumerate(tensors)]
    made.operators = [_operator(op, index, model.operatorCodes) for op in graph.ops]
    return made


def single(
    name: str, inputs: Sequence[Tensor | None], outputs: Tensor | Sequence[Tensor], options: Any = None
) -> bytes:
    """A model of one operator."""
    outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    return build([Op(name, inputs, outs, options)])


def _all_tensors(ops: Sequence[Op], first: Sequence[Tensor]) -> list[Tensor]:
    """Each tensor once, in the order in which they are named."""
    found: dict[int, Tensor] = {id(t): t for t in first}
    for op in ops:
        for t in [*op.inputs, *op.outputs]:
            if t is not None:
                found.setdefault(id(t), t)
    return list(found.values())


def _tensor(t: Tensor, i: int, buffers: list[Any]) -> Any:
    made = schema.TensorT()
    made.name = f"tensor{i}".encode() if t.name is None else t.name
    made.shape = list(t.shape)
    made.type = getattr(schema.TensorType, t.dtype.upper())
    made.isVariable = t.variable
    made.buffer = 0
    if t.data is not None:
        buffer = schema.BufferT()
        data = _halves(t.data) if t.dtype == "int4" else np.ascontiguousarray(t.data)
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        made.buffer = len(buffers)
        buffers.append(buffer)
    if t.scale is not None:
        scales = np.atleast_1d(np.asarray(t.scale, np.float32))
        q = schema.QuantizationParametersT()
        q.scale = scales
        q.zeroPoint = np.broadcast_to(np.asarray(t.zero_point, np.int64), scales.shape).copy()
        q.quantizedDimension = t.axis
        made.quantization = q
    return made


def _halves(data: Array) -> Array:
    """int4: two to a byte, the first in the low half."""
    flat = data.ravel().astype(np.uint8) & 15
    flat = np.append(flat, np.zeros(flat.size % 2, np.uint8))
    return flat[::2] | flat[1::2] << 4


def _operator(op: Op, index: dict[int, int], codes: list[Any]) -> Any:
    builtin = getattr(schema.BuiltinOperator, op.name)
    made = schema.OperatorT()
    made.opcodeIndex = _code(builtin, op.custom_code, codes)
    made.inputs = [-1 if t is None else index[id(t)] for t in op.inputs]
    made.outputs = [index[id(t)] for t in op.outputs]
    if op.options is not None:
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(op.options).__name__.removesuffix("T"))
        made.builtinOptions = op.options
    if op.custom_options is not None:
        made.customOptions = np.frombuffer(op.custom_options, np.uint8)
    return made


def _code(builtin: int, custom: str | None, codes: list[Any]) -> int:
    name = custom.encode() if custom else None
    for i, code in enumerate(codes):
        if (code.builtinCode, code.customCode) == (builtin, name):
            return i
    code = schema.OperatorCodeT()
    code.builtinCode = builtin
    code.deprecatedBuiltinCode = min(builtin, 127)
    code.customCode = name
    code.version = 1
    codes.append(code)
    return len(codes) - 1
