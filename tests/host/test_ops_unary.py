"""Element-wise operators of one tensor beside tflite-micro: functions, and the activations beyond RELU and RELU6."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Tensor, options, single
from reference import compared, refusal, same

CASES = 24
EVERY = np.arange(-128, 128).astype(np.int8)
SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
ZEROS = st.integers(-128, 127)
SPECIAL = np.float32(
    [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, np.inf, -np.inf, np.nan, -np.nan, 1e-30, -3e38, 88.8, -3.0, 3.0]
)

FLOAT = [
    "ABS", "NEG", "CEIL", "FLOOR", "ROUND", "EXP", "LOG", "SIN", "COS", "SQRT", "RSQRT", "SQUARE", "TANH",
    "HARD_SWISH", "ELU", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6",
]  # fmt: skip
OPTIONS = {
    "ABS": "Abs", "NEG": "Neg", "EXP": "Exp", "COS": "Cos", "SQUARE": "Square", "LOGICAL_NOT": "LogicalNot",
    "HARD_SWISH": "HardSwish",
}  # fmt: skip


def model(name: str, x: Tensor, y: Tensor, **fields: Any) -> bytes:
    """One such operator."""
    made = options("LeakyRelu", **fields) if name == "LEAKY_RELU" else None
    if name in OPTIONS:
        made = options(OPTIONS[name])
    return single(name, [x], y, made)


def run(engine: Engine, data: bytes, *inputs: Any) -> Any:
    """Arenite's first output."""
    return HostModel(engine, data).invoke(inputs)[0]


