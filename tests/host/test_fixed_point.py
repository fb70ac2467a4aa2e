"""The fixed-point functions behind SOFTMAX and LOGISTIC against the functions they stand for."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from arenite.engine import Engine

ONE = 2.0**31


@pytest.mark.parametrize("bits", [4, 5])
def test_exp(engine: Engine, bits: int) -> None:
    """Catches a wrong digit of a constant: eight-bit outputs would hide most of them."""
    unit = 2.0 ** (31 - bits)
    for x in -np.geomspace(1e-6, 2.0**bits - 0.01, 500):
        got = engine.lib.ar_fixed_exp(ctypes.c_int32(int(x * unit)), bits) / ONE
        expected = np.exp(int(x * unit) / unit)
        # The series ends after four terms: (1/8)^5 / 5!; and each of the powers is rounded to 31 bits.
        assert abs(got - expected) < 3e-7 * expected + 2e-9, x
    assert engine.lib.ar_fixed_exp(0, bits) == 2**31 - 1


def test_logistic(engine: Engine) -> None:
    """Catches a side mixed up, or an iteration too few."""
    for x in np.linspace(-15.99, 15.99, 1001):
        got = engine.lib.ar_fixed_logistic(ctypes.c_int32(int(x * 2**27)), 4) / ONE
        assert abs(got - 1 / (1 + np.exp(-x))) < 1e-7, x
    assert engine.lib.ar_fixed_logistic(0, 4) == 2**30


def test_reciprocal(engine: Engine) -> None:
    """Catches a power of two that is counted wrongly."""
    over_unit = ctypes.c_int32()
    for x in np.geomspace(1, 8191, 500):
        raw = int(x * 2**19)
        got = engine.lib.ar_fixed_reciprocal(ctypes.c_uint32(raw), 12, ctypes.byref(over_unit)) / ONE
        assert abs(got * 2.0**-over_unit.value * (raw / 2**19) - 1) < 1e-7, x
