"""Outputs that lie where an input lies that nothing needs later."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import SAME, Graph, Op, Tensor, build, options
from draw import Rng
from reference import Array, same
from test_ops_custom import circular
from test_rows import Network, check, check_all_sizes, tensors

SHAPE = [10, 100]
N = 1000


def flat(dtype: str = "int8", scale: float = 0.05, zero_point: int = 0) -> Tensor:
    """A tensor of no image."""
    return Tensor(SHAPE, dtype, scale, 0 if dtype == "int16" else zero_point)


def activations(engine: Engine, ops: list[Op], outputs: list[Tensor] | None = None) -> int:
    """Bytes of tensors in the smallest arena."""
    return int(HostModel(engine, build(ops, outputs)).model.activations)


def test_a_chain_takes_one_tensor(engine: Engine) -> None:
    """Catches an element-wise operator or a SOFTMAX that takes memory besides its input's."""
    a, b, c, d, e, f = (flat(zero_point=n) for n in range(6))
    y = Tensor(SHAPE, "int8", 1 / 256, -128)
    factor = Tensor([1], "int8", 0.01, 3, np.array([77], np.int8))
    ops = [
        Op("RELU", [a], [b]),
        Op("QUANTIZE", [b], [c]),
        Op("MUL", [c, factor], [d], options("Mul")),
        Op("ADD", [d, d], [e], options("Add")),
        Op("LEAKY_RELU", [e], [f], options("LeakyRelu", alpha=0.25)),
        Op("SOFTMAX", [f], [y], options("Softmax", beta=1.0)),
    ]
    assert activations(engine, ops) <= N + 8 + 256  # the table of one of them
    data = build(ops)
    check(
        engine,
        data,
        draw.values(np.random.default_rng(1), a),
        engine.arena_needed(data),
        tensors(data, draw.values(np.random.default_rng(1), a)),
    )


def test_what_is_needed_later_stays(engine: Engine) -> None:
    """Catches an input that is read again, or is an output of the model, and was written over."""
    a, b, c = (flat() for _ in range(3))
    later = [Op("RELU", [a], [b]), Op("ADD", [a, b], [c], options("Add"))]
    assert activations(engine, later) >= 2 * N
    shown = [Op("RELU", [a], [b]), Op("RELU6", [b], [c])]
    assert activations(engine, shown, [b, c]) >= 2 * N
    assert activations(engine, shown) < 2 * N


def test_wider_outputs_lie_elsewhere(engine: Engine) -> None:
    """Catches an output of more bytes over its input, which would write over what was not read yet."""
    a, wide = flat(), flat("int16", 0.001)
    assert activations(engine, [Op("QUANTIZE", [a], [wide])]) >= 3 * N