@pytest.mark.parametrize("name", FLOAT)
def test_float32(engine: Engine, name: str) -> None:
    """Catches a wrong function, a half rounded to the wrong side, NaN and infinity lost."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *name.encode()])
        x = Tensor(draw.shape(rng, int(rng.integers(1, 6))))
        data = draw.values(rng, x, reach=float(rng.choice([1, 8, 60])))
        if case % 2:
            data = np.round(data * 2) / 2
        flat = data.ravel()
        flat[: len(SPECIAL)] = SPECIAL[: len(flat)]
        if name in ("SIN", "COS"):
            flat[np.abs(flat) > 1e6] = 0
        same(engine, model(name, x, Tensor(x.shape), alpha=0.3 - 0.1 * case), [data], rtol=2e-6, atol=1e-37)


def x_like(x: Tensor) -> Tensor:
    """A tensor of the same shape, type and quantization."""
    return Tensor(x.shape, x.dtype, x.scale, x.zero_point)


def ends(x: Tensor) -> tuple[float, float]:
    """-1 and 1 as this tensor has them, in its range."""
    if x.scale is None:
        return -1, 1
    one = np.round(np.float32(1) / np.float32(x.scale))
    return max(x.low, int(x.zero_point - one)), min(x.high, int(x.zero_point + one))


def test_relu_n1_to_1(engine: Engine) -> None:
    """tflite-micro lacks it: catches a wrong limit, in all three types; and where a range ends before -1 or 1."""
    for case in range(CASES):
        rng = np.random.default_rng(case)
        for dtype in ("float32", "int8", "int16"):
            x = draw.tensor(rng, draw.shape(rng, 3), dtype, -7, 1)
            x.zero_point = 0 if dtype == "int16" else x.zero_point
            data, values = model("RELU_N1_TO_1", x, x_like(x)), draw.values(rng, x, 2)
            expected = values.clip(*ends(x)).astype(dtype)
            np.testing.assert_array_equal(run(engine, data, values), expected)
            compared(data, [values], [expected])
    x = np.linspace(-3, 3, 61).astype(np.float32)
    assert (run(engine, model("RELU_N1_TO_1", Tensor([61]), Tensor([61])), x) == np.clip(x, -1, 1)).all()
    t = [Tensor([256], "int8", 1 / 32, 5) for _ in range(2)]
    assert (run(engine, model("RELU_N1_TO_1", *t), EVERY) == np.clip(EVERY, 5 - 32, 5 + 32)).all()
    wide = np.arange(-32768, 32768, 77).astype(np.int16)
    t = [Tensor(wide.shape, "int16", 1 / 1024) for _ in range(2)]
    assert (run(engine, model("RELU_N1_TO_1", *t), wide) == np.clip(wide, -1024, 1024)).all()


@SETTINGS
@given(scale=st.floats(2.0**-26, 2.0**12, width=32), zero=ZEROS)
def test_tanh_int8(engine: Engine, scale: float, zero: int) -> None:
    """Catches one bit of the fixed-point tanh, on every input value."""
    y = Tensor([256], "int8", 1 / 128, 0)
    same(engine, model("TANH", Tensor([256], "int8", scale, zero), y), [EVERY])


@SETTINGS
@given(scale=st.floats(2.0**-29, 2.5, width=32) | st.sampled_from([2.0**-11, 2.0**-12, 2.0**-13]))
@pytest.mark.parametrize("name", ["TANH", "LOGISTIC"])
def test_curve_int16(engine: Engine, name: str, scale: float) -> None:
    """Catches an entry of the table, an interpolation or a multiplier that differs."""
    x = np.concatenate([np.arange(-32768, 32768, 129), np.arange(-300, 300)]).astype(np.int16)
    same(engine, model(name, Tensor(x.shape, "int16", scale), Tensor(x.shape, "int16", 2.0**-15)), [x])


@SETTINGS
@given(a=st.floats(2.0**-20, 2.0**10, width=32), ratio=st.floats(2.0**-12, 2.0**8, width=32))
@pytest.mark.parametrize("name", ["RELU", "RELU6", "ABS", "LEAKY_RELU"])
def test_int16(engine: Engine, name: str, a: float, ratio: float) -> None:
    """Catches a factor that differs, and an 8-bit limit left in."""
    x = np.arange(-32768, 32768, 61).astype(np.int16)
    out = a if name == "RELU6" else float(np.float32(a) * np.float32(ratio))
    same(engine, model(name, Tensor(x.shape, "int16", a), Tensor(x.shape, "int16", out), alpha=0.2), [x])


@SETTINGS
@given(
    a=st.floats(2.0**-20, 2.0**10, width=32),
    ratio=st.floats(2.0**-12, 2.0**12, width=32),
    quantities=st.tuples(ZEROS, ZEROS, st.floats(0, 4, width=32)),
)
@pytest.mark.parametrize("name", ["ABS", "LEAKY_RELU"])
def test_scaled(engine: Engine, name: str, a: float, ratio: float, quantities: tuple[int, int, float]) -> None:
    """Catches a factor or rounding that differs, on every input value of int8."""
    *zeros, alpha = quantities
    x = Tensor([256], "int8", a, zeros[0])
    y = Tensor([256], "int8", float(np.float32(a) * np.float32(ratio)), zeros[1])
    same(engine, model(name, x, y, alpha=alpha), [EVERY])


@SETTINGS
@given(
    a=st.floats(2.0**-12, 2.0**6, width=32),
    ratio=st.floats(2.0**-6, 2.0**6, width=32),
    zeros=st.tuples(ZEROS, ZEROS),
)
def test_hard_swish_int8(engine: Engine, a: float, ratio: float, zeros: tuple[int, int]) -> None:
    """Catches one bit of the 16-bit arithmetic, on every input value."""
    x = Tensor([256], "int8", a, zeros[0])
    y = Tensor([256], "int8", float(np.float32(a) * np.float32(ratio)), zeros[1])
    same(engine, model("HARD_SWISH", x, y), [EVERY])


@SETTINGS
@given(
    a=st.floats(2.0**-12, 2.0**2, width=32),
    out=st.floats(2.0**-9, 2.0**2, width=32),
    zeros=st.tuples(ZEROS, ZEROS),
)
def test_elu_int8(engine: Engine, a: float, out: float, zeros: tuple[int, int]) -> None:
    """Catches a rounding that differs: equal on every value, but for what libm may round otherwise at a half."""
    x, y = Tensor([256], "int8", a, zeros[0]), Tensor([256], "int8", out, zeros[1])
    same(engine, model("ELU", x, y), [EVERY])


@SETTINGS
@given(
    a=st.floats(2.0**-20, 2.0**12, width=32),
    out=st.floats(2.0**-14, 2.0**4, width=32),
    zeros=st.tuples(ZEROS, ZEROS),
)
def test_rsqrt_int8(engine: Engine, a: float, out: float, zeros: tuple[int, int]) -> None:
    """Catches a bit of the inverse root or of its factor, on every value that has one."""
    every = np.arange(zeros[0], 128).astype(np.int8)
    x, y = Tensor(every.shape, "int8", a, zeros[0]), Tensor(every.shape, "int8", out, zeros[1])
    same(engine, model("RSQRT", x, y), [every])


def test_rsqrt_of_negative_numbers(engine: Engine) -> None:
    """Catches a garbage result where there is none, however large the tensor."""
    for n in (3, 1000):
        built = HostModel(engine, model("RSQRT", Tensor([n], "int8", 0.1, 5), Tensor([n], "int8", 0.1, 0)))
        data = np.full(n, 7, np.int8)
        built.invoke([data])
        data[n - 1] = 4
        with pytest.raises(EngineError, match="op 0 RSQRT: a number below 0"):
            built.invoke([data])


@pytest.mark.parametrize("name", ["TANH", "LOGISTIC", "ELU", "HARD_SWISH", "RELU6"])
def test_tables_are_the_steps(engine: Engine, name: str) -> None:
    """A large int8 tensor is looked up in a table, a small one is not: catches that they differ."""
    out = {"TANH": (1 / 128, 0), "LOGISTIC": (1 / 256, -128)}.get(name, (0.03, -10))
    small = model(name, Tensor([256], "int8", 0.04, 3), Tensor([256], "int8", *out))
    large = model(name, Tensor([4, 256], "int8", 0.04, 3), Tensor([4, 256], "int8", *out))
    four = run(engine, large, np.stack([EVERY] * 4))
    assert (four == run(engine, small, EVERY)).all()


@pytest.mark.parametrize("name", ["EXP", "LOG", "SIN", "COS", "SQRT", "SQUARE", "NEG", "ELU"])
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_quantized_functions(engine: Engine, name: str, dtype: str) -> None:
    """What tflite-micro has in float32 only, beside numpy: catches a scale or zero point left out."""
    zero = (3, -20) if dtype == "int8" else (0, 0)
    x = np.arange(zero[0] + 1 if name in ("LOG", "SQRT") else -100, 120).astype(dtype)
    a = 0.03
    functions = {"NEG": np.negative, "ELU": lambda v: np.where(v < 0, np.exp(v) - 1, v)}
    real = functions.get(name, getattr(np, name.lower(), None))(a * (x.astype(float) - zero[0]))
    got = run(engine, model(name, Tensor(x.shape, dtype, a, zero[0]), Tensor(x.shape, dtype, 0.02, zero[1])), x)
    limits = np.iinfo(dtype)
    assert np.abs(got - np.clip(real / 0.02 + zero[1], limits.min, limits.max)).max() <= 0.51


def test_plain_integers(engine: Engine) -> None:
    """ABS and NEG of int32, ABS of int16 that is not quantized: catches a limit of a smaller type."""
    x = np.array([0, -1, 5, 2**31 - 1, -(2**31)], np.int32)
    assert (run(engine, model("NEG", Tensor([5], "int32"), Tensor([5], "int32")), x) == -x).all()
    assert (run(engine, model("ABS", Tensor([5], "int32"), Tensor([5], "int32")), x) == np.abs(x)).all()
    y = np.array([0, -1, 5, 32767, -32768], np.int16)
    same(engine, model("ABS", Tensor([5], "int16"), Tensor([5], "int16")), [y])


def test_logical_not(engine: Engine) -> None:
    """Catches a value that is neither false nor true."""
    for case in range(CASES):
        rng = np.random.default_rng(case)
        x = Tensor(draw.shape(rng, int(rng.integers(1, 5))), "bool")
        same(engine, model("LOGICAL_NOT", x, Tensor(x.shape, "bool")), [rng.integers(0, 2, x.shape).astype(bool)])


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_prelu(engine: Engine, dtype: str) -> None:
    """Catches an alpha of the wrong channel, a stride of another type's size, a factor that differs."""
    for case in range(2 * CASES):
        rng = np.random.default_rng([case, *dtype.encode()])
        shape = draw.shape(rng, 4, 5)
        alpha_shape = [[1, 1, 1, shape[3]], shape[1:], [1, 1, shape[3]], [1]][case % 4]
        x, y = draw.tensor(rng, shape, dtype), draw.tensor(rng, shape, dtype)
        if dtype == "int16":
            x.zero_point = y.zero_point = 0
        alpha = draw.tensor(rng, alpha_shape, "int8" if dtype == "int16" else dtype)
        if dtype != "float32":
            y.scale = float(np.float32(x.scale * 2.0 ** rng.uniform(-3, 3)))  # type: ignore[operator]
        data = draw.values(rng, alpha)
        if case % 2:
            alpha.data = data
        inputs = [draw.values(rng, x)] if case % 2 else [draw.values(rng, x), data]
        same(engine, single("PRELU", [x, alpha], y), inputs, rtol=1e-6)


