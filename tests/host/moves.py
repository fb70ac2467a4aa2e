"""For the tests of operators that move elements: numpy says what they give, and tflite-micro where it has the type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import draw
from arenite.engine import Engine, HostModel
from builder import Tensor
from reference import Rejected, compared, reference

Array = np.ndarray[Any, np.dtype[Any]]

TYPES = ["float32", "int8", "int16", "int32", "int64", "uint8", "bool"]
QUANTIZED = ("int8", "int16", "uint8")


def activation(shape: Sequence[int], dtype: str) -> Tensor:
    """An activation; what is usually quantized is."""
    return Tensor(list(shape), dtype, 0.5 if dtype in QUANTIZED else None, 3 if dtype in ("int8", "uint8") else 0)


def values(rng: draw.Rng, shape: Sequence[int], dtype: str) -> Array:
    """Values of which hardly two are the same, as far as the type has them."""
    if dtype == "float32":
        return rng.standard_normal(tuple(shape)).astype(np.float32)
    if dtype == "bool":
        return rng.integers(0, 2, tuple(shape)).astype(bool)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, tuple(shape), np.dtype(dtype), endpoint=True)


def check(
    engine: Engine, model: bytes, inputs: Sequence[Array], expected: Sequence[Array], micro: bool | None = None
) -> None:
    """Arenite gives what is expected, bit for bit, twice; and so does tflite-micro.

    Args:
        engine: the library.
        model: its bytes.
        inputs: one array an input.
        expected: one array an output.
        micro: whether tflite-micro must take the model; None: it need not, but must agree if it does.

    Raises:
        AssertionError: somebody differs.
        Rejected: tflite-micro does not take what it must.
    """
    host = HostModel(engine, model)
    for _ in range(2):
        for got, wanted in zip(host.invoke(inputs), expected, strict=True):
            np.testing.assert_array_equal(got, wanted, strict=True)
    compared(model, inputs, expected)
    if micro is False:
        return
    try:
        outputs = reference(model, inputs)
    except (Rejected, TypeError):
        if micro:
            raise
        return
    for got, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(got.ravel(), wanted.ravel(), "tflite-micro disagrees with numpy")
