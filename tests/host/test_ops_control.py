"""IF, WHILE, CALL_ONCE and resource variables beside tflite-micro: subgraphs, and state from one invoke to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tflite_micro import runtime

import draw
from arenite.engine import Engine, HostModel
from builder import Graph, Op, Tensor, build, options
from reference import Array, compared, refusal, same

CASES = 24
TYPES = ["float32", "int8", "int16", "int32"]


def add(a: Tensor, b: Tensor, y: Tensor) -> Op:
    """An ADD."""
    return Op("ADD", [a, b], [y], options("Add"))


def like(shape: Sequence[int], dtype: str) -> Tensor:
    """An activation; 8 and 16 bits are quantized, always alike."""
    return Tensor(shape, dtype, 0.5 if dtype in ("int8", "int16") else None)


def branch(shape: Sequence[int], dtype: str, swap: bool) -> Graph:
    """Two inputs: their sum and their minimum, or the same in the other order."""
    a, b, total, least = (like(shape, dtype) for _ in range(4))
    ops = [add(a, b, total), Op("MINIMUM", [a, b], [least], options("MaximumMinimum"))]
    return Graph(ops, [least, total] if swap else [total, least], [a, b])


@pytest.mark.parametrize("dtype", TYPES)
def test_if(engine: Engine, dtype: str) -> None:
    """Catches the other branch, inputs in the other order, and an output that the next subgraph overwrites."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        shape = draw.shape(rng, int(rng.integers(1, 4)))
        condition, (a, b, y, z, end) = Tensor([1], "bool"), (like(shape, dtype) for _ in range(5))
        fields = options("If", thenSubgraphIndex=1, elseSubgraphIndex=2)
        ops = [Op("IF", [condition, a, b], [y, z], fields), add(y, a, end)]
        data = build(ops, [y, z, end], [condition, a, b], [branch(shape, dtype, False), branch(shape, dtype, True)])
        for truth in (True, False):
            same(engine, data, [np.array([truth]), draw.values(rng, a), draw.values(rng, b)])


def loop(shape: Sequence[int], dtype: str) -> tuple[bytes, Tensor]:
    """While a counter is less than an input: the counter is one more, and a value is added to another."""
    value, count = (shape, dtype), ([1], "int32")
    ins = [like(*kind) for kind in (value, count, count, value)]
    outs, c, b = ([like(t.shape, t.dtype) for t in ins] for _ in range(3))
    go, sum_, after = Tensor([1], "bool"), like(*value), like(*count)
    condition = Graph([Op("LESS", [c[1], c[2]], [go], options("Less"))], [go], c)
    body = Graph([add(b[1], Tensor.constant([1]), after), add(b[0], b[3], sum_)], [sum_, after, b[2], b[3]], b)
    fields = options("While", condSubgraphIndex=1, bodySubgraphIndex=2)
    return build([Op("WHILE", ins, outs, fields)], outs, ins, [condition, body]), ins[0]


@pytest.mark.parametrize("dtype", TYPES)
def test_while(engine: Engine, dtype: str) -> None:
    """Catches a loop that runs once too often or too seldom, or not at all, and a variable that is not carried on."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        data, value = loop(draw.shape(rng, int(rng.integers(1, 4)), 5), dtype)
        i, limit = np.zeros(1, np.int32), np.array([case % 6], np.int32)
        same(engine, data, [draw.values(rng, value), i, limit, draw.values(rng, value, 1)])


def handle(name: str) -> tuple[Tensor, Op]:
    """A variable's handle, and the operator that makes it."""
    made = Tensor([1], "resource")
    return made, Op("VAR_HANDLE", [], [made], options("VarHandle", container=b"", sharedName=name.encode()))


def sums(shape: Sequence[int], dtype: str, start: Array | None, names: Sequence[str] = ("sum",)) -> bytes:
    """A model that adds its input to what it kept of each variable, keeps that, and gives it.

    Args:
        start: what CALL_ONCE puts into the variables, or None: they start as zeros.
    """
    x = like(shape, dtype)
    ops, outputs, others = [], [], []
    if start is not None:
        first = []
        for name in names:
            h, make = handle(name)
            value = Tensor(shape, dtype, x.scale, data=start)
            first += [make, Op("ASSIGN_VARIABLE", [h, value], [], options("AssignVariable"))]
        others = [Graph(first, [], [])]
        ops = [Op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1))]
    for name in names:
        h, make = handle(name)
        kept, y = like(shape, dtype), like(shape, dtype)
        ops += [make, Op("READ_VARIABLE", [h], [kept], options("ReadVariable")), add(x, kept, y)]
        ops += [Op("ASSIGN_VARIABLE", [h, y], [], options("AssignVariable"))]
        outputs.append(y)
    return build(ops, outputs, [x], others)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("starts", [True, False])
def test_variables(engine: Engine, starts: bool, dtype: str) -> None:
    """Catches state that is lost or shared, a start that comes twice or never, and a reset that leaves something."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        shape = draw.shape(rng, int(rng.integers(1, 4)), 5)
        start = draw.values(rng, like(shape, dtype), 3) if starts else None
        data = sums(shape, dtype, start, ["a", "b"][: 1 + case % 2])
        host, other = HostModel(engine, data), HostModel(engine, data)
        first = np.empty(0)
        for round_ in range(2):
            oracle = runtime.Interpreter.from_bytes(data)
            for step in range(4):
                x = draw.values(rng, like(shape, dtype), 3)
                oracle.set_input(x, 0)
                oracle.invoke()
                expected = [oracle.get_output(i) for i in range(1 + case % 2)]
                for got, right in zip(host.invoke([x]), expected, strict=True):
                    np.testing.assert_array_equal(got, right)
                if step == 0 and round_ == 0:
                    compared(data, [x], expected)
                    first = x
                    other.invoke([first])
            host.reset()
        oracle = runtime.Interpreter.from_bytes(data)
        for _ in range(2):
            oracle.set_input(first, 0)
            oracle.invoke()
        np.testing.assert_array_equal(other.invoke([first])[0], oracle.get_output(0), "another model's state")


def test_refuses(engine: Engine) -> None:
    """Catches subgraphs that are not there, or whose tensors are not the operator's."""
    a, b, y, z = (like([3], "float32") for _ in range(4))
    flag = Tensor([1], "bool")

    def made(then: int, other: Graph, condition: Tensor = flag) -> bytes:
        fields = options("If", thenSubgraphIndex=then, elseSubgraphIndex=2)
        op = Op("IF", [condition, a, b], [y, z], fields)
        return build([op], [y, z], [condition, a, b], [branch([3], "float32", False), other])

    HostModel(engine, made(1, branch([3], "float32", True)))
    assert "subgraph" in refusal(engine, made(3, branch([3], "float32", True)))
    assert "subgraph" in refusal(engine, made(0, branch([3], "float32", True)))
    assert "are not those" in refusal(engine, made(1, branch([4], "float32", True)))
    assert "are not those" in refusal(engine, made(1, branch([3], "int32", True)))
    assert "one bool" in refusal(engine, made(1, branch([3], "float32", True), Tensor([2], "bool")))