def tangle(rng: Rng) -> tuple[list[Op], list[Tensor]]:
    """Operators on what is there already, which may be read again any time later; and what the model shows."""
    made, ops = [flat(zero_point=-3)], []
    for _ in range(int(rng.integers(3, 14))):
        x, other = (made[-1 - int(rng.integers(min(3, len(made))))] for _ in range(2))
        y = flat(zero_point=int(rng.integers(-20, 20)))
        kind = int(rng.integers(6))
        if kind == 0:
            view = Tensor([N], "int8", x.scale, x.zero_point)
            back = Tensor(SHAPE, "int8", x.scale, x.zero_point)
            ops += [Op("RESHAPE", [x, Tensor.constant([N])], [view], options("Reshape", newShape=[N]))]
            ops += [Op("RESHAPE", [view, Tensor.constant(SHAPE)], [back], options("Reshape", newShape=SHAPE))]
            y = back
        elif kind == 1:
            ops.append(Op(str(rng.choice(["ADD", "SUB", "MUL"])), [x, other], [y]))
            ops[-1].options = options(ops[-1].name.capitalize())
        elif kind == 2:
            wide = flat("int16", 0.001)
            ops += [Op("QUANTIZE", [x], [wide]), Op("QUANTIZE", [wide], [y])]
        elif kind == 3:
            y = Tensor(SHAPE, "int8", 1 / 256, -128)
            ops.append(Op("SOFTMAX", [x], [y], options("Softmax", beta=1.0)))
        else:
            ops.append(Op(str(rng.choice(["RELU", "RELU6"])), [x], [y]))
        made.append(y)
    shown = [t for t in made[1:-1] if rng.random() < 0.2]
    return ops, [*shown, made[-1]]


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_tangles(engine: Engine, first: int) -> None:
    """Catches any tensor that is written over while something still needs it, through views too."""
    for seed in range(first, first + 20):
        rng = np.random.default_rng([11, seed])
        ops, shown = tangle(rng)
        data = build(ops, shown)
        x = draw.values(rng, ops[0].inputs[0])
        reference = tensors(data, x)
        expected = {id(op.outputs[0]): value for op, value in zip(ops, reference, strict=True)}
        for arena in (None, 1 << 18):
            model = HostModel(engine, data, arena)
            model.poison(0xA5)
            for have, tensor in zip(model.invoke([x]), shown, strict=True):
                np.testing.assert_array_equal(have, expected[id(tensor)])
        with pytest.raises(Exception, match="arena"):
            HostModel(engine, data, engine.arena_needed(data) - 16)


# ---- joined in place -------------------------------------------------------------------------------------------------

PART = [4, 100]  # bytes: a multiple of the alignment


def part(shape: list[int] = PART) -> Tensor:
    """An activation, quantized as all that is joined."""
    return Tensor(shape, "int8", 0.05, 3)


def join(pieces: list[Tensor]) -> Op:
    """The CONCATENATION of these along the outermost axis."""
    y = part([sum(t.shape[0] for t in pieces), *pieces[0].shape[1:]])
    return Op("CONCATENATION", pieces, [y], options("Concatenation", axis=0))


def relu(x: Tensor) -> Op:
    """An operator without scratch, which here never writes over its input."""
    return Op("RELU", [x], [part(list(x.shape))])


def made(op: Op) -> Tensor:
    """What an operator gives."""
    return op.outputs[0]


def joined(engine: Engine, ops: list[Op], outputs: list[Tensor] | None = None) -> float:
    """Bytes of tensors in the smallest arena, in units of a piece; the outputs are those of tflite-micro."""
    data = build(ops, outputs)
    same(engine, data, [draw.values(np.random.default_rng(5), ops[0].inputs[0])])
    return activations(engine, ops, outputs) / 400


def test_pieces_are_written_into_place(engine: Engine) -> None:
    """Catches a copy: beside what they are made of there is the output only."""
    x = part()
    a, b, c = relu(x), relu(x), relu(x)
    assert joined(engine, [a, b, c, join([made(a), made(b), made(c)])]) == 1 + 3
    assert joined(engine, [a, b, c, join([made(c), made(a), made(b)])]) == 1 + 3
    packed = Op("PACK", [made(a), made(b)], [part([2, *PART])], options("Pack", axis=0, valuesCount=2))
    assert joined(engine, [a, b, packed]) == 1 + 2
    flat_a, flat_b = (
        Op("RESHAPE", [made(op), Tensor.constant([400])], [part([400])], options("Reshape")) for op in (a, b)
    )
    assert joined(engine, [a, flat_a, b, flat_b, join([made(flat_a), made(flat_b)])]) == 1 + 2


def test_pieces_of_pieces(engine: Engine) -> None:
    """Catches a place inside a place that is counted from the wrong start."""
    x = part()
    a, b, c, d = (relu(x) for _ in range(4))
    inner = join([made(a), made(b)])
    assert joined(engine, [a, b, inner, c, join([made(c), made(inner)])]) == 1 + 3
    other = join([made(c), made(d)])
    assert joined(engine, [a, b, inner, c, d, other, join([made(inner), made(other)])]) == 1 + 4


