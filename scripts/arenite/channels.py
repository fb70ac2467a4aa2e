"""The channels of a quantized model's activations: which are constant, and which are needed.

A channel is an index into the last dimension of an activation. The operators that treat channels one by one, or mix
them by constant weights, are layers; what any other operator reads or writes keeps all its channels.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.model import name_of

Mask = NDArray[np.bool_]
INT8, INT32 = schema.TensorType.INT8, schema.TensorType.INT32


@dataclass(frozen=True)
class Layer:
    """An operator whose channels can be told apart.

    Attributes:
        operator: its index in the subgraph.
        source: index of the activation that it reads.
        target: index of the activation that it writes.
        weights: int8, or None for operators that only pass channels on. (outputs, taps, inputs) where every output
            channel meets every input channel, (taps, channels) where each meets its own.
        bias: int32, (outputs,), or None.
        padded: zero points around its input count as input.
    """

    operator: int
    source: int
    target: int
    weights: NDArray[np.int8] | None = None
    bias: NDArray[np.int32] | None = None
    padded: bool = False

    @property
    def mixes(self) -> bool:
        """Whether every output channel meets every input channel."""
        return self.weights is not None and self.weights.ndim == 3


@dataclass(frozen=True)
class Constants:
    """What is known of one activation's channels.

    Attributes:
        known: the channels that are the same for every input, at every place.
        offset: their values less the zero point; of other channels nothing that means anything.
    """

    known: Mask
    offset: NDArray[np.int64]

    @property
    def zero(self) -> Mask:
        """The channels that are constant at the zero point, which padding cannot tell from its own."""
        return self.known & np.equal(self.offset, 0).astype(np.bool_)


def tensor_data(model: Any, index: int) -> NDArray[Any] | None:
    """The values of a constant of type int8 or int32 in the main subgraph; None if it is neither."""
    if index < 0:
        return None
    tensor = model.subgraphs[0].tensors[index]
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type not in (INT8, INT32) or tensor.isVariable or tensor.sparsity:
        return None
    shape = [] if tensor.shape is None else [int(size) for size in tensor.shape]
    dtype = np.dtype(np.int8 if tensor.type == INT8 else np.int32)
    return np.frombuffer(bytes(data), dtype).reshape(shape) if 0 < len(data) == prod(shape) * dtype.itemsize else None


def layers(model: Any) -> list[Layer]:
    """The layers of the main subgraph, in the order of execution. `model` is the schema's ModelT."""
    made = {
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise,
        "FULLY_CONNECTED": _fully_connected,
        "AVERAGE_POOL_2D": _pool,
        "MAX_POOL_2D": _pool,
        "RESHAPE": _reshape,
        "MEAN": _mean,
    }
    found = []
    for index, operator in enumerate(model.subgraphs[0].operators):
        make = made.get(name_of(model.operatorCodes[operator.opcodeIndex]))
        if make and _is_plain(model, operator) and (layer := make(model, index, operator)):
            found.append(layer)
    return found


def free_tensors(model: Any, among: Sequence[Layer]) -> set[int]:
    """The activations that only layers write and read, so that they may lose channels."""
    graph = model.subgraphs[0]
    uses = Counter(int(t) for operator in graph.operators for t in (*operator.inputs, *operator.outputs))
    by_layers = Counter(t for layer in among for t in (layer.source, layer.target))
    written = {layer.target for layer in among}
    outside = {*map(int, graph.inputs), *map(int, graph.outputs)}
    outside |= {int(t.tensorIndex) for s in model.signatureDefs or () for t in (*(s.inputs or ()), *(s.outputs or ()))}
    return {t for t in written - outside if uses[t] == by_layers[t] and not graph.tensors[t].isVariable}


def constants(model: Any, among: Sequence[Layer], observed: dict[int, NDArray[np.int8]]) -> dict[int, Constants]:
    """The constant channels of each layer's target.

    Args:
        model: the schema's ModelT.
        among: its layers.
        observed: each target's values for some input. A channel that meets only constant ones does not depend on the
            input, so that this shows for every input whether it is the same at every place (padding may show at the
            borders), and its value.
    """
    found: dict[int, Constants] = {}
    for layer in among:
        source = found.get(layer.source) or _nothing(model, layer.source)
        if layer.weights is None:
            known = source.known
        elif layer.mixes:
            known = np.asarray((~_reads(layer) | source.known).all(axis=1))
        else:
            known = ~_reads(layer) | source.known
        values = observed[layer.target].reshape(-1, known.size)
        known = known & (values == values[0]).all(axis=0)
        found[layer.target] = Constants(known, values[0].astype(np.int64) - _zero_point(model, layer.target))
    return found