def test_empty(engine: Engine) -> None:
    """A dimension of none: catches a loop that runs once at least."""
    for name, dtype in (("ABS", "float32"), ("ELU", "int8"), ("LOGICAL_NOT", "bool")):
        q = {"scale": 0.1} if dtype == "int8" else {}
        data = model(name, Tensor([2, 0], dtype, **q), Tensor([2, 0], dtype, **q))
        assert run(engine, data, np.empty([2, 0], dtype)).shape == (2, 0)


@pytest.mark.parametrize("name", ["ABS", "EXP", "TANH", "HARD_SWISH", "LEAKY_RELU", "RSQRT", "RELU", "RELU_N1_TO_1"])
def test_refuses(engine: Engine, name: str) -> None:
    """Catches shapes, types and quantization that are not checked."""
    x = Tensor([2, 3], "int8", 0.1, 0)
    assert "shape" in refusal(engine, model(name, Tensor([6]), Tensor([2, 3])))
    assert "not supported" in refusal(engine, model(name, x, Tensor([2, 3])))
    assert "not supported" in refusal(engine, model(name, Tensor([2], "int64"), Tensor([2], "int64")))
    assert "scale" in refusal(engine, model(name, x, Tensor([2, 3], "int8")))
    wide = [Tensor([2, 3], "int16", 0.1, 1) for _ in range(2)]
    assert "zero points of 0" in refusal(engine, model(name, *wide))