def test_what_is_no_ones_alone_is_copied(engine: Engine) -> None:
    """Catches a constant in the arena, a piece named twice that is in one place only, and a copy of the input."""
    x = part()
    a, b = relu(x), relu(x)
    k = Tensor(PART, "int8", 0.05, 3, np.arange(400).astype(np.int8).reshape(PART))
    assert joined(engine, [a, b, join([made(a), k, made(b)])]) == 1 + 3
    assert joined(engine, [a, join([made(a), made(a), k])]) == 1 + 3
    assert joined(engine, [a, join([x, made(a)])]) == 2
    assert joined(engine, [a, b, join([made(a), x, made(b), x])]) == 4


def test_pieces_that_are_read_later(engine: Engine) -> None:
    """Catches a piece that is written over with the whole, or holds that for longer than it is needed."""
    x = part()
    a, b = relu(x), relu(x)
    whole = join([made(a), made(b)])
    twice = Op("ADD", [made(a), made(b)], [part()], options("Add"))
    assert joined(engine, [a, b, whole], [made(a), made(whole)]) == 1 + 1 + 2
    assert joined(engine, [a, b, whole, twice], [made(whole), made(twice)]) == 2 + 2
    after = relu(made(whole))
    assert joined(engine, [a, b, whole, after]) == 1 + 2
    assert joined(engine, [a, b, whole, after, twice], [made(after), made(twice)]) == 2 + 2 + 256 / 400  # its table


def test_joining_never_takes_more(engine: Engine) -> None:
    """Catches a whole that is alive for the sake of an early piece while something large has to be there."""
    x, wide = part(), part([40, 100])
    early = relu(x)
    grow = Op("PAD", [x, Tensor.constant([[0, 36], [0, 0]])], [wide], options("Pad"))
    small = Op("SLICE", [wide, Tensor.constant([0, 0]), Tensor.constant(PART)], [part()])
    whole = join([made(early), made(small)])
    assert joined(engine, [early, grow, small, whole]) == 1 + 10 + 1


def test_places_that_are_not_aligned(engine: Engine) -> None:
    """Catches a piece that begins where a kernel may not load words."""
    x = part([3, 11])
    a, b = relu(x), relu(x)
    ops = [a, b, join([made(a), made(b)])]
    assert joined(engine, ops) == (48 + 80) / 400  # the second over the input, as it is copied
    data = build(ops)
    places = engine.lives(data, engine.arena_needed(data)).places
    assert [(p.root == 3, p.offset % 16 == places[3].offset % 16) for p in places[1:3]] == [(True, True), (False, True)]


def test_pieces_in_subgraphs(engine: Engine) -> None:
    """Catches a piece in place of what a loop or a branch hands on, which is copied while it is read."""

    def body(x: Tensor, i: Tensor) -> Graph:
        half = part([2, 100])
        first = Op("SLICE", [x, Tensor.constant([0, 0]), Tensor.constant([2, 100])], [half])
        last = Op("SLICE", [x, Tensor.constant([2, 0]), Tensor.constant([2, 100])], [part([2, 100])])
        turned = relu(made(last))
        after = Op("ADD", [i, Tensor.constant([1])], [Tensor([1], "int32")], options("Add"))
        swapped = join([made(turned), half])
        return Graph([first, last, turned, after, swapped], [made(swapped), made(after)], [x, i])

    ins, outs, c, b = ([part(), Tensor([1], "int32")] for _ in range(4))
    go = Tensor([1], "bool")
    condition = Graph([Op("LESS", [c[1], Tensor.constant([3])], [go], options("Less"))], [go], c)
    fields = options("While", condSubgraphIndex=1, bodySubgraphIndex=2)
    data = build([Op("WHILE", ins, outs, fields)], outs, ins, [condition, body(*b)])
    rng = np.random.default_rng(3)
    for i in range(4):
        same(engine, data, [draw.values(rng, ins[0]), np.array([i], np.int32)])

    flag, x, i = Tensor([1], "bool"), part(), Tensor([1], "int32")
    outs = [part(), Tensor([1], "int32")]
    fields = options("If", thenSubgraphIndex=1, elseSubgraphIndex=2)
    other = relu(x)
    ops = [Op("IF", [flag, x, i], outs, fields), other, join([outs[0], made(other), outs[0]])]
    graphs = [body(part(), Tensor([1], "int32")) for _ in range(2)]
    data = build(ops, [made(ops[-1]), outs[1]], [flag, x, i], graphs)
    for truth in (True, False):
        same(engine, data, [np.array([truth]), draw.values(rng, x), np.array([5], np.int32)])


