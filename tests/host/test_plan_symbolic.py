"""The plan, run with names in place of numbers: who owns each byte of the arena, from the first row to the last.

Where everything lies comes from the plan, the order of rows from a run, and what an operator reads from its options,
worked out here. Every operator finds what it reads as it was written, whatever the numbers are.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.engine import NO_PLACE, PLACE_SCRATCH, Engine, HostModel, Lives
from conftest import reference_model
from test_in_place import joining
from test_rows import GRAPHS, MODELS, network, sizes

BYTES = {schema.TensorType.INT8: 1, schema.TensorType.UINT8: 1, schema.TensorType.INT16: 2}
ELEMENTS = {"ADD", "MUL", "RELU", "LOGISTIC"}


# A place of the plan, and the byte of it that something begins at: 0, or a piece of what is joined.
Where = tuple[int, int]


class Tensor:
    """One tensor: its bytes and rows, and in which place of the plan they lie."""

    def __init__(self, tensor: schema.TensorT, model: schema.ModelT) -> None:
        """Take what is needed from the schema's own."""
        self.shape = [] if tensor.shape is None else [int(n) for n in tensor.shape]
        self.bytes = math.prod(self.shape) * BYTES.get(tensor.type, 4)
        self.constant = model.buffers[tensor.buffer].data is not None
        self.rows = self.shape[1] if len(self.shape) == 4 else 1


