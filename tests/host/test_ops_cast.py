"""CAST beside tflite-micro and numpy, QUANTIZE and DEQUANTIZE of int32, and models whose inputs are uint8."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Op, Tensor, build, options, single
from reference import compared, refusal, same

CASES = 24
TYPES = ["float32", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool"]
# What tflite-micro casts from, and to.
FROM = {"float32", "int8", "int16", "int32", "bool", "uint32"}
TO = {"float32", "int8", "int16", "int32", "bool", "uint32"}
MICRO = [(a, b) for a, b in itertools.product(sorted(FROM), sorted(TO)) if a != b and (a, b) != ("uint32", "uint32")]


def values(rng: np.random.Generator, shape: list[int], dtype: str, target: str) -> np.ndarray:
    """The whole range of an integer type; floats that fit the target."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype == "float32":
        reach = {"bool": 2, "float32": 9}.get(target) or min(float(np.iinfo(target).max), 1e6)
        low = 0 if target.startswith("u") else -reach
        return np.where(rng.random(shape) < 0.2, 0, rng.uniform(low, reach, shape)).astype(np.float32)
    info = np.iinfo(dtype)
    made = rng.integers(info.min, info.max, shape, np.dtype(dtype), endpoint=True)
    return np.where(rng.random(shape) < 0.3, rng.integers(0, 3, shape), made).astype(dtype)


def cast(shape: list[int], a: str, b: str) -> bytes:
    """A model of one CAST."""
    return single("CAST", [Tensor(shape, a)], Tensor(shape, b), options("Cast"))


@pytest.mark.parametrize(("a", "b"), MICRO)
def test_cast(engine: Engine, a: str, b: str) -> None:
    """Catches a sign lost, a float rounded instead of cut, a number that is neither false nor true."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *a.encode(), *b.encode()])
        shape = draw.shape(rng, int(rng.integers(1, 5)))
        same(engine, cast(shape, a, b), [values(rng, shape, a, b)])


@pytest.mark.parametrize(("a", "b"), [p for p in itertools.product(TYPES, TYPES) if p not in MICRO])
def test_cast_beyond_tflite_micro(engine: Engine, a: str, b: str) -> None:
    """The other pairs, beside numpy: catches a size or a sign that is another type's."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *a.encode(), *b.encode()])
        shape = draw.shape(rng, int(rng.integers(1, 5)))
        x = values(rng, shape, a, b)
        (got,) = HostModel(engine, cast(shape, a, b)).invoke([x])
        np.testing.assert_array_equal(got, x.astype(b))
        compared(cast(shape, a, b), [x], [x.astype(b)])


@pytest.mark.parametrize("b", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_cast_of_floats_out_of_range(engine: Engine, b: str) -> None:
    """C leaves these undefined: catches a result that depends on the machine."""
    x = np.float32([np.inf, 1e30, -np.inf, -1e30, np.nan, -0.9, 0.9])
    (got,) = HostModel(engine, cast([7], "float32", b)).invoke([x])
    info = np.iinfo(b)
    assert got.tolist() == [info.max, info.max, info.min, info.min, 0, 0, 0]


@pytest.mark.parametrize(("a", "b"), [("int8", "int32"), ("int16", "int32"), ("int32", "int8"), ("int32", "int16")])
def test_requantize_int32(engine: Engine, a: str, b: str) -> None:
    """Catches a factor or a limit of another type, and a zero point that 32 bits do not bear."""
    for case in range(CASES):
        rng = np.random.default_rng([case, *a.encode(), *b.encode()])
        shape = draw.shape(rng, 3)
        x, y = (
            Tensor(shape, t, draw.scale(rng), int(rng.integers(-90, 90)) if t == "int32" else draw.zero_point(rng, t))
            for t in (a, b)
        )
        data = rng.integers(-(2**14), 2**14, shape).astype(a) if a == "int32" else draw.values(rng, x)
        same(engine, single("QUANTIZE", [x], y, options("Quantize")), [data])


def test_int32_beside_numpy(engine: Engine) -> None:
    """float32 to int32 and back, uint8 both ways, and int32 at its ends: catches a sum that wraps."""
    x = np.float32([0, 1.26, -1.26, 1e12, -1e12])
    q = Tensor([5], "int32", 0.5, 7)
    (got,) = HostModel(engine, single("QUANTIZE", [Tensor([5])], q, options("Quantize"))).invoke([x])
    assert got.tolist() == [7, 10, 4, 2**31 - 1, -(2**31)]
    data = np.int32([7, -(2**31), 2**31 - 1, 8, 0])
    q = Tensor([5], "int32", 0.5, 7)
    (got,) = HostModel(engine, single("DEQUANTIZE", [q], Tensor([5]), options("Dequantize"))).invoke([data])
    np.testing.assert_array_equal(got, np.float32(0.5) * (data.astype(np.int64) - 7).astype(np.float32))
    pair = [Tensor([5], "int32", 1.0, 7), Tensor([5], "int32", 0.25, -(2**31))]
    (got,) = HostModel(engine, single("QUANTIZE", pair[:1], pair[1], options("Quantize"))).invoke([data])
    assert got.tolist() == [-(2**31), -(2**31), 2**31 - 1, -(2**31) + 4, -(2**31)]


def test_uint8_inputs_and_outputs(engine: Engine) -> None:
    """A model as the converter makes it with inference_input_type=uint8: QUANTIZE, the operators, QUANTIZE."""
    for case in range(CASES):
        rng = np.random.default_rng(case)
        s, t = draw.scale(rng), draw.scale(rng)
        shape = draw.shape(rng, 4)
        x, xi = Tensor(shape, "uint8", s, 128), Tensor(shape, "int8", s, 0)
        yi, y = Tensor(shape, "int8", t, -5), Tensor(shape, "uint8", t, 123)
        ops = [
            Op("QUANTIZE", [x], [xi], options("Quantize")),
            Op("ADD", [xi, xi], [yi], options("Add")),
            Op("QUANTIZE", [yi], [y], options("Quantize")),
        ]
        same(engine, build(ops), [draw.values(rng, x)])


def test_refuses(engine: Engine) -> None:
    """Catches sizes that differ, and quantization that is missing."""
    assert "size" in refusal(engine, single("CAST", [Tensor([4])], Tensor([5], "int8"), options("Cast")))
    x = Tensor([4], "int32")
    assert "scale" in refusal(engine, single("DEQUANTIZE", [x], Tensor([4]), options("Dequantize")))
    assert "scale" in refusal(engine, single("QUANTIZE", [x], Tensor([4], "int8", 0.1), options("Quantize")))
    flags = Tensor([4], "bool", 0.1)
    assert "not supported" in refusal(engine, single("DEQUANTIZE", [flags], Tensor([4]), options("Dequantize")))


def test_empty(engine: Engine) -> None:
    """A dimension of none: catches a loop that runs once at least."""
    for b in ("int8", "float32", "bool"):
        assert HostModel(engine, cast([2, 0], "float32", b)).invoke([np.empty([2, 0], np.float32)])[0].size == 0