def test_a_run_that_ends_early_spoils_nothing(engine: Engine) -> None:
    """Catches a piece that is written into an output of a run that then waits."""
    x, y = Tensor([1, 1, 1, 16], "int8", 0.5, 0), Tensor([1, 2, 1, 16], "int8", 0.5, 0)
    first, kept, whole = (Tensor(shape, "int8", 0.5, 0) for shape in ([1, 1, 1, 16], y.shape, [1, 3, 1, 16]))
    ops = [
        Op("RELU", [x], [first]),
        circular(first, y, cycles=2),
        Op("RELU", [y], [kept]),
        Op("CONCATENATION", [first, kept], [whole], options("Concatenation", axis=1)),
    ]
    host = HostModel(engine, build(ops, inputs=[x]))
    steps = [host.invoke([np.full(x.shape, k, np.int8)])[0][0, :, 0, 0].tolist() for k in range(1, 6)]
    assert steps == [[0, 0, 0], [2, 1, 2], [2, 1, 2], [4, 3, 4], [4, 3, 4]]


class Joining(Network):
    """A random network of images, some of which are joined along their rows."""

    def add_join(self) -> None:
        """Two or three images of as many columns and channels, some of them wider than what they are made of."""
        x, pieces = self.x, []
        for _ in range(int(self.rng.integers(2, 4))):
            kernel = [int(self.rng.choice([1, 3])) if n >= 3 else 1 for n in x.shape[1:3]]
            y = self.conv(x, 16, kernel, [1, 1], SAME)
            y.scale, y.zero_point = 0.1, -7
            pieces.append(y)
            if self.rng.random() < 0.3:
                x = y
        if self.rng.random() < 0.2:
            pieces.append(pieces[0])
        if self.rng.random() < 0.2:
            shape = [1, 2, *pieces[0].shape[2:]]
            pieces.append(Tensor(shape, "int8", 0.1, -7, self.rng.integers(-128, 128, shape).astype(np.int8)))
        self.rng.shuffle(pieces)  # type: ignore[arg-type]
        whole = Tensor([1, sum(t.shape[1] for t in pieces), *pieces[0].shape[2:]], "int8", 0.1, -7)
        self.ops.append(Op("CONCATENATION", pieces, [whole], options("Concatenation", axis=1)))
        self.x = whole if self.rng.random() < 0.8 else next(t for t in pieces if t.data is None)


def joining(seed: int) -> tuple[bytes, Array]:
    """A model with one or two such, and an input."""
    rng = np.random.default_rng([12, seed])
    net = Joining(rng)
    pieces = [net.add_conv, net.add_depthwise, net.add_pool, net.add_residual, net.add_element]
    for _ in range(int(rng.integers(1, 3))):
        for _ in range(int(rng.integers(3))):
            pieces[int(rng.integers(5))]()
        net.add_join()
    for _ in range(int(rng.integers(3))):
        pieces[int(rng.integers(5))]()
    net.end()
    return build(net.ops), draw.values(rng, net.input)


@pytest.mark.parametrize("first", range(0, 100, 10))
def test_joined_images(engine: Engine, first: int) -> None:
    """Catches a chain run by rows that takes a whole for one of its pieces, or the other way round."""
    for seed in range(first, first + 10):
        check_all_sizes(engine, *joining(seed))
