"""Seeded random shapes, quantizations and values for the tests of operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from builder import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Rng = np.random.Generator

FUSED = (0, 1, 2, 3)


def scale(rng: Rng, low: float = -10, high: float = 1) -> float:
    """A scale between two powers of two; one in four is a power of two itself."""
    exponent = rng.uniform(low, high)
    return float(np.float32(2.0 ** (np.round(exponent) if rng.random() < 0.25 else exponent)))


def zero_point(rng: Rng, dtype: str) -> int:
    """A zero point: as often at either end of the type's range, at 0, and anywhere."""
    info = np.iinfo(dtype)
    return int(rng.choice([info.min, info.max, max(0, info.min), rng.integers(info.min, info.max + 1)]))


def tensor(rng: Rng, shape: Sequence[int], dtype: str, low: float = -10, high: float = 1) -> Tensor:
    """An activation; integers are quantized."""
    if dtype == "float32":
        return Tensor(shape)
    return Tensor(shape, dtype, scale(rng, low, high), zero_point(rng, dtype))


def values(rng: Rng, t: Tensor, reach: float = 8) -> Array:
    """All values of an integer type alike, floats up to reach from 0."""
    if t.dtype == "float32":
        return rng.uniform(-reach, reach, tuple(t.shape)).astype(np.float32)
    info = np.iinfo(t.dtype)
    return rng.integers(info.min, info.max, tuple(t.shape), np.dtype(t.dtype), endpoint=True)


def shape(rng: Rng, rank: int, largest: int = 7) -> list[int]:
    """Dimensions from 1; one in four is 1."""
    return [1 if rng.random() < 0.25 else int(rng.integers(1, largest + 1)) for _ in range(rank)]
