"""Write a model anew: with fewer channels, without what nothing refers to."""

from collections.abc import Iterable
from copy import copy, deepcopy
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.channels import Constants, Layer, Mask, sums, tensor_data
from arenite.errors import UserError
from arenite.model import IDENTIFIER, Model, name_of

ALIGNMENT = 16  # the schema's force_align of Buffer.data, which the generated code does not heed


def unpack(data: bytes) -> Any:
    """The schema's ModelT of a file."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def unpack_whole(model: Model) -> Any:
    """The ModelT of a model all of which is in the FlatBuffer.

    Raises:
        UserError: its constants lie behind that.
    """
    unpacked = unpack(model.data)
    if any(buffer.offset for buffer in unpacked.buffers):
        raise UserError(f"{model.path}: its constants lie outside the FlatBuffer, which this command cannot rewrite")
    return unpacked


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A Buffer whose data lies at a multiple of 16 bytes."""

    def Pack(self, builder: flatbuffers.Builder) -> int:
        if self.data is not None:
            builder.Prep(ALIGNMENT, len(self.data))
        return int(super().Pack(builder))


def pack(model: Any) -> bytes:
    """The file of a ModelT, its constants aligned."""
    packed = copy(model)
    packed.buffers = [_AlignedBuffer(buffer.data, buffer.offset, buffer.size) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(packed.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def cut(model: Any, among: Iterable[Layer], keep: dict[int, Mask], known: dict[int, Constants]) -> None:
    """Take from a ModelT the channels that its layers do not keep; what constant ones added goes into the biases."""
    graph = model.subgraphs[0]
    for layer in among:
        operator = graph.operators[layer.operator]
        source, target = keep[layer.source], keep[layer.target]
        if source.all() and target.all():
            continue
        if layer.mixes:
            _replace(model, operator, 1, _constant(model, operator, 1)[target][..., source], target)
            if layer.bias is not None:
                _replace(model, operator, 2, _bias(layer, source, known.get(layer.source))[target], target)
        elif layer.weights is not None:
            _replace(model, operator, 1, _constant(model, operator, 1)[..., target], target)
            if layer.bias is not None:
                _replace(model, operator, 2, layer.bias[target], target)
        elif name_of(model.operatorCodes[operator.opcodeIndex]) == "RESHAPE":
            _cut_shape(model, operator, target)
    for index, mask in keep.items():
        tensor = graph.tensors[index]
        tensor.shape = _cut_last(tensor.shape, mask)
        if tensor.shapeSignature is not None and len(tensor.shapeSignature):
            tensor.shapeSignature = _cut_last(tensor.shapeSignature, mask)


def _bias(layer: Layer, source: Mask, known: Constants | None) -> NDArray[np.int32]:
    """A layer's bias, with what the input channels that go have always added."""
    assert layer.bias is not None
    if known is None:
        return layer.bias
    added = sums(layer)[:, ~source] @ known.offset[~source]
    return (layer.bias + added).astype(np.int32)


def _cut_shape(model: Any, operator: Any, target: Mask) -> None:
    """The shape that RESHAPE is given, as a tensor or as an option."""
    if len(operator.inputs) > 1:
        _replace(model, operator, 1, np.array(_cut_last(_constant(model, operator, 1), target), np.int32), target)
    options = operator.builtinOptions
    if options is not None and options.newShape is not None and len(options.newShape):
        operator.builtinOptions = copy(options)
        operator.builtinOptions.newShape = _cut_last(options.newShape, target)


def _cut_last(shape: Iterable[int], mask: Mask) -> list[int]:
    """The shape with as many channels as the mask keeps; -1, which stands for what is left, stays."""
    sizes = [int(size) for size in shape]
    return [*sizes[:-1], sizes[-1] if sizes[-1] < 0 else int(mask.sum())]


def _constant(model: Any, operator: Any, slot: int) -> NDArray[Any]:
    data = tensor_data(model, int(operator.inputs[slot]))
    assert data is not None
    return data


def _replace(model: Any, operator: Any, slot: int, values: NDArray[Any], target: Mask) -> None:
    """Give one operator other values for a constant that others may share: a tensor and a buffer of its own."""
    graph = model.subgraphs[0]
    tensor = deepcopy(graph.tensors[operator.inputs[slot]])
    quantization = tensor.quantization
    for field in ("scale", "zeroPoint", "min", "max"):
        of_channels = getattr(quantization, field, None)
        if of_channels is not None and len(of_channels) == target.size:
            setattr(quantization, field, np.asarray(of_channels)[target])
    tensor.shape = list(values.shape)
    tensor.buffer = len(model.buffers)
    model.buffers.append(schema.BufferT(np.frombuffer(values.tobytes(), np.uint8)))
    operator.inputs = [int(t) for t in operator.inputs]
    operator.inputs[slot] = len(graph.tensors)
    graph.tensors.append(tensor)


def compact(model: Any) -> None:
    """Take from a ModelT the tensors, buffers and operator codes that nothing refers to; equal buffers become one."""
    for number, graph in enumerate(model.subgraphs):
        signatures = [s for s in model.signatureDefs or () if s.subgraphIndex == number]
        _compact_tensors(graph, [m for s in signatures for m in (*(s.inputs or ()), *(s.outputs or ()))])
    operators = [operator for graph in model.subgraphs for operator in graph.operators or ()]
    codes = _numbers(operator.opcodeIndex for operator in operators)
    model.operatorCodes = [model.operatorCodes[old] for old in codes]
    for operator in operators:
        operator.opcodeIndex = codes[operator.opcodeIndex]
    compact_buffers(model)


def _numbers(used: Iterable[int]) -> dict[int, int]:
    """New indices of those in use, in their old order."""
    return {old: new for new, old in enumerate(sorted({int(index) for index in used if index >= 0}))}


def _compact_tensors(graph: Any, named: list[Any]) -> None:
    lists = [(graph, "inputs"), (graph, "outputs")]
    lists += [
        (operator, field) for operator in graph.operators or () for field in ("inputs", "outputs", "intermediates")
    ]
    lists = [(owner, field) for owner, field in lists if getattr(owner, field) is not None]
    used = [index for owner, field in lists for index in getattr(owner, field)]
    numbers = _numbers([*used, *(entry.tensorIndex for entry in named)])
    graph.tensors = [graph.tensors[old] for old in numbers]
    for owner, field in lists:
        setattr(owner, field, [numbers[int(old)] if old >= 0 else -1 for old in getattr(owner, field)])
    for entry in named:
        entry.tensorIndex = numbers[int(entry.tensorIndex)]


def compact_buffers(model: Any) -> None:
    """Take from a ModelT the buffers that nothing refers to; equal ones become one.

    Buffer 0 is the empty one, by convention; tensors without data refer to it.
    """
    buffers, new, found = model.buffers, [schema.BufferT()], dict[bytes, int]()

    def moved(old: int) -> int:
        data = buffers[old].data
        if data is None:
            return 0
        index = found.setdefault(bytes(data), len(new))
        if index == len(new):
            new.append(buffers[old])
        return index

    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = moved(tensor.buffer)
    for entry in model.metadata or ():
        entry.buffer = moved(entry.buffer)
    if model.metadataBuffer is not None:
        model.metadataBuffer = [moved(int(old)) for old in model.metadataBuffer]
    model.buffers = new