class Arena:
    """Who owns each byte, as a place of the plan and a byte of it."""

    def __init__(self, lives: Lives) -> None:
        """Nobody, so far."""
        self.lives = lives
        self.owner = np.full((lives.records + lives.state + lives.activations + 64, 2), -1)

    def addresses(self, place: Where, rows: int, size: int, row: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Where a row of a place lies, or all of it, and which bytes of it these are."""
        p = self.lives.places[place[0]]
        each = size // rows
        which = np.arange(size) if row is None else np.arange(row * each, (row + 1) * each)
        if p.held and row is not None:
            return p.offset + (row % p.held) * each + np.arange(each), which
        assert not p.held, "of a ring nobody reads or writes all"
        return p.offset + place[1] + which, place[1] + which

    def write(self, place: Where, rows: int, size: int, row: int | None) -> None:
        """These bytes are this place's from now on."""
        where, which = self.addresses(place, rows, size, row)
        self.owner[where, 0], self.owner[where, 1] = place[0], which

    def read(self, place: Where, rows: int, size: int, row: int | None, who: str) -> None:
        """They must still be."""
        where, which = self.addresses(place, rows, size, row)
        assert (self.owner[where, 0] == place[0]).all(), f"{who} reads what somebody has written over"
        assert (self.owner[where, 1] == which).all(), f"{who} reads other rows than it needs"


class Operator:
    """What an operator reads for a row of its output."""

    def __init__(self, op: schema.OperatorT, model: schema.ModelT, tensors: list[Tensor]) -> None:
        """Take what is needed from the schema's own."""
        codes = model.operatorCodes[op.opcodeIndex]
        code = max(codes.builtinCode, codes.deprecatedBuiltinCode)  # files of before there was the former
        self.name = next(name for name, n in vars(schema.BuiltinOperator).items() if n == code)
        self.options = op.builtinOptions
        self.output = int(op.outputs[0])
        self.inputs = [int(i) for i in op.inputs if i >= 0 and not tensors[i].constant]
        self.tensors = tensors
        self.constants = [int(i) for i in op.inputs if i >= 0 and tensors[i].constant]
        self.above = 0  # rows of zeros that a PAD has left to it
        self.pads = model.buffers[model.subgraphs[0].tensors[op.inputs[1]].buffer].data if self.name == "PAD" else None

    def sees(self, y: int) -> range:
        """The rows of its inputs for row y."""
        height, out = self.tensors[self.inputs[0]].rows, self.tensors[self.output].rows
        if self.name in ELEMENTS:
            return range(y, y + 1)
        if self.name == "PAD":
            at = y - self.rows_before()
            return range(max(at, 0), min(at + 1, height))
        kernel = self.options.filterHeight if "POOL" in self.name else self.tensors[self.constants[0]].shape[1]
        stride = self.options.strideH
        before = max((out - 1) * stride + kernel - height, 0) // 2 if self.options.padding == 0 else self.above
        return range(max(y * stride - before, 0), min(y * stride - before + kernel, height))

    def rows_before(self) -> int:
        """Of zeros, by PAD."""
        return int(np.frombuffer(bytes(self.pads), np.int32).reshape(4, 2)[1, 0])

    def take_over(self, pad: Operator) -> None:
        """See what the PAD before sees, as that has left its zeros to this."""
        self.inputs[0] = pad.inputs[0]
        self.above = pad.rows_before()


def leave(engine: Engine, data: bytes, operators: list[Operator]) -> set[int]:
    """Let operators behind a PAD without output take what that takes; those PADs."""
    model = HostModel(engine, data)
    left = {k for k, op in enumerate(operators) if op.name == "PAD" and not list(model.op_outputs(k))}
    for k in left:
        operators[k + 1].take_over(operators[k])
    return left


def order(engine: Engine, data: bytes, arena: int) -> list[tuple[int, int | None]]:
    """Operator and row, in the order of the run; None where all is made at once."""

    class Traced(HostModel):
        def _take(self, k: int, outputs: list[np.ndarray]) -> None:
            made = self.rows_made(k)
            events.append((k, None if made is None else made - 1))

    events: list[tuple[int, int | None]] = []
    Traced(engine, data, arena).invoke(each=[])
    return events


def run(engine: Engine, data: bytes, arena: int) -> Counter[str]:
    """Run a plan symbolically; how many operators went by rows, and pieces lay where they are joined."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    tensors = [Tensor(t, model) for t in graph.tensors]
    operators = [Operator(op, model, tensors) for op in graph.operators]
    lives = engine.lives(data, arena)
    place = {p.index: (p.root, p.offset - lives.places[p.root].offset) for p in lives.places if p.index != NO_PLACE}
    scratch = {p.op: (p.root, 0) for p in lives.places if p.kind == PLACE_SCRATCH and p.op != NO_PLACE}
    memory = Arena(lives)
    for i in map(int, graph.inputs):
        memory.write(place[i], 1, tensors[i].bytes, None)
    left = leave(engine, data, operators)
    events = [event for event in order(engine, data, arena) if event[0] not in left]
    calls, seen, counted = Counter(k for k, _ in events), Counter[int](), Counter[str]()
    for k, row in events:
        op = operators[k]
        who = f"op {k} {op.name}, row {row}"
        out, y = tensors[op.output], seen[k]
        seen[k] += 1
        sums = row is None and calls[k] > 1  # it takes a row of its input at a time, and makes its output with the last
        for i in op.inputs:
            x = tensors[i]
            for r in [None] if row is None and not sums else [y] if sums else op.sees(row):
                memory.read(place[i], x.rows, x.bytes, r, who)
        if k in scratch:
            size = lives.places[scratch[k][0]].bytes
            if sums and y > 0:
                memory.read(scratch[k], 1, size, None, f"{who}: its sums")
            memory.write(scratch[k], 1, size, None)
        if op.name == "CONCATENATION":  # what was made in its place keeps its name
            counted["pieces"] += sum(place[i][0] == place[op.output][0] for i in op.inputs)
        elif place[op.output] in {place[i] for i in op.inputs} and row is None:
            continue  # a view, or in place: the bytes are those of the same name
        if not sums or seen[k] == calls[k]:
            memory.write(place[op.output], out.rows, out.bytes, row)
    for i in map(int, graph.outputs):
        memory.read(place[i], tensors[i].rows, tensors[i].bytes, None, "the script")
    counted["rows"] = sum(n > 1 for n in calls.values())
    counted["left"] = len(left)
    return counted


@pytest.mark.parametrize("first", range(0, GRAPHS, 20))
def test_networks(engine: Engine, first: int) -> None:
    """Catches a byte of a tensor that is needed and written over, though by a value that does not show."""
    counted = Counter[str]()
    for seed in range(first, first + 20):
        data, _ = network(seed)
        for arena in sizes(engine, data):
            counted += run(engine, data, arena)
    assert counted["rows"] > 20
    assert counted["left"] > 10


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_joined_images(engine: Engine, first: int) -> None:
    """Catches a piece in its place while the rest of that still belongs to others."""
    counted = Counter[str]()
    for seed in range(first, first + 20):
        data, _ = joining(seed)
        for arena in sizes(engine, data):
            counted += run(engine, data, arena)
    assert counted["pieces"] > 60
    assert counted["rows"] > 20


@pytest.mark.parametrize("name", MODELS)
def test_models(engine: Engine, name: str) -> None:
    """Catches the same in networks of a real size."""
    data = reference_model(name)
    for arena in sizes(engine, data):
        run(engine, data, arena)