def needed(model: Any, among: Sequence[Layer], free: set[int], known: dict[int, Constants]) -> dict[int, Mask]:
    """The channels that each activation of a layer must keep: all unless it is free, and never none."""
    activations = {t for layer in among for t in (layer.source, layer.target)}
    keep = {t: np.full(_channels(model, t), t not in free) for t in activations}
    folds = {
        layer.operator: foldable(layer, known.get(layer.source) or _nothing(model, layer.source)) for layer in among
    }
    _spread(among, folds, keep)
    while empty := [t for t in activations if not keep[t].any()]:
        keep[min(empty)][0] = True
        _spread(among, folds, keep)
    return keep


def foldable(layer: Layer, source: Constants) -> Mask:
    """The input channels that a layer can do without, given another bias."""
    if not layer.mixes or layer.padded or layer.bias is None:
        return source.zero
    largest = np.abs(layer.bias.astype(np.int64)) + np.abs(sums(layer)) @ np.where(source.known, abs(source.offset), 0)
    return source.known if largest.max() <= np.iinfo(np.int32).max else source.zero


def sums(layer: Layer) -> NDArray[np.int64]:
    """What a layer's output sums gain (outputs, inputs) where all of an input channel is one more."""
    assert layer.weights is not None
    return np.asarray(layer.weights.sum(axis=1, dtype=np.int64))


def _spread(among: Sequence[Layer], folds: dict[int, Mask], keep: dict[int, Mask]) -> None:
    """Keep what is needed for what is kept, until no more is."""
    before = -1
    while (now := sum(int(mask.sum()) for mask in keep.values())) != before:
        before = now
        for layer in reversed(among):
            source, target = keep[layer.source], keep[layer.target]
            if layer.mixes:
                source |= _reads(layer)[target].any(axis=0) & ~folds[layer.operator]
            else:
                source |= target
                target |= source


def _reads(layer: Layer) -> Mask:
    """Which weights are not all zero: (outputs, inputs) or (channels,)."""
    assert layer.weights is not None
    return np.asarray(layer.weights.any(axis=1 if layer.mixes else 0))


def _nothing(model: Any, tensor: int) -> Constants:
    size = _channels(model, tensor)
    return Constants(np.zeros(size, np.bool_), np.zeros(size, np.int64))


def _channels(model: Any, tensor: int) -> int:
    return int(model.subgraphs[0].tensors[tensor].shape[-1])


def _zero_point(model: Any, tensor: int) -> int:
    points = model.subgraphs[0].tensors[tensor].quantization.zeroPoint
    return int(points[0]) if points is not None and len(points) else 0


def _is_plain(model: Any, operator: Any) -> bool:
    """Whether an operator reads one int8 activation and writes another, each of one scale and of some dimensions."""
    if len(operator.inputs) < 1 or len(operator.outputs) != 1 or operator.inputs[0] == operator.outputs[0]:
        return False
    for index in (operator.inputs[0], operator.outputs[0]):
        tensor = model.subgraphs[0].tensors[index]
        quantization = tensor.quantization
        scales = quantization.scale if quantization else None
        if tensor.type != INT8 or tensor.shape is None or not len(tensor.shape) or 0 in tensor.shape:
            return False
        if scales is None or len(scales) != 1 or tensor_data(model, int(index)) is not None:
            return False
    return True


def _ends(operator: Any) -> tuple[int, int]:
    return int(operator.inputs[0]), int(operator.outputs[0])


def _weights(model: Any, operator: Any, axis: int) -> tuple[NDArray[np.int8], NDArray[np.int32] | None] | None:
    """A layer's weights and bias, if they are constants that are understood: no zero points, channels on that axis."""
    inputs = [int(t) for t in operator.inputs]
    weights = tensor_data(model, inputs[1]) if len(inputs) in (2, 3) else None
    if weights is None or weights.dtype != np.int8:
        return None
    quantization = model.subgraphs[0].tensors[inputs[1]].quantization
    scales = quantization.scale if quantization else None
    points = quantization.zeroPoint if quantization else None
    if scales is None or (points is not None and np.any(points)):
        return None
    if len(scales) != 1 and (quantization.quantizedDimension != axis or len(scales) != weights.shape[axis]):
        return None
    if len(inputs) == 2 or inputs[2] < 0:
        return weights, None
    bias = tensor_data(model, inputs[2])
    if bias is None or bias.dtype != np.int32 or bias.size != weights.shape[axis]:
        return None
    return weights, bias.ravel()