def test_refuses_what_makes_no_sense(engine: Engine) -> None:
    """Catches an output that has not the scale that the operator's arithmetic has, and scales too far apart."""
    x, wide = Tensor([3], "int8", 0.1, 0), Tensor([3], "int16", 0.1)
    assert "1/128" in refusal(engine, model("TANH", x, Tensor([3], "int8", 1 / 127, 0)))
    assert "1/128" in refusal(engine, model("TANH", x, Tensor([3], "int8", 1 / 128, 1)))
    assert "1/32768" in refusal(engine, model("TANH", wide, Tensor([3], "int16", 1 / 32000)))
    assert "2.6" in refusal(engine, model("TANH", Tensor([3], "int16", 3.0), Tensor([3], "int16", 1 / 32768)))
    assert "2.6" in refusal(engine, model("LOGISTIC", Tensor([3], "int16", 1e-20), Tensor([3], "int16", 1 / 32768)))
    assert "far apart" in refusal(engine, model("HARD_SWISH", Tensor([3], "int8", 300.0), Tensor([3], "int8", 0.1)))
    assert "far apart" in refusal(engine, model("RSQRT", Tensor([3], "int8", 1e-20), Tensor([3], "int8", 1e-20)))
    assert "int16" in refusal(engine, model("HARD_SWISH", wide, Tensor([3], "int16", 0.1)))
    assert "bool" in refusal(engine, model("ABS", Tensor([3], "bool"), Tensor([3], "bool")))
    assert "float32" in refusal(engine, model("LOGICAL_NOT", Tensor([3]), Tensor([3])))
    assert "alpha" in refusal(engine, single("PRELU", [wide, Tensor([3], "int16", 0.1)], Tensor([3], "int16", 0.1)))
    assert "alpha" in refusal(engine, single("PRELU", [x, Tensor([3], "int8")], Tensor([3], "int8", 0.1)))
