"""Element-wise operators of two tensors beside tflite-micro: arithmetic, comparisons, logic, extremes.

Every operator and type runs on the same seeded shapes: equal ones, one side broadcast, both sides broadcast, scalars,
sizes of one, nothing at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from arenite.engine import Engine, EngineError, HostModel
from builder import Tensor, options, single
from reference import Array, compared, refusal, same

CASES = 24

OPTIONS = {
    "ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div", "SQUARED_DIFFERENCE": "SquaredDifference",
    "FLOOR_DIV": "FloorDiv", "FLOOR_MOD": "FloorMod", "POW": "Pow", "MAXIMUM": "MaximumMinimum",
    "MINIMUM": "MaximumMinimum", "EQUAL": "Equal", "NOT_EQUAL": "NotEqual", "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterEqual", "LESS": "Less", "LESS_EQUAL": "LessEqual", "LOGICAL_AND": "LogicalAnd",
    "LOGICAL_OR": "LogicalOr",
}  # fmt: skip
COMPARISONS = ["EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"]


def shapes(
    rng: np.random.Generator, case: int, rank: int = 4
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Shapes of two inputs and the output: broadcast in every second case."""
    out = rng.integers(1, 6, rng.integers(1, rank + 1)).tolist()
    if case % 2 == 0:
        return tuple(out), tuple(out), tuple(out)
    a, b = list(out), list(out)
    for i in range(len(out)):
        which = rng.integers(3)
        if which < 2:
            (a, b)[which][i] = 1
    if case % 4 == 1:  # leading ones left out
        b = b[next((i for i, n in enumerate(b) if n != 1), len(b) - 1) :]
    if case % 8 == 3:
        a, b = b, a
    return tuple(a), tuple(b), np.broadcast_shapes(tuple(a), tuple(b))


def values(rng: np.random.Generator, shape: Sequence[int], dtype: str) -> Array:
    """Values of the whole range of an integer type, or around zero, with some repeated so that equality occurs."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype == "float32":
        made = rng.normal(0, 3, shape).astype(np.float32)
        return np.where(rng.random(shape) < 0.3, np.round(made), made).astype(np.float32)
    info = np.iinfo(dtype)
    near = rng.integers(0 if info.min == 0 else -3, 4, shape)
    return np.where(rng.random(shape) < 0.5, near, rng.integers(info.min, info.max, shape, endpoint=True)).astype(dtype)


def quantization(rng: np.random.Generator, dtype: str, symmetric: bool) -> dict[str, Any]:
    """A scale and a zero point, at times at the end of the type's range."""
    info = np.iinfo(dtype)
    zero = rng.choice([0, info.min, info.max, int(rng.integers(info.min, info.max))])
    return {"scale": float(2.0 ** rng.uniform(-9, -1)), "zero_point": 0 if symmetric else int(zero)}


