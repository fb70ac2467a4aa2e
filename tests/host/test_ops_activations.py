"""LOGISTIC, RELU, RELU6 and SOFTMAX against tflite-micro, one operator a model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Tensor, options, single
from reference import refusal, same

EVERY = np.arange(-128, 128).astype(np.int8)
SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
ZEROS = st.integers(-128, 127)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("name", ["LOGISTIC", "RELU", "RELU6"])
def test_float32(engine: Engine, name: str, seed: int) -> None:
    """Catches a wrong limit, a NaN that is lost, and a function that is off by more than roundings of exp."""
    rng = np.random.default_rng(seed)
    x = Tensor(draw.shape(rng, int(rng.integers(1, 7))))
    data = draw.values(rng, x, reach=float(rng.choice([1, 10, 100])))
    data.ravel()[:1] = rng.choice([0.0, -0.0, 6.0, np.inf, -np.inf, np.nan, -np.nan, 16.62, -9.0, -9.001])
    same(engine, single(name, [x], Tensor(x.shape)), [data], rtol=1e-6, atol=0)


@SETTINGS
@given(scale=st.floats(2.0**-26, 2.0**12, width=32), zero=ZEROS)
def test_logistic_int8(engine: Engine, scale: float, zero: int) -> None:
    """Catches one bit of the fixed-point logistic function, on every input value."""
    y = Tensor([256], "int8", 1 / 256, -128)
    same(engine, single("LOGISTIC", [Tensor([256], "int8", scale, zero)], y), [EVERY])


@SETTINGS
@given(
    a=st.floats(2.0**-20, 2.0**10, width=32),
    ratio=st.floats(2.0**-30, 2.0**33, width=32),
    zeros=st.tuples(ZEROS, ZEROS),
)
def test_relu_int8(engine: Engine, a: float, ratio: float, zeros: tuple[int, int]) -> None:
    """Catches a factor or a rounding that differs, and a limit off by one."""
    x = Tensor([256], "int8", a, zeros[0])
    y = Tensor([256], "int8", float(np.float32(a) * np.float32(ratio)), zeros[1])
    same(engine, single("RELU", [x], y), [EVERY])


@SETTINGS
@given(scale=st.floats(2.0**-20, 2.0**10, width=32), zero=ZEROS)
def test_relu6_int8(engine: Engine, scale: float, zero: int) -> None:
    """Catches a 6 that is rounded otherwise, or not kept inside the type."""
    x, y = Tensor([2, 128], "int8", scale, zero), Tensor([2, 128], "int8", scale, zero)
    same(engine, single("RELU6", [x], y), [EVERY.reshape(2, 128)])


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_softmax(engine: Engine, dtype: str, seed: int) -> None:
    """Catches one bit of the fixed-point exponential or reciprocal, rows mixed up, and a beta that is ignored."""
    rng = np.random.default_rng(seed)
    x = draw.tensor(rng, [*draw.shape(rng, int(rng.integers(0, 4)), 4), int(rng.integers(1, 60))], dtype, -8, 3)
    y = Tensor(x.shape, "int8", 1 / 256, -128) if dtype == "int8" else Tensor(x.shape)
    beta = float(rng.choice([1.0, 1.0, 0.3, 4.5]))
    data = draw.values(rng, x)
    if rng.random() < 0.2:
        data[:] = data.ravel()[0]
    same(engine, single("SOFTMAX", [x], y, options("Softmax", beta=beta)), [data], rtol=2e-6, atol=1e-37)


@SETTINGS
@given(scale=st.floats(2.0**-24, 2.0**12, width=32), beta=st.floats(0.5, 64, width=32), zero=ZEROS)
def test_softmax_int8_scales(engine: Engine, scale: float, beta: float, zero: int) -> None:
    """Catches a scale that is capped, shifted or cut off otherwise, on all 256 values and on few."""
    few = np.int8([-128, 127, 126, 0, 125, 127, 100, 90] * 32)
    x, y = Tensor([2, 256], "int8", scale, zero), Tensor([2, 256], "int8", 1 / 256, -128)
    same(engine, single("SOFTMAX", [x], y, options("Softmax", beta=beta)), [np.stack([EVERY, few])])


@pytest.mark.parametrize("depth", [256, 500, 511])
def test_softmax_of_many_equal_values(engine: Engine, depth: int) -> None:
    """Catches a sum of exponentials that needs all the bits that there are."""
    x, y = Tensor([1, depth], "int8", 0.1, 0), Tensor([1, depth], "int8", 1 / 256, -128)
    same(engine, single("SOFTMAX", [x], y, options("Softmax", beta=1.0)), [np.full([1, depth], 7, np.int8)])


@pytest.mark.parametrize("depth", [513, 4095, 4096, 8191, 8192, 8202, 20000])
def test_softmax_of_more_equal_values_than_steps(engine: Engine, depth: int) -> None:
    """Catches a shift cut at 31 bits and a sum that wraps: each of so many has less than half a step, that is none.

    tflite-micro aborts on these.
    """
    x, y = Tensor([1, depth], "int8", 0.1, 0), Tensor([1, depth], "int8", 1 / 256, -128)
    model = HostModel(engine, single("SOFTMAX", [x], y, options("Softmax", beta=1.0)))
    assert (model.invoke([np.full([1, depth], 7, np.int8)])[0] == -128).all()


@pytest.mark.parametrize("ratio", [2.0**31, 1e30, 1e-30])
@pytest.mark.parametrize("zero", [-128, 127])
def test_absurd_scales_are_harmless(engine: Engine, ratio: float, zero: int) -> None:
    """Catches a sum that overflows where a damaged file has absurd scales (the sanitizers' build sees it)."""
    x, y = Tensor([256], "int8", float(np.float32(ratio)), -zero - 1), Tensor([256], "int8", 1.0, zero)
    try:
        model = HostModel(engine, single("RELU", [x], y))
    except EngineError:
        return
    model.invoke([EVERY])


@pytest.mark.parametrize("name", ["LOGISTIC", "RELU", "RELU6", "SOFTMAX"])
def test_refuses(engine: Engine, name: str) -> None:
    """Catches shapes and types that differ, and quantization that is missing or not the one that the operator has."""
    fields = options("Softmax", beta=1.0) if name == "SOFTMAX" else None
    x = Tensor([2, 3], "int8", 0.1, 0)
    assert "shape" in refusal(engine, single(name, [x], Tensor([3, 2], "int8", 1 / 256, -128), fields))
    assert "shape" in refusal(engine, single(name, [Tensor([6])], Tensor([2, 3]), fields))
    assert "not supported" in refusal(engine, single(name, [x], Tensor([2, 3]), fields))
    assert "not supported" in refusal(engine, single(name, [Tensor([2], "int64")], Tensor([2], "int64"), fields))
    for scale in (None, 0.0, -1.0, float("nan"), float("inf")):
        bad = Tensor([2, 3], "int8", scale, 0)
        assert "scale" in refusal(engine, single(name, [bad], Tensor([2, 3], "int8", 1 / 256, -128), fields))
    if name in ("LOGISTIC", "SOFTMAX"):
        assert "1/256" in refusal(engine, single(name, [x], Tensor([2, 3], "int8", 1 / 255, -128), fields))
        assert "1/256" in refusal(engine, single(name, [x], Tensor([2, 3], "int8", 1 / 256, 0), fields))


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan"), float("inf")])
def test_softmax_refuses_a_beta(engine: Engine, beta: float) -> None:
    """Catches a beta with which fixed-point numbers make no sense."""
    x, y = Tensor([3], "int8", 0.1, 0), Tensor([3], "int8", 1 / 256, -128)
    assert "beta" in refusal(engine, single("SOFTMAX", [x], y, options("Softmax", beta=beta)))


def test_softmax_refuses_no_dimensions(engine: Engine) -> None:
    """Catches a division by a last dimension that is not there or 0."""
    for shape in ([], [0], [3, 0]):
        assert "dimension" in refusal(
            engine, single("SOFTMAX", [Tensor(shape)], Tensor(shape), options("Softmax", beta=1.0))
        )
