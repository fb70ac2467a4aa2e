"""SOFTMAX in int16 and from int8 to int16, LOG_SOFTMAX and L2_NORMALIZATION beside tflite-micro."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import draw
from arenite.engine import Engine, HostModel
from builder import Tensor, options, single
from reference import refusal, same

EVERY = np.arange(-128, 128).astype(np.int8)
SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def softmax(x: Tensor, y: Tensor, beta: float = 1.0) -> bytes:
    """A model of one SOFTMAX."""
    return single("SOFTMAX", [x], y, options("Softmax", beta=beta))


@SETTINGS
@given(
    scale=st.floats(2.0**-20, 0.875, width=32),
    beta=st.sampled_from([1.0, 1.0, 0.3, 2.5]),
    depth=st.integers(1, 300),
    seed=st.integers(0, 1 << 30),
)
def test_softmax_int16(engine: Engine, scale: float, beta: float, depth: int, seed: int) -> None:
    """Catches an entry of either table, an interpolation, the sum's normalization, or a factor that differs."""
    rng = np.random.default_rng(seed)
    x = Tensor([3, depth], "int16", scale)
    data = draw.values(rng, x)
    data[1] = data[1] // 256
    data[2] = data[2, 0] // 2 + np.arange(depth)
    same(engine, softmax(x, Tensor(x.shape, "int16", 1 / 32768), beta), [data])


@SETTINGS
@given(scale=st.floats(2.0**-16, 2.0**8, width=32), beta=st.floats(0.5, 8, width=32), zero=st.integers(-128, 127))
def test_softmax_int8_to_int16(engine: Engine, scale: float, beta: float, zero: int) -> None:
    """Catches an output that is shifted or cut off as int8 is."""
    few = np.int8([-128, 127, 126, 0, 125, 127, 100, 90] * 32)
    x, y = Tensor([2, 256], "int8", scale, zero), Tensor([2, 256], "int16", 1 / 65536, -32768)
    same(engine, softmax(x, y, beta), [np.stack([EVERY, few])])


@SETTINGS
@given(scale=st.floats(2.0**-16, 2.0**8, width=32), depth=st.integers(1, 400), seed=st.integers(0, 1 << 30))
def test_log_softmax_int8(engine: Engine, scale: float, depth: int, seed: int) -> None:
    """Catches one bit of the fixed-point logarithm."""
    rng = np.random.default_rng(seed)
    x, y = Tensor([2, depth], "int8", scale, 5), Tensor([2, depth], "int8", 16 / 256, 127)
    data = draw.values(rng, x)
    data[1] = data[1, 0]
    same(engine, single("LOG_SOFTMAX", [x], y, options("LogSoftmax")), [data])


@pytest.mark.parametrize("name", ["LOG_SOFTMAX", "L2_NORMALIZATION"])
@pytest.mark.parametrize("seed", range(24))
def test_float32(engine: Engine, name: str, seed: int) -> None:
    """Catches rows mixed up, and a sum that overflows where the largest is not taken off."""
    rng = np.random.default_rng(seed)
    x = Tensor(draw.shape(rng, int(rng.integers(1, 5))))
    data = draw.values(rng, x, reach=float(rng.choice([1e-7, 1, 100])))
    made = options("LogSoftmax" if name == "LOG_SOFTMAX" else "L2Norm")
    same(engine, single(name, [x], Tensor(x.shape), made), [data], rtol=1e-5, atol=1e-6)


@SETTINGS
@given(zero=st.integers(-128, 127), depth=st.integers(1, 600), reach=st.integers(0, 127), seed=st.integers(0, 1 << 30))
def test_l2_normalization_int8(engine: Engine, zero: int, depth: int, reach: int, seed: int) -> None:
    """Catches one bit of the inverse root, of sums from 0 to millions."""
    rng = np.random.default_rng(seed)
    x, y = Tensor([2, depth], "int8", 0.1, zero), Tensor([2, depth], "int8", 1 / 128, 0)
    data = np.clip(rng.integers(zero - reach, zero + reach + 1, x.shape), -128, 127).astype(np.int8)
    same(engine, single("L2_NORMALIZATION", [x], y, options("L2Norm")), [data])