def model(name: str, a: Tensor, b: Tensor, out: Tensor, **fields: Any) -> bytes:
    """One such operator."""
    return single(name, [a, b], out, options(OPTIONS[name], **fields))


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL", "DIV", "SQUARED_DIFFERENCE", "FLOOR_DIV", "FLOOR_MOD"])
def test_float(engine: Engine, name: str) -> None:
    """Catches a wrong formula, a stride not taken, a fused activation ignored; the last bit may differ."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode()])
        sa, sb, so = shapes(rng, case)
        fused = {"fusedActivationFunction": case % 4} if name in ("ADD", "SUB", "MUL", "DIV") else {}
        a, b = values(rng, sa, "float32"), values(rng, sb, "float32")
        if "FLOOR" in name:
            b[b == 0] = 2
        data = model(name, Tensor(sa), Tensor(sb), Tensor(so), **fused)
        same(engine, data, [a, b], rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL", "DIV", "SQUARED_DIFFERENCE"])
def test_int32(engine: Engine, name: str) -> None:
    """Catches a sum that does not wrap, a quotient rounded the wrong way, a fused activation ignored."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode(), 32])
        sa, sb, so = shapes(rng, case)
        fused = {"fusedActivationFunction": case % 4} if name in ("SUB", "MUL", "DIV") else {}
        a, b = values(rng, sa, "int32"), values(rng, sb, "int32")
        if name == "DIV":
            b[(b == 0) | (b == -1)] = 7
        same(engine, model(name, *(Tensor(s, "int32") for s in (sa, sb, so)), **fused), [a, b])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*itertools.product(["ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"], ["int8", "int16"]), ("DIV", "int8")],
)
def test_quantized(engine: Engine, name: str, dtype: str) -> None:
    """Catches a factor off by one bit, float where double is meant, a zero point forgotten, a limit not kept."""
    symmetric = dtype == "int16" and name in ("MUL", "SQUARED_DIFFERENCE")
    for case in range(2 * CASES):
        rng = np.random.default_rng([case, *name.encode(), *dtype.encode()])
        sa, sb, so = shapes(rng, case)
        fused = {"fusedActivationFunction": case % 4} if name != "SQUARED_DIFFERENCE" else {}
        q = [quantization(rng, dtype, symmetric) for _ in range(3)]
        a, b = values(rng, sa, dtype), values(rng, sb, dtype)
        # Beyond these ratios tflite-micro's shifts overflow (see the tests below for what Arenite does there).
        if name == "DIV":
            b[b == q[1]["zero_point"]] += 1 if q[1]["zero_point"] < 0 else -1
            q[2]["scale"] = q[0]["scale"] / q[1]["scale"] * float(2.0 ** -rng.uniform(8, 21))
        elif symmetric:
            q[2]["scale"] = max(q[0]["scale"], q[1]["scale"]) ** 2 * float(2.0 ** rng.uniform(2, 12))
        tensors = [Tensor(s, dtype, **more) for s, more in zip((sa, sb, so), q, strict=True)]
        same(engine, model(name, *tensors, **fused), [a, b])


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM"])
def test_extreme(engine: Engine, name: str, dtype: str) -> None:
    """Catches a type compared as another, and the wrong side taken where numbers are equal or none (NaN)."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode(), *dtype.encode()])
        sa, sb, so = shapes(rng, case)
        a, b = values(rng, sa, dtype), values(rng, sb, dtype)
        if dtype == "float32":
            a[rng.random(sa) < 0.2] = np.nan
            b[rng.random(sb) < 0.2] = np.inf
        same(engine, model(name, *(Tensor(s, dtype) for s in (sa, sb, so))), [a, b])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*itertools.product(COMPARISONS, ["float32", "int8", "int32", "int64"]), ("EQUAL", "bool"), ("NOT_EQUAL", "bool")],
)
def test_comparison(engine: Engine, name: str, dtype: str) -> None:
    """Catches a relation that is another's, scales ignored, NaN taken for a number."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode(), *dtype.encode()])
        sa, sb, so = shapes(rng, case)
        a, b = values(rng, sa, dtype), values(rng, sb, dtype)
        q: list[dict[str, Any]] = [{}, {}]
        if dtype == "int8":
            q = [quantization(rng, dtype, False) for _ in range(2)]
            q[1] = q[0] if case % 3 else q[1]
        elif dtype == "float32":
            a[rng.random(sa) < 0.2] = np.nan
        ta, tb = (Tensor(s, dtype, **more) for s, more in zip((sa, sb), q, strict=True))
        same(engine, model(name, ta, tb, Tensor(so, "bool")), [a, b])


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize("name", COMPARISONS)
def test_comparison_beyond_tflite_micro(engine: Engine, name: str, dtype: str) -> None:
    """Quantized types that tflite-micro does not compare, or (int16) says it does, beside numpy.

    Catches what test_comparison catches, and scales above 1.
    """
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode(), *dtype.encode()])
        sa, sb, so = shapes(rng, case)
        a, b = values(rng, sa, dtype), values(rng, sb, dtype)
        q = [{**quantization(rng, dtype, False), "scale": 2.0 ** float(rng.integers(-3, 5))} for _ in range(2)]
        ta, tb = (Tensor(s, dtype, **more) for s, more in zip((sa, sb), q, strict=True))
        real = [(x.astype(float) - more["zero_point"]) * more["scale"] for x, more in zip((a, b), q, strict=True)]
        got = HostModel(engine, model(name, ta, tb, Tensor(so, "bool"))).invoke([a, b])
        np.testing.assert_array_equal(got[0], NUMPY[name](*real))


