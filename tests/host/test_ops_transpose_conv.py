"""TRANSPOSE_CONV against tflite-micro."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import SAME, VALID, Array, Tensor, options, single
from reference import refusal, same
from test_ops_conv import CLOSE, output, weights

TYPES = ["float32", "int8", "int16"]


def draw_case(seed: int, dtype: str, activation: int = 0) -> tuple[bytes, list[Array]]:
    """A model of one TRANSPOSE_CONV, and its input."""
    rng = np.random.default_rng(seed)
    padding, kernel, stride = int(rng.choice([SAME, VALID])), draw.shape(rng, 2, 5), draw.shape(rng, 2, 4)
    size = draw.shape(rng, 2, 6)
    if padding == SAME:  # any output that a convolution with this stride reduces to the input
        out = [int(n * s - rng.integers(0, s)) for n, s in zip(size, stride, strict=True)]
    else:
        out = [n * s + max(k - s, 0) for n, s, k in zip(size, stride, kernel, strict=True)]
    batches, depth, channels = int(rng.choice([1, 1, 2])), int(rng.integers(1, 10)), int(rng.integers(1, 11))
    x = draw.tensor(rng, [batches, *size, depth], dtype)
    if dtype == "int16":
        x.zero_point = 0
    f, b = weights(rng, [channels, *kernel, depth], 0, x, dtype)
    if dtype == "int16":
        b.dtype, b.data = "int64", b.data.astype(np.int64)
    y = output(rng, [batches, *out, channels], x, f)
    fields = options(
        "TransposeConv", padding=padding, strideH=stride[0], strideW=stride[1], fusedActivationFunction=activation
    )
    inputs: list[Tensor | None] = [Tensor.constant([batches, *out, channels]), f, x]
    if rng.random() < 0.7 or dtype == "int16":
        inputs.append(b)
    return single("TRANSPOSE_CONV", inputs, y, fields), [draw.values(rng, x)]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", TYPES)
def test_transpose_conv(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a tap, stride or padding that is off by one, a factor or bias of another channel."""
    same(engine, *draw_case(seed, dtype), **CLOSE[dtype])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_fused(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a fused activation that is forgotten."""
    same(engine, *draw_case(seed, dtype, 1 + seed % 3), **CLOSE[dtype])


def small(**changes: object) -> bytes:
    """A sound TRANSPOSE_CONV with some of its fields changed; a part that is None is left out."""
    fields = {"padding": VALID, "strideH": 2, "strideW": 1, "fusedActivationFunction": 0}
    x = Tensor([1, 3, 3, 2], "int8", 0.1, 0)
    f = Tensor([4, 3, 2, 2], "int8", [0.1] * 4, 0, np.ones([4, 3, 2, 2], np.int8))
    b = Tensor([4], "int32", [0.01] * 4, 0, np.arange(4, dtype=np.int32) * 100)
    y = Tensor([1, 7, 4, 4], "int8", 0.2, 0)
    parts: dict[str, Tensor | None] = {"s": Tensor.constant([1, 7, 4, 4]), "f": f, "x": x, "b": b, "y": y}
    for name, value in changes.items():
        part, _, attribute = name.partition("_")
        if name in fields:
            fields[name] = int(str(value))
        elif attribute:
            setattr(parts[part], attribute, value)
        else:
            parts[part] = None
    inputs = [parts[name] for name in "sfxb"]
    return single("TRANSPOSE_CONV", inputs, y, options("TransposeConv", **fields))


DATA = [np.arange(18).astype(np.int8).reshape(1, 3, 3, 2)]


def test_small_is_sound(engine: Engine) -> None:
    """Catches refusals below that come of something else than the change."""
    same(engine, small(), DATA)


def test_computed_shape(engine: Engine) -> None:
    """Catches a shape that is read where it is no constant: the output's own holds, as in tflite-micro."""
    (expected,) = same(engine, small(), DATA)
    got = HostModel(engine, small(s_data=None)).invoke([np.int32([9, 9, 9, 9]), *DATA])
    np.testing.assert_array_equal(got[0], expected)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_no_bias(engine: Engine, dtype: str) -> None:
    """Catches a bias that is left out and read all the same: tflite-micro dies of that with int16."""
    changes = {"x_dtype": dtype, "y_dtype": dtype, "b_dtype": "int32" if dtype == "int8" else "int64"}
    x = [a.astype(dtype) for a in DATA]
    zeros = small(**changes, b_data=np.zeros(4, changes["b_dtype"]))
    (expected,) = same(engine, zeros, x)
    np.testing.assert_array_equal(HostModel(engine, small(**changes, b=None)).invoke(x)[0], expected)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strideH": 0}, "stride 0"),
        ({"strideW": -1}, "stride -1"),
        ({"strideH": 0x7FFFFFFF}, "stride"),
        ({"padding": 2}, "padding 2"),
        ({"fusedActivationFunction": 4}, "activation 4"),
        ({"s_data": np.int32([1, 7, 4, 3])}, "another shape"),
        ({"s_shape": [3], "s_data": np.int32([1, 7, 4])}, "another shape"),
        ({"y_shape": [1, 9, 4, 4], "s_data": None}, "height"),
        ({"y_shape": [1, 7, 5, 4], "s_data": None}, "width"),
        ({"y_shape": [2, 7, 4, 4], "s_data": None}, "batches"),
        ({"y_shape": [1, 7, 4, 5], "s_data": None}, "do not fit"),
        ({"y_shape": [7, 4, 4], "s_data": None}, "4 dimensions"),
        ({"x_shape": [1, 3, 3, 3]}, "do not fit"),
        ({"x_shape": [1, 3, 0, 2]}, "dimension 2"),
        ({"x_scale": None}, "scale above 0"),
        ({"f_scale": [0.1] * 3}, "3 scales"),
        ({"f_axis": 3}, "along dimension 3"),
        ({"x_dtype": "uint8"}, "uint8"),
        ({"f_dtype": "int4"}, "int4"),
        ({"b_dtype": "float32", "b_data": np.zeros(4, np.float32)}, "bias of float32"),
        ({"b_shape": [3], "b_data": np.zeros(3, np.int32)}, "3 elements"),
        ({"x": None}, "input 2 is missing"),
        ({"f": None}, "input 1 is missing"),
    ],
)
def test_refuses(engine: Engine, changes: dict[str, object], says: str) -> None:
    """Catches a field that is trusted: each of these would divide by zero, run past a tensor, or answer wrongly."""
    assert says in refusal(engine, small(**changes))
