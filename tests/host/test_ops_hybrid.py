"""Weights of int8 between activations of float32, as models quantized for dynamic range have them.

Arenite computes with the activations as they are: exactly what the same model gives whose weights are dequantized.
tflite-micro takes no such model; what TensorFlow Lite makes of it is asked in test_dynamic_range.py.
"""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import SAME, VALID, Array, Tensor, options, single
from reference import reference, refusal
from test_ops_conv import Window, maybe_bias

NAMES = ["FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"]
SHARED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")  # with TensorFlow Lite


class Hybrid:
    """A model of one operator, drawn at random: with int8 weights, and with the same dequantized."""

    def __init__(self, name: str, seed: int, *, common: bool = False) -> None:
        """Draw it; common: with a bias and a scale a channel, without which TensorFlow Lite rejects some."""
        self.rng, self.name, self.common = np.random.default_rng(seed), name, common
        made = {
            "FULLY_CONNECTED": self.fully_connected,
            "CONV_2D": self.conv_2d,
            "DEPTHWISE_CONV_2D": self.depthwise_conv_2d,
            "TRANSPOSE_CONV": self.transpose_conv,
        }[name]()
        shape_x, shape_f, shape_y, axis, self.options = made
        self.x, self.y = Tensor(shape_x), Tensor(shape_y)
        self.f = self.weights(shape_f, axis)
        b = Tensor([shape_f[axis]], data=self.rng.uniform(-5, 5, shape_f[axis]).astype(np.float32))
        self.bias = [b] if common else [t for t in maybe_bias(self.rng, b) if t or name == "FULLY_CONNECTED"]
        self.data = [self.rng.uniform(-8, 8, shape_x).astype(np.float32)]

    def weights(self, shape: list[int], axis: int) -> Tensor:
        """int8, quantized as a whole or per channel."""
        channels = shape[axis] if self.common or self.rng.random() < 0.6 else 1
        scales = np.float32([draw.scale(self.rng, -9, -4) for _ in range(channels)])
        return Tensor(shape, "int8", scales, 0, self.rng.integers(-127, 128, shape).astype(np.int8), axis)

    def fully_connected(self) -> tuple[list[int], list[int], list[int], int, object]:
        """Shapes of input, weights and output, the dimension of the channels, and the options."""
        rng = self.rng
        n_in, n_out, rows = int(rng.integers(1, 60)), int(rng.integers(1, 20)), int(rng.integers(1, 4))
        fused = int(rng.choice(draw.FUSED))
        return [rows, n_in], [n_out, n_in], [rows, n_out], 0, options("FullyConnected", fusedActivationFunction=fused)

    def conv_2d(self) -> tuple[list[int], list[int], list[int], int, object]:
        """As above."""
        w, depth, n = Window(self.rng), int(self.rng.integers(1, 10)), int(self.rng.integers(1, 12))
        fields = options("Conv2D", **w.fields())
        return [w.batches, *w.size, depth], [n, *w.kernel, depth], [w.batches, *w.out, n], 0, fields

    def depthwise_conv_2d(self) -> tuple[list[int], list[int], list[int], int, object]:
        """As above."""
        w, depth, multiplier = Window(self.rng), int(self.rng.integers(1, 20)), int(self.rng.choice([1, 1, 2, 3]))
        n = depth * multiplier
        fields = options("DepthwiseConv2D", depthMultiplier=multiplier, **w.fields())
        return [w.batches, *w.size, depth], [1, *w.kernel, n], [w.batches, *w.out, n], 3, fields

    def transpose_conv(self) -> tuple[list[int], list[int], list[int], int, object]:
        """As above."""
        rng = self.rng
        kernel, stride, size = draw.shape(rng, 2, 4), draw.shape(rng, 2, 3), draw.shape(rng, 2, 5)
        depth, n, padding = int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.choice([SAME, VALID]))
        extra = [0 if padding == SAME else max(k - s, 0) for k, s in zip(kernel, stride, strict=True)]
        out = [a * s + e for a, s, e in zip(size, stride, extra, strict=True)]
        fields = options("TransposeConv", padding=padding, strideH=stride[0], strideW=stride[1])
        return [1, *size, depth], [n, *kernel, depth], [1, *out, n], 0, fields

    def model(self, f: Tensor) -> bytes:
        """The file with these weights."""
        head = [Tensor.constant(list(self.y.shape)), f, self.x] if self.name == "TRANSPOSE_CONV" else [self.x, f]
        return single(self.name, [*head, *self.bias], self.y, self.options)

    def dequantized(self) -> Tensor:
        """The weights as float32."""
        shape = [1] * len(self.f.shape)
        scales = np.asarray(self.f.scale, np.float32)
        shape[self.f.axis] = scales.size
        return Tensor(self.f.shape, data=self.f.data.astype(np.float32) * scales.reshape(shape))

    def magnitudes(self) -> Array:
        """What the outputs would be if all products were positive and the activations 1: sums of the weights' sizes."""
        f = self.dequantized()
        f.data = np.abs(f.data)
        kept, self.bias = self.bias, []
        fused, self.options.fusedActivationFunction = self.options.fusedActivationFunction, 0
        model = self.model(f)
        self.bias, self.options.fusedActivationFunction = kept, fused
        return reference(model, [np.ones(self.x.shape, np.float32)])[0]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", NAMES)
def test_as_dequantized(engine: Engine, name: str, seed: int) -> None:
    """Catches a scale of another channel, a bias or activation that is forgotten, weights read as floats."""
    case = Hybrid(name, seed)
    (expected,) = reference(case.model(case.dequantized()), case.data)
    model = HostModel(engine, case.model(case.f))
    for _ in range(2):
        np.testing.assert_allclose(model.invoke(case.data)[0], expected, rtol=1e-5, atol=1e-4)


def dense(**changes: object) -> bytes:
    """A FULLY_CONNECTED with fields of its weights changed."""
    f = Tensor([3, 4], "int8", [0.1] * 3, 0, np.ones([3, 4], np.int8))
    for name, value in changes.items():
        setattr(f, name, value)
    return single("FULLY_CONNECTED", [Tensor([2, 4]), f, None], Tensor([2, 3]), options("FullyConnected"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scale": None}, "0 scales"),
        ({"scale": [0.1] * 2}, "2 scales"),
        ({"scale": [0.1, float("nan"), 0.1]}, "above 0"),
        ({"zero_point": [0, 1, 0]}, "zero points of 0"),
        ({"axis": 1}, "along dimension 1"),
        ({"dtype": "uint8", "data": np.ones([3, 4], np.uint8)}, "uint8"),
        ({"dtype": "int4"}, "int4"),
    ],
)
def test_refuses(engine: Engine, changes: dict[str, object], says: str) -> None:
    """Catches weights that are taken for what they are not."""
    HostModel(engine, dense())
    assert says in refusal(engine, dense(**changes))
