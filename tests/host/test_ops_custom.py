"""Custom operators: CIRCULAR_BUFFER against tflite-micro, and how their options are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

import draw
from arenite.engine import Engine, HostModel
from builder import Op, Tensor, build, single
from reference import compared, refusal

Array = np.ndarray[Any, np.dtype[Any]]


def circular(x: Tensor, y: Tensor, *outputs: Tensor, cycles: int | None = 1, more: bytes | None = None) -> Op:
    """A CIRCULAR_BUFFER; more replaces its options."""
    fields = None if cycles is None else bytes(flexbuffers.Dumps({"cycles_max": cycles}))
    return Op("CUSTOM", [x], [y, *outputs], None, "CIRCULAR_BUFFER", fields if more is None else more)


def micro(model: bytes, steps: list[Array], count: int) -> list[list[Array]]:
    """What tflite-micro gives, step by step."""
    oracle = runtime.Interpreter.from_bytes(model, arena_size=1 << 16)
    found = []
    for x in steps:
        oracle.set_input(x, 0)
        oracle.invoke()
        found.append([oracle.get_output(i) for i in range(count)])
    return found


@pytest.mark.parametrize("seed", range(48))
def test_circular_buffer(engine: Engine, seed: int) -> None:
    """Catches rows in another order, a row that forgets, cycles counted otherwise, a reset that leaves something."""
    rng = np.random.default_rng(seed)
    slots, n, depth, cycles = (int(rng.integers(1, k)) for k in (7, 4, 6, 4))
    zero, variable, tells = draw.zero_point(rng, "int8"), seed % 3 != 0, bool(seed % 2)
    x = Tensor([1, 1, n, depth], "int8", 0.5, zero)
    y = Tensor([1, slots, n, depth], "int8", 0.5, zero, variable=variable)
    outputs = [Tensor([1], "bool")] if tells else []
    model = build([circular(x, y, *outputs, cycles=cycles)], inputs=[x])
    steps = [draw.values(rng, x) for _ in range(slots + 5)]
    expected = micro(model, steps, 1 + tells)
    if not variable:  # tflite-micro starts with what lies in its arena
        for k in range(slots):
            expected[k][0] = expected[k][0].copy()
            expected[k][0][:, : slots - 1 - k] = zero
    host = HostModel(engine, model)
    for _ in range(2):
        if tells or cycles == 1:
            for data, rows in zip(steps, expected, strict=True):
                for got, wanted in zip(host.invoke([data]), rows, strict=True):
                    np.testing.assert_array_equal(got, wanted.reshape(got.shape))
        host.reset()
    if tells or cycles == 1:
        compared(model, [steps[0]], expected[0])


@pytest.mark.parametrize("variable", [False, True])
def test_what_follows_waits(engine: Engine, variable: bool) -> None:
    """Catches a run that goes on with half a row, and outputs of the last whole run that a short one spoils."""
    x = Tensor([1, 1, 1, 4], "int8", 0.5, 0)
    y = Tensor([1, 2, 1, 4], "int8", 0.5, 0, variable=variable)
    z, first = Tensor([1, 2, 1, 4]), Tensor([1, 1, 1, 4], "int8", 0.5, 0)
    ops = [Op("RELU", [x], [first]), circular(first, y, cycles=3), Op("DEQUANTIZE", [y], [z])]
    host = HostModel(engine, build(ops, inputs=[x]))
    outputs = [host.invoke([np.full([1, 1, 1, 4], k, np.int8)])[0][0, :, 0, 0].tolist() for k in range(1, 10)]
    assert outputs[2:] == [[1.0, 1.5]] * 3 + [[2.5, 3.0]] * 3 + [[4.0, 4.5]]


@pytest.mark.parametrize(("slots", "cycles"), [(5, 1), (13, 1), (25, 1), (6, 2), (2, 2)])
def test_cycles_that_are_missing(engine: Engine, slots: int, cycles: int) -> None:
    """Catches a guess unlike tflite-micro's."""
    x, y = Tensor([1, 1, 1, 1], "int8", 0.5, 0), Tensor([1, slots, 1, 1], "int8", 0.5, 0)
    for fields in ({"cycles": None}, {"cycles": 0}, {"cycles": -3}):
        model = build([circular(x, y, Tensor([1], "bool"), **fields)])
        host, data = HostModel(engine, model), np.zeros([1, 1, 1, 1], np.int8)
        flags = [bool(host.invoke([data])[1]) for _ in range(4)]
        assert flags == [(k + 1) % cycles == 0 for k in range(4)]
        assert [bool(step[1]) for step in micro(model, [data] * 4, 2)] == flags


def test_circular_buffer_refuses(engine: Engine) -> None:
    """Catches shapes and types that are trusted, and cycles that nobody can know."""

    def says(x: list[int], y: list[int], *more: Tensor, dtype: str = "int8", cycles: int | None = 1) -> str:
        text = refusal(engine, build([circular(Tensor(x, "int8", 0.5), Tensor(y, dtype, 0.5), *more, cycles=cycles)]))
        assert text.startswith("op 0 CIRCULAR_BUFFER: ")
        return text

    assert "output int16" in says([1, 1, 1, 4], [1, 3, 1, 4], dtype="int16")
    for x, y in (
        ([1, 1, 1, 4], [1, 3, 1, 5]),
        ([1, 1, 2, 4], [1, 3, 1, 4]),
        ([1, 2, 1, 4], [1, 3, 1, 4]),
        ([2, 1, 1, 4], [2, 3, 1, 4]),
        ([1, 1, 1, 4], [1, 0, 1, 4]),
        ([1, 1, 4], [1, 3, 1, 4]),
        ([1, 1, 1, 4], [3, 1, 4]),
    ):
        assert "the input must be" in says(x, y)
    assert "one bool" in says([1, 1, 1, 4], [1, 3, 1, 4], Tensor([2], "bool"))
    assert "one bool" in says([1, 1, 1, 4], [1, 3, 1, 4], Tensor([1], "int8"))
    assert "cycles_max is missing" in says([1, 1, 2, 96], [1, 4, 2, 96], cycles=None)


