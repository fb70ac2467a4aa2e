"""Models without their constant channels: fewer bytes and less work, and the same outputs to the bit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from arenite import channels, repack
from arenite.errors import UserError
from arenite.model import Model, Operator, model_of
from arenite.oracle import Oracle
from arenite.verify import SEED, random_inputs


@dataclass(frozen=True)
class Cut:
    """What one operator's output has lost."""

    operator: Operator
    before: int
    after: int


@dataclass(frozen=True)
class Shrunk:
    """A model's new file, and the operators whose outputs have fewer channels. The file as it was if nothing goes."""

    model: Model
    cuts: tuple[Cut, ...]


def shrink(model: Model, inputs: int, console: Console) -> Shrunk:
    """A model without its constant and its unread channels, and without unused tensors, buffers and operator codes.

    Args:
        inputs: on how many seeded random inputs, beside a few extreme ones, its outputs must be those of the model.
        console: where progress is shown.

    Raises:
        UserError: tflite-micro does not run the model, or not with the same outputs.
    """
    oracle = Oracle(model)
    unpacked = repack.unpack_whole(model)
    cuts = _cut(model, unpacked)
    repack.compact(unpacked)
    shrunk = model_of(model.path, repack.pack(unpacked))
    if not cuts and len(shrunk.data) >= len(model.data):
        shrunk = model
    compare(shrunk, oracle, inputs, console)
    return Shrunk(shrunk, cuts)


def table(shrunk: Shrunk) -> Table:
    """The channels that are gone, an operator a row."""
    made = Table("", "operator", "channels", "now", "name")
    for cut in shrunk.cuts:
        made.add_row(str(cut.operator.index), cut.operator.op, str(cut.before), str(cut.after), cut.operator.name)
    return made


def _cut(model: Model, unpacked: Any) -> tuple[Cut, ...]:
    layers = channels.layers(unpacked)
    free = channels.free_tensors(unpacked, layers)
    if not free:
        return ()
    known = channels.constants(unpacked, layers, _observe(model, layers))
    keep = channels.needed(unpacked, layers, free, known)
    repack.cut(unpacked, layers, keep, known)
    masks = [(model.operators[layer.operator], keep[layer.target]) for layer in layers]
    return tuple(Cut(operator, mask.size, int(mask.sum())) for operator, mask in masks if not mask.all())


def _observe(model: Model, layers: list[channels.Layer]) -> dict[int, NDArray[np.int8]]:
    """The values that each layer gives for some input."""
    oracle = Oracle(model, keep=True)
    _run(oracle, next(_inputs(model, 0)))
    outputs = {layer.target: oracle.outputs_of(model.operators[layer.operator])[0] for layer in layers}
    return {tensor: np.frombuffer(data, np.int8) for tensor, data in outputs.items()}


def _inputs(model: Model, count: int) -> Iterator[list[bytes]]:
    """All inputs lowest, highest, and at their zero points; then so many random ones, of the whole range."""
    graph = repack.unpack(model.data).subgraphs[0]

    def extreme(which: str) -> list[bytes]:
        rows = []
        for tensor in model.inputs:
            quantization = graph.tensors[tensor.index].quantization
            points = quantization.zeroPoint if quantization else None
            value = int(points[0]) if points is not None and len(points) else 0
            if which != "zero" and tensor.dtype.kind in "iu" and tensor.dtype.itemsize <= 2:
                value = int(getattr(np.iinfo(tensor.dtype), which))
            rows.append(np.full(tensor.shape, value, tensor.dtype).tobytes())
        return rows

    yield from map(extreme, ("min", "max", "zero"))
    generator = np.random.default_rng(SEED)
    for row in random_inputs(model, count):
        yield [
            generator.standard_normal(tensor.shape, np.float32).tobytes() if tensor.dtype == np.float32 else data
            for tensor, data in zip(model.inputs, row, strict=True)
        ]


def _run(oracle: Oracle, row: list[bytes]) -> list[bytes]:
    try:
        return oracle.invoke(row)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"{oracle.model.path}: tflite-micro cannot run this model: {error}") from error


def compare(shrunk: Model, oracle: Oracle, count: int, console: Console) -> None:
    """Run a model and another version of it on the same inputs: a few extreme ones and `count` random ones.

    Raises:
        UserError: an output differs, in whatever bit.
    """
    other = Oracle(shrunk)
    rows = _inputs(oracle.model, count)
    for row in track(rows, "comparing", count + 3, console=console, transient=True, disable=not console.is_terminal):
        if _run(oracle, row) != _run(other, row):
            raise UserError(f"{shrunk.path}: the outputs would differ; nothing is written")
