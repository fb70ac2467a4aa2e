"""Small models made here, for what no trained model has: two inputs, odd names, every type, long runs."""

from collections.abc import Sequence
from itertools import pairwise

from flatbuffers import flexbuffers

from builder import Graph, Op, Tensor, build, options, single

TYPES = ("float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "bool")


def two_by_two() -> bytes:
    """Two inputs, two outputs: their sum, and twice that."""
    left, right, total, twice = (Tensor([1, 4], "int8", 0.5, name=name) for name in ("left", "right", "sum", "twice"))
    return build([Op("ADD", [left, right], [total]), Op("ADD", [total, total], [twice])], [total, twice])


def reshape(dtype: str, scales: Sequence[float] = (), zero_point: int = 0, name: str | bytes = "in") -> bytes:
    """Six values of a type, (2, 3), as they stand."""
    x = Tensor([2, 3], dtype, scales or None, zero_point, axis=len(scales) > 1, name=name)
    return single("RESHAPE", [x], Tensor([6], dtype, scales[:1] or None, zero_point, name="out"))


def chain(length: int, count: int) -> bytes:
    """So many additions, one after another, of tensors of so many elements: a long run."""
    tensors = [Tensor([1, count], "int8", 0.5) for _ in range(length + 1)]
    return build([Op("ADD", [x, x], [y]) for x, y in pairwise(tensors)])


def endless(count: int) -> bytes:
    """A WHILE that adds one to so many int32, and does not end before 2^31 rounds: longer than anyone waits."""

    def carried() -> list[Tensor]:
        return [Tensor([1], "int32"), Tensor([count], "int32")]

    def add_one(a: Tensor, y: Tensor) -> Op:
        return Op("ADD", [a, Tensor.constant([1])], [y], options("Add"))

    asked, go = carried(), Tensor([1], "bool")
    less = Op("LESS", [asked[0], Tensor.constant([2**31 - 1])], [go], options("Less"))
    before, after = carried(), carried()
    body = [add_one(a, y) for a, y in zip(before, after, strict=True)]
    graphs = [Graph([less], [go], asked), Graph(body, after, before)]
    inputs, outputs = carried(), carried()
    loop = Op("WHILE", inputs, outputs, options("While", condSubgraphIndex=1, bodySubgraphIndex=2))
    return build([loop], outputs, inputs, graphs)


def sums() -> bytes:
    """Three int32: each of its inputs added to what it keeps of them in a variable, which starts as 10, 20 and 30."""

    def handle() -> tuple[Tensor, Op]:
        made = Tensor([1], "resource")
        return made, Op("VAR_HANDLE", [], [made], options("VarHandle", container=b"", sharedName=b"sum"))

    def assign(h: Tensor, value: Tensor) -> Op:
        return Op("ASSIGN_VARIABLE", [h, value], [], options("AssignVariable"))

    first, make_first = handle()
    h, make = handle()
    x, kept, y = (Tensor([3], "int32") for _ in range(3))
    ops = [
        Op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1)),
        make,
        Op("READ_VARIABLE", [h], [kept], options("ReadVariable")),
        Op("ADD", [x, kept], [y], options("Add")),
        assign(h, y),
    ]
    start = Graph([make_first, assign(first, Tensor.constant([10, 20, 30]))], [], [])
    return build(ops, [y], [x], [start])


def waits() -> bytes:
    """The last two of its inputs (four int8), as floats; new ones with every third, else those of before."""
    x, row = Tensor([1, 1, 1, 4], "int8", 0.5), Tensor([1, 2, 1, 4], "int8", 0.5)
    fields = bytes(flexbuffers.Dumps({"cycles_max": 3}))
    ops = [
        Op("CUSTOM", [x], [row], None, "CIRCULAR_BUFFER", fields),
        Op("DEQUANTIZE", [row], [Tensor([1, 2, 1, 4])]),
    ]
    return build(ops, inputs=[x])


def one_operator(name: str, dtype: str = "int8", custom: str | None = None) -> bytes:
    """One operator with one input of a type and one output: for what load refuses."""
    x, y = Tensor([1, 4], dtype, name="in"), Tensor([1, 4], dtype, name="out")
    return build([Op(name, [x, x] if name == "ADD" else [x], [y], custom_code=custom)])