def test_another_custom_operator_is_refused_by_its_name(engine: Engine) -> None:
    """Catches a name of which only the start is compared."""
    x, y = Tensor([1, 1, 1, 4], "int8", 0.5), Tensor([1, 3, 1, 4], "int8", 0.5)
    for name in ("CIRCULAR_BUFFER2", "CIRCULAR", "ABS"):
        text = refusal(engine, build([Op("CUSTOM", [x], [y], None, name, b"")]))
        assert text == f"op 0 {name}: this custom operator is not compiled in"


def test_every_operator_of_the_schema_is_refused_by_its_name(engine: Engine) -> None:
    """Catches names that are out of order; the StableHLO ones, of which no names are kept, go by their numbers."""
    x, y = Tensor([1]), Tensor([1])
    lacking = [name for name in vars(schema.BuiltinOperator) if name[0] != "_" and name not in engine.ops()]
    lacking = [name for name in lacking if name not in ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES")]
    assert len(lacking) > 80
    for name in lacking:
        code = getattr(schema.BuiltinOperator, name)
        said = name if code <= schema.BuiltinOperator.RIGHT_SHIFT else code
        assert refusal(engine, single(name, [x], y)) == f"op 0: operator {said} is not compiled in"


def cycle_of(engine: Engine, options: bytes) -> int:
    """What cycles_max is read from the options."""
    x, y = Tensor([1, 1, 1, 1], "int8", 0.5), Tensor([1, 3, 1, 1], "int8", 0.5)
    host = HostModel(engine, build([circular(x, y, Tensor([1], "bool"), more=options)]))
    flags = [bool(host.invoke([np.zeros([1, 1, 1, 1], np.int8)])[1]) for _ in range(12)]
    return flags.index(True) + 1 if True in flags else 0


@pytest.mark.parametrize(
    "value",
    [
        3,
        3.0,
        3.7,
        200,
        70000,
        1 << 40,
        True,
        "3",
        [3],
        None,
        -1,
        -(1 << 40),
        12345678901.3,
        -12345678901.3,
        float("nan"),
    ],
)
@pytest.mark.parametrize("others", [{}, {"a": 1, "z": "long" * 80}, {"a": 1 << 40, "cycles_ma": 7, "cycles_max2": 9}])
def test_values_of_options(engine: Engine, value: object, others: dict[str, object]) -> None:
    """Catches a width, a sign or a kind of number that is read as another, and a key found by its start."""
    expected = int(value) if isinstance(value, bool | int) or value in (3.0, 3.7) else 0
    if isinstance(value, float) and value > 1e9:
        expected = 1 << 31
    cycles = cycle_of(engine, bytes(flexbuffers.Dumps({"cycles_max": value, **others})))
    assert cycles == (2 if expected <= 0 else expected if expected <= 12 else 0)


def test_indirect_values(engine: Engine) -> None:
    """Catches a number that is not stored in the map itself."""
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("cycles_max")
        builder.IndirectInt(5)
        builder.Key("x")
        builder.IndirectFloat(1.5)
    assert cycle_of(engine, bytes(builder.Finish())) == 5


@pytest.mark.parametrize("value", [3, 70000, 1 << 40, 2.5])
def test_damaged_options(engine: Engine, value: object) -> None:
    """Catches a read outside of the options: each byte in turn becomes others, each end is cut off."""
    good = bytes(flexbuffers.Dumps({"cycles_max": value, "some": [1, 2, 3], "text": "abc"}))
    for i in range(len(good)):
        for byte in (0, 1, 3, 127, 128, 255, good[i] ^ 1, good[i] ^ 4):
            cycle_of(engine, good[:i] + bytes([byte]) + good[i + 1 :])
        cycle_of(engine, good[:i])
        cycle_of(engine, good[i:])


def test_variables_that_operators_write(engine: Engine) -> None:
    """Catches an operator that writes what it reads, and a variable that lies elsewhere when it is only passed on."""
    x, v, z = Tensor([4]), Tensor([4], variable=True), Tensor([4])
    text = refusal(engine, build([Op("ADD", [x, v], [v]), Op("ABS", [v], [z])], inputs=[x]))
    assert "which is an input, a constant or written before" in text
    # The variable is read before it is written: what the run before wrote.
    shape = Tensor.constant([4])
    host = HostModel(engine, build([Op("ABS", [v], [z]), Op("RESHAPE", [x, shape], [v])], outputs=[z], inputs=[x]))
    found = [host.invoke([np.full(4, k, np.float32)])[0].tolist() for k in (1, 2, 3)]
    assert found == [[0.0] * 4, [1.0] * 4, [2.0] * 4]
