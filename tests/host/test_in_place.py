"""Outputs that lie where an input lies that nothing needs later."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Op, Tensor, build, options
from draw import Rng
from test_rows import check, tensors

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
