"""The models of models/zoo, and seeded inputs for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from arenite.engine import HostModel

Array = np.ndarray[Any, np.dtype[Any]]

FOLDER = Path(__file__).resolve().parents[2] / "models" / "zoo"
NAMES = sorted(path.stem for path in FOLDER.glob("*.tflite"))
# What the next invoke answers depends on the last one.
STATEFUL = {"streaming", "lstm_fused_int8", "lstm_fused_float"}
HYBRID = {"dynamic_range"}


def content(name: str) -> bytes:
    """The model's file."""
    return (FOLDER / f"{name}.tflite").read_bytes()


def inputs(name: str, model: HostModel, count: int) -> Iterator[list[Array]]:
    """Draw as many sets of inputs, of the model's shapes and types; always the same ones."""
    rng = np.random.default_rng(list(name.encode()))
    for _ in range(count):
        yield [_drawn(rng, model.input(i)) for i in range(model.model.main.n_inputs)]


def _drawn(rng: np.random.Generator, like: Array) -> Array:
    if like.dtype == np.float32:
        return rng.uniform(-2, 2, like.shape).astype(np.float32)
    if like.dtype == np.int32:
        return rng.integers(-4, 12, like.shape).astype(np.int32)  # how often a loop turns
    bounds = np.iinfo(like.dtype)
    return rng.integers(bounds.min, bounds.max + 1, like.shape).astype(like.dtype)
