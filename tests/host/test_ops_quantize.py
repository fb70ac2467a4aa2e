"""QUANTIZE and DEQUANTIZE against tflite-micro, in all pairs of types that both have."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Tensor, single
from reference import refusal, same

REQUANTIZE = [
    ("int8", "int8"),
    ("int8", "uint8"),
    ("uint8", "int8"),
    ("int8", "int16"),
    ("int16", "int8"),
    ("int16", "int16"),
]


def every_value(dtype: str) -> np.ndarray:
    """All values of a type."""
    info = np.iinfo(dtype)
    return np.arange(info.min, info.max + 1).astype(dtype)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_quantize_float32(engine: Engine, dtype: str, seed: int) -> None:
    """Catches rounding other than half away from zero, a zero point added before it, and values out of range."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)))
    y = draw.tensor(rng, shape, dtype)
    steps = rng.uniform(-1.5, 1.5, shape) * (y.high - y.low)
    data = (np.where(rng.random(shape) < 0.3, np.round(steps) + 0.5, steps) * y.scale).astype(np.float32)
    same(engine, single("QUANTIZE", [Tensor(shape)], y), [data])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize(("source", "target"), REQUANTIZE)
def test_requantize(engine: Engine, source: str, target: str, seed: int) -> None:
    """Catches a factor, a rounding or a limit that differs, on every value of the input's type."""
    rng = np.random.default_rng(seed)
    data = every_value(source)
    x = draw.tensor(rng, data.shape, source)
    ratio = 1.0 if seed % 4 == 0 else 2.0 ** rng.uniform(-12, 12)
    y = Tensor(data.shape, target, float(np.float32(x.scale * ratio)), draw.zero_point(rng, target))
    if seed % 8 == 0 and source != target and {source, target} == {"int8", "uint8"}:
        x.zero_point, y.zero_point = (0, 128) if source == "int8" else (128, 0)
    same(engine, single("QUANTIZE", [x], y), [data])


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_dequantize(engine: Engine, dtype: str, seed: int) -> None:
    """Catches any bit of the product that differs, on every value: equal, not close."""
    rng = np.random.default_rng(seed)
    data = every_value(dtype)
    same(engine, single("DEQUANTIZE", [draw.tensor(rng, data.shape, dtype, -40, 40)], Tensor(data.shape)), [data])


def test_values_out_of_every_range(engine: Engine) -> None:
    """Catches a float that is turned into an integer it does not fit: tflite-micro gives the other end of the range."""
    y = Tensor([6], "int8", 0.001, 10)
    data = np.float32([1e30, -1e30, np.inf, -np.inf, 3e6, np.nan])
    (got,) = HostModel(engine, single("QUANTIZE", [Tensor([6])], y)).invoke([data])
    assert got.tolist() == [127, -128, 127, -128, 127, -128]


@pytest.mark.parametrize("scales", [(1e38, 2e-38), (2e-38, 1e38), (2.0**31, 1.0), (2.0**30, 0.75)])
def test_absurd_scales_are_harmless(engine: Engine, scales: tuple[float, float]) -> None:
    """Catches a shift or a sum out of range (the sanitizers' build sees it)."""
    x, y = Tensor([256], "int8", scales[0], -128), Tensor([256], "int8", scales[1], 127)
    HostModel(engine, single("QUANTIZE", [x], y)).invoke([every_value("int8")])


def test_refuses(engine: Engine) -> None:
    """Catches sizes that differ, quantization that is missing or per channel, and types that are not there."""
    f, q = Tensor([4]), Tensor([4], "int8", 0.1, 0)
    assert "size" in refusal(engine, single("QUANTIZE", [f], Tensor([5], "int8", 0.1, 0)))
    assert "size" in refusal(engine, single("DEQUANTIZE", [q], Tensor([3])))
    for scale in (None, 0.0, -1.0, float("nan"), [0.1] * 4):
        bad = Tensor([4], "int8", scale, 0)
        assert "scale" in refusal(engine, single("QUANTIZE", [f], bad))
        assert "scale" in refusal(engine, single("DEQUANTIZE", [bad], Tensor([4])))
    assert "not supported" in refusal(engine, single("QUANTIZE", [f], Tensor([4])))
    assert "not supported" in refusal(engine, single("DEQUANTIZE", [f], Tensor([4])))
    assert "not supported" in refusal(engine, single("DEQUANTIZE", [q], Tensor([4], "int16", 0.1, 0)))