@pytest.mark.parametrize("name", ["LOGICAL_AND", "LOGICAL_OR"])
def test_logical(engine: Engine, name: str) -> None:
    """Catches a truth table with a wrong entry."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode()])
        sa, sb, so = shapes(rng, case)
        data = model(name, *(Tensor(s, "bool") for s in (sa, sb, so)))
        same(engine, data, [values(rng, sa, "bool"), values(rng, sb, "bool")])


NUMPY = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "POW": np.power, "FLOOR_DIV": np.floor_divide,
    "FLOOR_MOD": np.mod, "MAXIMUM": np.maximum, "LESS": np.less, "EQUAL": np.equal, "NOT_EQUAL": np.not_equal,
    "LESS_EQUAL": np.less_equal, "GREATER": np.greater, "GREATER_EQUAL": np.greater_equal,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("ADD", "float32"), ("POW", "float32"), ("POW", "int32"), ("FLOOR_DIV", "int32"), ("FLOOR_MOD", "int32"),
        ("MAXIMUM", "uint8"), ("LESS", "uint8"), ("EQUAL", "int16"), ("NOT_EQUAL", "uint8"), ("LESS_EQUAL", "int16"),
    ],
)  # fmt: skip
def test_beyond_tflite_micro(engine: Engine, name: str, dtype: str) -> None:
    """What tflite-micro lacks, and up to 8 dimensions, beside numpy: catches a wrong formula and a lost dimension."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode(), *dtype.encode()])
        sa, sb, so = shapes(rng, case, rank=8)
        a, b = values(rng, sa, dtype), values(rng, sb, dtype)
        if name == "POW":
            a, b = np.abs(a) % 7, np.abs(b) % 9
        if "FLOOR" in name:
            b[b == 0] = 3
        kind = "bool" if name in COMPARISONS else dtype
        data, expected = model(name, Tensor(sa, dtype), Tensor(sb, dtype), Tensor(so, kind)), NUMPY[name](a, b)
        rtol = 2e-6 if dtype == "float32" else 0
        np.testing.assert_allclose(HostModel(engine, data).invoke([a, b])[0], expected, rtol=rtol)
        compared(data, [a, b], [expected], rtol=rtol)


@pytest.mark.parametrize("name", ["ADD", "MUL", "LESS", "MAXIMUM"])
def test_empty(engine: Engine, name: str) -> None:
    """A dimension of none: catches a run that writes one element too many."""
    kind = "bool" if name == "LESS" else "float32"
    data = model(name, Tensor((2, 0, 3)), Tensor((1, 1, 3)), Tensor((2, 0, 3), kind))
    got = HostModel(engine, data).invoke([np.zeros((2, 0, 3), np.float32), np.zeros((1, 1, 3), np.float32)])
    assert got[0].shape == (2, 0, 3)


def test_int32_add_keeps_its_activation(engine: Engine) -> None:
    """tflite-micro ignores it, TensorFlow Lite does not: catches that it goes again."""
    t = [Tensor((4,), "int32") for _ in range(3)]
    a = np.array([-5, 1, 9, -1], np.int32)
    got = HostModel(engine, model("ADD", *t, fusedActivationFunction=3)).invoke([a, np.zeros(4, np.int32)])
    assert got[0].tolist() == [0, 1, 6, 0]


def test_quotients_of_every_ratio(engine: Engine) -> None:
    """DIV of int8 where tflite-micro's shift is out of its range: catches garbage for what is nearly 0, or huge."""
    a, b = np.arange(-128, 128).astype(np.int8).reshape(-1, 1), np.array([-128, -3, -1, 1, 2, 100, 127], np.int8)
    for exponent in range(-30, 31, 3):
        t = [Tensor(a.shape, "int8", 1.0), Tensor(b.shape, "int8", 1.0), Tensor((256, 7), "int8", 2.0**exponent, 3)]
        got = HostModel(engine, model("DIV", *t)).invoke([a, b])
        real = np.clip(a.astype(float) / b * 2.0**-exponent + 3, -128, 127)
        assert np.abs(got[0] - real).max() <= 0.501, exponent


