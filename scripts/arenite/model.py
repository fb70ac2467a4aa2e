"""What a .tflite file says of itself, read through TensorFlow Lite's FlatBuffer schema: tensors, operators, work."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.errors import UserError

IDENTIFIER = b"TFL3"  # bytes 4 to 8 of the file
PLAN = "arenite_plan"  # the name in its metadata of what saved_plan.py puts there
DTYPES: dict[int, DTypeLike] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.BOOL: np.bool_,
}
OPERATOR_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


@dataclass(frozen=True)
class Tensor:
    """One tensor: its index in the subgraph, and its size in elements and bytes."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """Bytes of its data."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Operator:
    """One operator, in the order of execution.

    Attributes:
        op: TensorFlow Lite's name, or a custom operator's own.
        macs: nominal multiply-adds of one invoke, those with padding included.
    """

    index: int
    op: str
    macs: int
    outputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """The name of its first output tensor."""
        return self.outputs[0].name if self.outputs else ""


@dataclass(frozen=True)
class Model:
    """A model's bytes, and the facts of its main subgraph.

    Attributes:
        needs: names of the operators of all subgraphs.
    """

    path: Path
    data: bytes
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    needs: frozenset[str]

    @property
    def macs(self) -> int:
        """Nominal multiply-adds of one invoke."""
        return sum(operator.macs for operator in self.operators)


def read_model(path: Path) -> Model:
    """Read a .tflite file.

    Raises:
        UserError: no such file, or it is not a TensorFlow Lite model.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    return model_of(path, data)


def model_of(path: Path, data: bytes) -> Model:
    """What the bytes of a .tflite file say; the path is only its name.

    Raises:
        UserError: it is not a TensorFlow Lite model.
    """
    if data[4:8] != IDENTIFIER:
        raise UserError(f"{path}: not a TensorFlow Lite model (its identifier is not {IDENTIFIER.decode()})")
    try:
        return _facts(path, data)
    except Exception as error:  # the schema's accessors raise whatever damaged bytes lead them to
        raise UserError(f"{path}: damaged, or cut short ({error})") from error


def _facts(path: Path, data: bytes) -> Model:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph = model.subgraphs[0]
    tensors = [_tensor(index, tensor) for index, tensor in enumerate(graph.tensors)]
    operators = [
        _operator(index, operator, model.operatorCodes[operator.opcodeIndex], tensors)
        for index, operator in enumerate(_list(graph.operators))
    ]
    return Model(
        path=path,
        data=data,
        inputs=tuple(tensors[index] for index in graph.inputs),
        outputs=tuple(tensors[index] for index in graph.outputs),
        operators=tuple(operators),
        needs=frozenset(
            name_of(model.operatorCodes[operator.opcodeIndex])
            for subgraph in model.subgraphs
            for operator in _list(subgraph.operators)
        ),
    )


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _text(value: Any) -> str:
    return "" if value is None else value.decode(errors="replace")


def _tensor(index: int, tensor: Any) -> Tensor:
    shape = tuple(int(size) for size in _list(tensor.shape))
    return Tensor(index, _text(tensor.name), shape, np.dtype(DTYPES.get(tensor.type, np.uint8)))


def name_of(code: Any) -> str:
    """The name of an operator code (the schema's OperatorCodeT)."""
    # Since schema 3a codes above 127 have a field of their own, and the old one holds a placeholder.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    custom = number == schema.BuiltinOperator.CUSTOM
    return _text(code.customCode) if custom else OPERATOR_NAMES.get(number, f"BUILTIN_{number}")


def _operator(index: int, operator: Any, code: Any, tensors: list[Tensor]) -> Operator:
    op = name_of(code)
    inputs = [tensors[i] if i >= 0 else None for i in _list(operator.inputs)]
    outputs = tuple(tensors[i] for i in _list(operator.outputs))
    return Operator(index, op, _macs(op, inputs, outputs), outputs)


def _macs(op: str, inputs: list[Tensor | None], outputs: tuple[Tensor, ...]) -> int:
    """Multiply-adds: for each output element, or input element where those are spread, the weights it meets."""
    weights = inputs[1].shape if len(inputs) > 1 and inputs[1] else ()
    if op in ("CONV_2D", "FULLY_CONNECTED"):  # weights: (output channels, all that one output meets)
        return prod(outputs[0].shape) * prod(weights[1:])
    if op == "DEPTHWISE_CONV_2D":  # weights: (1, height, width, output channels)
        return prod(outputs[0].shape) * prod(weights[1:3])
    if op == "TRANSPOSE_CONV":  # inputs: shape, weights (output channels, height, width, input channels), image
        image = inputs[2]
        return prod(image.shape) * prod(weights[:3]) if image else 0
    if op == "BATCH_MATMUL":
        left = inputs[0]
        return prod(outputs[0].shape) * left.shape[-1] if left else 0
    return 0