def test_fixed_point_log(engine: Engine) -> None:
    """Catches a wrong digit of a constant, which eight bits of output would hide."""
    for x in np.geomspace(1, 4095, 800):
        raw = int(x * 2**19)
        assert abs(engine.lib.ar_fixed_log(ctypes.c_int32(raw)) / 2**26 - np.log(raw / 2**19)) < 3e-7, x


def test_fixed_point_inverse_root(engine: Engine) -> None:
    """Catches a power of four that is counted wrongly, up to the largest integer."""
    shift = ctypes.c_int32()
    for x in [*range(1, 300), *np.geomspace(300, 2**31 - 1, 500).astype(np.int64)]:
        mult = engine.lib.ar_fixed_rsqrt(ctypes.c_int32(int(x)), ctypes.byref(shift))
        assert abs(mult / 2**31 * 2.0**shift.value * np.sqrt(float(x)) - 1) < 3e-6, x


def test_fixed_point_tanh(engine: Engine) -> None:
    """Catches a sign mixed up, or an iteration too few."""
    for x in np.linspace(-15.9, 15.9, 1001):
        raw = int(x * 2**27)
        assert abs(engine.lib.ar_fixed_tanh(ctypes.c_int32(raw), 4) / 2**31 - np.tanh(raw / 2**27)) < 1e-6, x


def test_absurd_scales_are_harmless(engine: Engine) -> None:
    """Catches a shift that overflows where a damaged file has absurd scales (the sanitizers' build sees it)."""
    wide = np.array([[-32768, 32767, 0, 1]], np.int16)
    for scale in (1e-37, 1e-10, 1e5):
        for beta in (1e-30, 1.0, 1e6):
            HostModel(engine, softmax(Tensor([1, 4], "int16", scale), Tensor([1, 4], "int16", 1 / 32768), beta)).invoke(
                [wide]
            )
        y = Tensor([1, 256], "int8", 1 / 16, 127)
        data = single("LOG_SOFTMAX", [Tensor([1, 256], "int8", scale)], y, options("LogSoftmax"))
        HostModel(engine, data).invoke([EVERY.reshape(1, 256)])


def test_refuses(engine: Engine) -> None:
    """Catches outputs that have not the operator's scale, types, shapes, sums that would overflow."""
    x, wide = Tensor([2, 3], "int8", 0.1, 0), Tensor([2, 3], "int16", 0.1)
    assert "1/65536" in refusal(engine, softmax(x, Tensor([2, 3], "int16", 1 / 32768, 0)))
    assert "1/32768" in refusal(engine, softmax(wide, Tensor([2, 3], "int16", 1 / 65536, -32768)))
    assert "not supported" in refusal(engine, softmax(wide, Tensor([2, 3], "int8", 1 / 256, -128)))
    long = [Tensor([1, 70000], "int16", s) for s in (0.1, 1 / 32768)]
    assert "65536" in refusal(engine, softmax(*long))
    log = options("LogSoftmax")
    assert "1/16" in refusal(engine, single("LOG_SOFTMAX", [x], Tensor([2, 3], "int8", 1 / 16, 126), log))
    assert "not supported" in refusal(engine, single("LOG_SOFTMAX", [wide], Tensor([2, 3], "int16", 0.1), log))
    long = [Tensor([1, 5000], "int8", 1 / 16, 127) for _ in range(2)]
    assert "4095" in refusal(engine, single("LOG_SOFTMAX", [long[0]], long[1], log))
    norm = options("L2Norm")
    assert "1/128" in refusal(engine, single("L2_NORMALIZATION", [x], Tensor([2, 3], "int8", 1 / 128, 1), norm))
    assert "int16" in refusal(engine, single("L2_NORMALIZATION", [wide], Tensor([2, 3], "int16", 0.1), norm))
    fused = options("L2Norm", fusedActivationFunction=1)
    assert "activation" in refusal(engine, single("L2_NORMALIZATION", [Tensor([2])], Tensor([2]), fused))
    long = [Tensor([1, 33001], "int8", 1 / 128) for _ in range(2)]
    assert "33000" in refusal(engine, single("L2_NORMALIZATION", [long[0]], long[1], norm))
