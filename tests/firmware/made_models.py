"""Small models made here, for what no trained model has: two inputs, odd names, every type, long runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import flatbuffers
from flatbuffers import flexbuffers
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

import builder as of_host

Type = schema.TensorType
Op = schema.BuiltinOperator
TYPES = ("FLOAT32", "INT8", "UINT8", "INT16", "UINT16", "INT32", "UINT32", "INT64", "BOOL")


@dataclass(frozen=True)
class Tensor:
    """A tensor. Scales: none, one, or one for each index of the last dimension."""

    name: str | bytes
    shape: Sequence[int]
    type: int = Type.INT8
    scales: Sequence[float] = ()
    zero_point: int = 0
    data: bytes = b""


@dataclass(frozen=True)
class Operator:
    """An operator on tensors by number."""

    code: int
    inputs: Sequence[int]
    outputs: Sequence[int]
    custom: str | None = None


def _quantization(tensor: Tensor) -> schema.QuantizationParametersT:
    made = schema.QuantizationParametersT()
    made.scale = list(tensor.scales)
    made.zeroPoint = [tensor.zero_point] * len(tensor.scales)
    made.quantizedDimension = len(tensor.shape) - 1 if len(tensor.scales) > 1 else 0
    return made


def _buffer(data: bytes) -> schema.BufferT:
    made = schema.BufferT()
    made.data = list(data) or None
    return made


def _tensor(tensor: Tensor, buffer: int) -> schema.TensorT:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = tensor.name, list(tensor.shape), tensor.type, buffer
    made.quantization = _quantization(tensor) if tensor.scales else None
    return made


def _code(operator: Operator) -> schema.OperatorCodeT:
    made = schema.OperatorCodeT()
    made.builtinCode = operator.code
    made.deprecatedBuiltinCode = min(operator.code, 127)
    made.customCode = operator.custom
    made.version = 1
    return made


def _operator(operator: Operator, code: int) -> schema.OperatorT:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, list(operator.inputs), list(operator.outputs)
    return made


def pack(
    tensors: Sequence[Tensor], operators: Sequence[Operator], inputs: Sequence[int], outputs: Sequence[int]
) -> bytes:
    """The bytes of a .tflite file."""
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(tensor, index + 1) for index, tensor in enumerate(tensors)]
    graph.operators = [_operator(operator, index) for index, operator in enumerate(operators)]
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    model = schema.ModelT()
    model.version = 3
    model.subgraphs = [graph]
    model.operatorCodes = [_code(operator) for operator in operators]
    model.buffers = [_buffer(b""), *(_buffer(tensor.data) for tensor in tensors)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def two_by_two() -> bytes:
    """Two inputs, two outputs: their sum, and twice that."""
    tensors = [Tensor(name, (1, 4), scales=(0.5,)) for name in ("left", "right", "sum", "twice")]
    return pack(tensors, [Operator(Op.ADD, (0, 1), (2,)), Operator(Op.ADD, (2, 2), (3,))], (0, 1), (2, 3))


def reshape(kind: int, scales: Sequence[float] = (), zero_point: int = 0, name: str | bytes = "in") -> bytes:
    """Six values of a type, (2, 3), as they stand."""
    tensors = [
        Tensor(name, (2, 3), kind, scales, zero_point),
        Tensor("out", (6,), kind, scales[:1], zero_point),
    ]
    return pack(tensors, [Operator(Op.RESHAPE, (0,), (1,))], (0,), (1,))


def chain(length: int, count: int) -> bytes:
    """So many additions, one after another, of tensors of so many elements: a long run."""
    tensors = [Tensor(f"t{i}", (1, count), scales=(0.5,)) for i in range(length + 1)]
    return pack(tensors, [Operator(Op.ADD, (i, i), (i + 1,)) for i in range(length)], (0,), (length,))


def endless(count: int) -> bytes:
    """A WHILE that adds one to so many int32, and does not end before 2^31 rounds: longer than anyone waits."""

    def carried() -> list[of_host.Tensor]:
        return [of_host.Tensor([1], "int32"), of_host.Tensor([count], "int32")]

    def add_one(a: of_host.Tensor, y: of_host.Tensor) -> of_host.Op:
        return of_host.Op("ADD", [a, of_host.Tensor.constant([1])], [y], of_host.options("Add"))

    asked, go = carried(), of_host.Tensor([1], "bool")
    less = of_host.Op("LESS", [asked[0], of_host.Tensor.constant([2**31 - 1])], [go], of_host.options("Less"))
    before, after = carried(), carried()
    body = [add_one(a, y) for a, y in zip(before, after, strict=True)]
    graphs = [of_host.Graph([less], [go], asked), of_host.Graph(body, after, before)]
    inputs, outputs = carried(), carried()
    loop = of_host.Op("WHILE", inputs, outputs, of_host.options("While", condSubgraphIndex=1, bodySubgraphIndex=2))
    return of_host.build([loop], outputs, inputs, graphs)


def sums() -> bytes:
    """Three int32: each of its inputs added to what it keeps of them in a variable, which starts as 10, 20 and 30."""

    def handle() -> tuple[of_host.Tensor, of_host.Op]:
        made = of_host.Tensor([1], "resource")
        return made, of_host.Op(
            "VAR_HANDLE", [], [made], of_host.options("VarHandle", container=b"", sharedName=b"sum")
        )

    def assign(h: of_host.Tensor, value: of_host.Tensor) -> of_host.Op:
        return of_host.Op("ASSIGN_VARIABLE", [h, value], [], of_host.options("AssignVariable"))

    first, make_first = handle()
    h, make = handle()
    x, kept, y = (of_host.Tensor([3], "int32") for _ in range(3))
    ops = [
        of_host.Op("CALL_ONCE", [], [], of_host.options("CallOnce", initSubgraphIndex=1)),
        make,
        of_host.Op("READ_VARIABLE", [h], [kept], of_host.options("ReadVariable")),
        of_host.Op("ADD", [x, kept], [y], of_host.options("Add")),
        assign(h, y),
    ]
    start = of_host.Graph([make_first, assign(first, of_host.Tensor.constant([10, 20, 30]))], [], [])
    return of_host.build(ops, [y], [x], [start])


def waits() -> bytes:
    """The last two of its inputs (four int8), as floats; new ones with every third, else those of before."""
    x, row = of_host.Tensor([1, 1, 1, 4], "int8", 0.5), of_host.Tensor([1, 2, 1, 4], "int8", 0.5)
    fields = bytes(flexbuffers.Dumps({"cycles_max": 3}))
    ops = [
        of_host.Op("CUSTOM", [x], [row], None, "CIRCULAR_BUFFER", fields),
        of_host.Op("DEQUANTIZE", [row], [of_host.Tensor([1, 2, 1, 4])]),
    ]
    return of_host.build(ops, inputs=[x])


def one_operator(code: int, kind: int = Type.INT8, custom: str | None = None) -> bytes:
    """One operator with one input of a type and one output: for what load refuses."""
    tensors = [Tensor("in", (1, 4), kind), Tensor("out", (1, 4), kind)]
    inputs = (0, 0) if code == Op.ADD else (0,)
    return pack(tensors, [Operator(code, inputs, (1,), custom)], (0,), (1,))
