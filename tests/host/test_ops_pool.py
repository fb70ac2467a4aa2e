"""AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D against tflite-micro, one operator a model."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine
from builder import SAME, VALID, Tensor, options, single
from reference import Rejected, reference, refusal, same

OPS = ["AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"]
TYPED = [(name, dtype) for name in OPS[:2] for dtype in ("int8", "int16", "float32")] + [("L2_POOL_2D", "float32")]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("name", "dtype"), TYPED)
def test_pool(engine: Engine, name: str, dtype: str, seed: int) -> None:
    """Catches padding that is counted, a mean rounded the other way, a window cut at the wrong edge, a lost clamp."""
    rng = np.random.default_rng(seed)
    padding = int(rng.choice([SAME, VALID]))
    kernel, stride = draw.shape(rng, 2, 5), draw.shape(rng, 2, 4)
    size = [int(rng.integers(k if padding == VALID else 1, k + 9)) for k in kernel]
    out = [-(-(n if padding == SAME else n - k + 1) // s) for n, k, s in zip(size, kernel, stride, strict=True)]
    batches, depth = int(rng.integers(1, 3)), int(rng.integers(1, 20))
    x = draw.tensor(rng, [batches, *size, depth], dtype)
    y = Tensor([batches, *out, depth], dtype, x.scale, x.zero_point)
    fields = options(
        "Pool2D", padding=padding, strideH=stride[0], strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1],
        fusedActivationFunction=int(rng.choice(draw.FUSED)),
    )  # fmt: skip
    same(engine, single(name, [x], y, fields), [draw.values(rng, x)], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", OPS)
def test_values_that_are_no_numbers(engine: Engine, name: str) -> None:
    """Catches an infinity or a NaN that is treated otherwise than by the reference."""
    x, y = Tensor([1, 2, 6, 1]), Tensor([1, 1, 3, 1])
    fields = options("Pool2D", padding=VALID, strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    data = np.float32([1, 2, np.inf, -np.inf, np.nan, 1, 0, 0, np.inf, 3, 2, 2]).reshape(x.shape)
    same(engine, single(name, [x], y, fields), [data])


@pytest.mark.parametrize("size", [[255, 257], [1, 32767], [13, 5041]])
@pytest.mark.parametrize("value", [-32768, 32767])
def test_largest_sum_of_int16(engine: Engine, value: int, size: list[int]) -> None:
    """Catches a sum that leaves 31 bits; a window of more than its bound is refused."""
    x, y = Tensor([1, *size, 1], "int16", 0.5), Tensor([1, 1, 1, 1], "int16", 0.5)
    fields = {"padding": VALID, "strideH": 1, "strideW": 1, "filterHeight": size[0], "filterWidth": size[1]}
    same(engine, single("AVERAGE_POOL_2D", [x], y, options("Pool2D", **fields)), [np.full(x.shape, value, np.int16)])
    x.shape = [1, 256, 256, 1]
    fields |= {"filterHeight": 256, "filterWidth": 256}
    assert "65535 positions" in refusal(engine, single("AVERAGE_POOL_2D", [x], y, options("Pool2D", **fields)))


def test_l2_refuses_integers(engine: Engine) -> None:
    """Catches squares of quantized values that nobody rescales."""
    x, y = Tensor([1, 2, 2, 1], "int8", 0.5), Tensor([1, 1, 1, 1], "int8", 0.5)
    fields = options("Pool2D", padding=VALID, strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    assert "input int8, output int8 is not supported" in refusal(engine, single("L2_POOL_2D", [x], y, fields))


def small(**changes: object) -> bytes:
    """A sound MAX_POOL_2D with some of its fields changed."""
    fields = {"padding": VALID, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    x, y = Tensor([1, 4, 4, 3], "int8", 0.5, 3), Tensor([1, 2, 2, 3], "int8", 0.5, 3)
    for name, value in changes.items():
        if name in fields or name == "fusedActivationFunction":
            fields[name] = value
        else:
            setattr({"x": x, "y": y}[name[0]], name[2:], value)
    return single("MAX_POOL_2D", [x], y, options("Pool2D", **fields))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strideH": 0}, "stride 0"),
        ({"strideW": -2}, "stride -2"),
        ({"filterHeight": 0}, "kernel 0"),
        ({"filterWidth": -1}, "kernel -1"),
        ({"filterWidth": 1 << 30}, "kernel"),
        ({"padding": 2}, "padding 2"),
        ({"fusedActivationFunction": 5}, "activation 5"),
        ({"y_shape": [1, 2, 3, 3]}, "width"),
        ({"y_shape": [1, 2, 2, 4]}, "channels"),
        ({"y_shape": [2, 2, 2, 3]}, "batches"),
        ({"x_shape": [4, 4, 3]}, "4 dimensions"),
        ({"y_dtype": "float32"}, "float32"),
        ({"x_scale": 0.0}, "scale above 0"),
        ({"y_zero_point": 4}, "same scale and zero point"),
        ({"y_scale": 0.25}, "same scale and zero point"),
    ],
)
def test_refuses(engine: Engine, changes: dict[str, object], says: str) -> None:
    """Catches a field that is trusted, and values that would mean something else in the output than in the input."""
    assert says in refusal(engine, small(**changes))


def test_reference_rejects_another_quantization() -> None:
    """Catches a reference that begins to rescale: then Arenite should too."""
    with pytest.raises(Rejected):
        reference(small(y_zero_point=4), [np.zeros([1, 4, 4, 3], np.int8)])