def _padded(model: Any, layer: tuple[int, int], sizes: tuple[int, int], options: Any) -> bool:
    """Whether a window of these sizes reaches over the edge of its input."""
    source, target = (model.subgraphs[0].tensors[t].shape for t in layer)
    steps = (options.strideH, options.strideW)
    spread = (options.dilationHFactor, options.dilationWFactor)
    axes: Iterator[Any] = zip(source[1:3], target[1:3], sizes, steps, spread, strict=True)
    reach = [(o - 1) * step + (size - 1) * dilation + 1 > i for i, o, size, step, dilation in axes]
    return options.padding != schema.Padding.VALID and any(reach)


def _is_spatial(model: Any, operator: Any, weights: NDArray[np.int8]) -> bool:
    """Whether an operator has options and is of images: weights, input and output of four dimensions."""
    ranks = {weights.ndim, *(len(model.subgraphs[0].tensors[t].shape) for t in _ends(operator))}
    return bool(operator.builtinOptions) and ranks == {4}


def _convolution(model: Any, index: int, operator: Any) -> Layer | None:
    ends, found = _ends(operator), _weights(model, operator, axis=0)
    if not found or not _is_spatial(model, operator, found[0]):
        return None
    weights, bias = found
    outputs, height, width, inputs = weights.shape
    if (inputs, outputs) != (_channels(model, ends[0]), _channels(model, ends[1])):
        return None
    padded = _padded(model, ends, (height, width), operator.builtinOptions)
    return Layer(index, *ends, weights.reshape(outputs, height * width, inputs), bias, padded)


def _depthwise(model: Any, index: int, operator: Any) -> Layer | None:
    ends, found = _ends(operator), _weights(model, operator, axis=3)
    if not found or not _is_spatial(model, operator, found[0]):
        return None
    weights, bias = found
    one, height, width, channels = weights.shape
    if (one, channels, channels) != (1, _channels(model, ends[0]), _channels(model, ends[1])):
        return None
    padded = _padded(model, ends, (height, width), operator.builtinOptions)
    return Layer(index, *ends, weights.reshape(height * width, channels), bias, padded)


def _fully_connected(model: Any, index: int, operator: Any) -> Layer | None:
    ends, found = _ends(operator), _weights(model, operator, axis=0)
    if not found or not operator.builtinOptions or found[0].ndim != 2 or operator.builtinOptions.weightsFormat:
        return None
    weights, bias = found
    outputs, inputs = weights.shape
    if (inputs, outputs) != (_channels(model, ends[0]), _channels(model, ends[1])):
        return None
    return Layer(index, *ends, weights.reshape(outputs, 1, inputs), bias)


def _passes(model: Any, index: int, operator: Any) -> Layer | None:
    """A layer that passes channels on, from as many to as many."""
    ends = _ends(operator)
    return Layer(index, *ends) if _channels(model, ends[0]) == _channels(model, ends[1]) else None


def _pool(model: Any, index: int, operator: Any) -> Layer | None:
    """Only of one quantization. An average leaves out what lies beyond the edge: that of a constant is the constant."""
    before, after = _ends(operator)
    scales = [model.subgraphs[0].tensors[t].quantization.scale[0] for t in (before, after)]
    same = scales[0] == scales[1] and _zero_point(model, before) == _zero_point(model, after)
    return _passes(model, index, operator) if same else None


def _reshape(model: Any, index: int, operator: Any) -> Layer | None:
    """Only where the last dimension stays, and the shape is in the file."""
    computed = len(operator.inputs) > 1 and tensor_data(model, int(operator.inputs[1])) is None
    return None if computed else _passes(model, index, operator)


def _mean(model: Any, index: int, operator: Any) -> Layer | None:
    """Only over other dimensions than the last. Each output is of as many values, so that of a constant is constant."""
    axes = tensor_data(model, int(operator.inputs[1])) if len(operator.inputs) == 2 else None
    rank = len(model.subgraphs[0].tensors[_ends(operator)[0]].shape)
    if axes is None or rank < 2 or any(axis in (-1, rank - 1) for axis in axes.ravel()):
        return None
    return _passes(model, index, operator)
