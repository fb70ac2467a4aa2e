"""The integer arithmetic of requantization factors against the double arithmetic it stands for."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import pytest

from arenite.engine import Engine


class Factor(ctypes.Structure):
    """ar_factor_t"""

    _fields_ = [("mult", ctypes.c_int32), ("shift", ctypes.c_int32)]


def in_doubles(value: float) -> tuple[int, int]:
    """TensorFlow Lite's QuantizeMultiplier (tensorflow/lite/kernels/internal/quantization_util.cc)."""
    fraction, shift = math.frexp(value)
    mult = math.floor(fraction * 2**31 + 0.5)
    if mult == 2**31:
        mult, shift = mult // 2, shift + 1
    if shift < -31:
        return 0, 0
    return (0x7FFFFFFF, 31) if shift > 31 else (mult, shift)


def factors(engine: Engine) -> tuple[Any, Any]:
    """ar_factor, a * b / c, and ar_factor_over, a / (b * c)."""
    functions = engine.lib.ar_factor, engine.lib.ar_factor_over
    for function in functions:
        function.restype, function.argtypes = Factor, [ctypes.c_float] * 3
    return functions


class Ratio(ctypes.Structure):
    """ar_ratio_t"""

    _fields_ = [
        ("quotient", ctypes.c_uint64), ("exponent", ctypes.c_int32), ("a", ctypes.c_float), ("c", ctypes.c_float)
    ]  # fmt: skip


def by_ratio(engine: Engine, a: float, b: float, c: float) -> Any:
    """ar_ratio and ar_ratio_factor, a * b / c."""
    ratio, factor = engine.lib.ar_ratio, engine.lib.ar_ratio_factor
    ratio.restype, ratio.argtypes = Ratio, [ctypes.c_float] * 2
    factor.restype, factor.argtypes = Factor, [ctypes.c_void_p, ctypes.c_float]
    return factor(ctypes.byref(ratio(a, c)), b)


@pytest.mark.parametrize("seed", range(4))
def test_factor_equals_double_arithmetic(engine: Engine, seed: int) -> None:
    """Catches a wrong digit, exponent or rounding in ar_factor: a difference of one would change outputs."""
    function, over = factors(engine)
    rng = np.random.default_rng(seed)
    for i in range(20000):
        low, high = (-30, 30) if i % 3 == 0 else (-12, 3)
        a, b, c = (np.float32(2) ** rng.uniform(low, high, 3)).astype(np.float32)
        b = c if i % 7 == 0 else b  # exact quotients, and those next to a power of two
        c = np.float32(1) if i % 11 == 0 else c
        got = function(a, b, c)
        assert (got.mult, got.shift) == in_doubles(float(a) * float(b) / float(c)), (a, b, c)
        got = by_ratio(engine, a, b, c)
        assert (got.mult, got.shift) == in_doubles(float(a) * float(b) / float(c)), (a, b, c)
        got = over(a, b, c)
        assert (got.mult, got.shift) == in_doubles(float(a) / (float(b) * float(c))), (a, b, c)


def test_factor_of_anything_is_harmless(engine: Engine) -> None:
    """Catches a division by zero or a shift out of range where a model in RAM changes under the engine."""
    odd = [0.0, -1.0, math.inf, -math.inf, math.nan, 1e-45, 3.4e38, 1.0]
    for a in odd:
        for b in odd:
            for c in odd:
                for got in (*(function(a, b, c) for function in factors(engine)), by_ratio(engine, a, b, c)):
                    assert -31 <= got.shift <= 31
                    assert 0 <= got.mult <= 0x7FFFFFFF