def test_scales_far_apart_saturate(engine: Engine) -> None:
    """Where tflite-micro's shift overflows, or its check ends the process: catches a product that wraps."""
    for name in ("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"):
        t = [Tensor((4,), "int8", 1.0), Tensor((4,), "int8", 1.0), Tensor((4,), "int8", 1e-9)]
        a, b = np.array([100, -100, 0, 5], np.int8), np.array([2, 2, 0, 5], np.int8)
        got = HostModel(engine, model(name, *t)).invoke([a, b])
        real = {"ADD": a + 0.0 + b, "SUB": a - 0.0 - b, "MUL": a * 1.0 * b}.get(name, (a - 0.0 - b) ** 2)
        assert got[0].tolist() == [127 if v > 0 else -128 if v < 0 else 0 for v in real], name


@pytest.mark.parametrize(
    ("name", "dtype", "bad"),
    [("DIV", "int32", 0), ("FLOOR_DIV", "int32", 0), ("FLOOR_MOD", "int32", 0), ("FLOOR_DIV", "float32", 0),
     ("POW", "int32", -1), ("DIV", "int8", 3)],
)  # fmt: skip
def test_wrong_data(engine: Engine, name: str, dtype: str, bad: int) -> None:
    """A divisor of 0, an exponent below 0: an error with the operator's name, and the model runs again after it."""
    q = {"scale": 0.5, "zero_point": 3} if dtype == "int8" else {}
    built = HostModel(engine, model(name, *(Tensor((3,), dtype, **q) for _ in range(3))))
    a, b = np.array([4, 5, 6], dtype), np.array([1, 2, bad], dtype)
    with pytest.raises(EngineError, match=f"op 0 {name}: "):
        built.invoke([a, b])
    b[2] = 1
    built.invoke([a, b])


def test_smallest_by_minus_one(engine: Engine) -> None:
    """The one quotient of int32 that does not fit: catches a trap of the processor."""
    low = np.array([-(2**31)], np.int32)
    for name, expected in [("DIV", -(2**31)), ("FLOOR_DIV", -(2**31)), ("FLOOR_MOD", 0)]:
        got = HostModel(engine, model(name, *(Tensor((1,), "int32") for _ in range(3)))).invoke([low, np.array([-1])])
        assert got[0].tolist() == [expected]


def test_refused(engine: Engine) -> None:
    """What must not load, and the word that names the reason: catches a check that is gone."""
    f, i8 = Tensor((2, 3)), Tensor((2, 3), "int8", 0.5)
    assert "broadcast" in refusal(engine, model("SUB", f, Tensor((2, 2)), Tensor((2, 3))))
    assert "fewer dimensions" in refusal(engine, model("SUB", f, Tensor((1, 2, 3)), Tensor((2, 3))))
    assert "differ" in refusal(engine, model("MUL", f, i8, Tensor((2, 3))))
    assert "output is int8" in refusal(engine, model("MUL", f, Tensor((2, 3)), i8))
    assert "scale" in refusal(engine, model("MUL", i8, Tensor((2, 3), "int8"), Tensor((2, 3), "int8", 1.0)))
    wide = [Tensor((2, 3), "int16", 0.5, 1) for _ in range(3)]
    assert "zero points of 0" in refusal(engine, model("MUL", *wide))
    fused = model("ADD", f, Tensor((2, 3)), Tensor((2, 3)), fusedActivationFunction=4)
    assert "fused activation 4" in refusal(engine, fused)
    flags = [Tensor((2, 3), "bool") for _ in range(3)]
    assert "bool is not supported" in refusal(engine, model("ADD", *flags))
    assert "not supported" in refusal(engine, model("MAXIMUM", *flags))
    assert "float32 is not supported" in refusal(engine, model("LOGICAL_OR", f, Tensor((2, 3)), flags[0]))
    assert "float32 to float32" in refusal(engine, model("LESS", f, Tensor((2, 3)), Tensor((2, 3))))
    quantized = [Tensor((2, 3), "int32", 0.5) for _ in range(3)]
    assert "quantized int32" in refusal(engine, model("SUB", *quantized))
