"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED against tflite-micro, one operator a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import SAME, VALID, Array, Op, Tensor, build, options, single
from draw import Rng
from reference import Rejected, reference, refusal, same

# int4: int8 activations and int4 weights; int16: int16 activations and int8 weights.
TYPES = ["int8", "int16", "int4", "float32"]
CASES = range(40)
# float32: as many roundings as there are products, of sums of up to 8 * 8 * 64 = 4096 in magnitude.
CLOSE = {"int8": {}, "int16": {}, "int4": {}, "float32": {"rtol": 1e-5, "atol": 1e-3}}


@dataclass
class Window:
    """What CONV_2D and DEPTHWISE_CONV_2D have in common, drawn at random.

    Attributes:
        far: along one axis padding, strides and dilations are more than a byte holds.
    """

    rng: Rng
    far: bool = False

    def __post_init__(self) -> None:
        """Draw sizes until the window fits."""
        rng = self.rng
        self.padding = int(rng.choice([SAME, VALID]))
        self.kernel = draw.shape(rng, 2, 4)
        self.stride = draw.shape(rng, 2, 3)
        self.dilation = draw.shape(rng, 2, 3)
        long = int(rng.integers(2))
        if self.far:
            self.kernel[long] = int(rng.choice([1, 2, 3, 530]))
            self.stride[long] = int(rng.choice([1, 7, 256, 400]))
            self.dilation[long] = int(rng.choice([1, 255, 256, 511]) if self.kernel[long] < 530 else 1)
            if long == 0 or self.dilation[1] > 255:
                self.kernel[1 - long] = 1
        reach = [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        least = [r if self.padding == VALID else 1 for r in reach]
        self.size = [int(n + rng.integers(0, 8)) for n in least]
        if self.far:
            self.size[long] += int(rng.integers(0, 300))
            self.size[1] = self.size[1] if long else 1
        self.out = [
            -(-(n if self.padding == SAME else n - r + 1) // s)
            for n, r, s in zip(self.size, reach, self.stride, strict=True)
        ]
        self.batches = int(rng.choice([1, 1, 2]))
        self.activation = int(rng.choice(draw.FUSED))

    def fields(self) -> dict[str, int]:
        """The options by the schema's names."""
        return {
            "padding": self.padding,
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "dilationHFactor": self.dilation[0],
            "dilationWFactor": self.dilation[1],
            "fusedActivationFunction": self.activation,
        }


def activation(rng: Rng, shape: list[int], dtype: str) -> Tensor:
    """An input of the type that the case is about."""
    x = draw.tensor(rng, shape, "int8" if dtype == "int4" else dtype)
    if dtype == "int16":
        x.zero_point = 0
    return x


def quantized_weights(rng: Rng, shape: list[int], axis: int, x: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
    """Weights, per tensor or per channel, and a bias of the scales that go with them."""
    channels = shape[axis]
    count = channels if rng.random() < 0.7 else 1
    scales = np.float32([draw.scale(rng, -12, -2) for _ in range(count)])
    low, high, name = (-7, 8, "int4") if dtype == "int4" else (-127, 128, "int8")
    data = rng.integers(low, high, shape).astype(np.int8)
    w = Tensor(shape, name, scales, 0, data, axis)
    wide = "int64" if x.dtype == "int16" and rng.random() < 0.7 else "int32"
    bias = rng.integers(-5000, 5000, channels).astype(wide)
    return w, Tensor([channels], wide, np.float32(x.scale) * scales, 0, bias)


def weights(rng: Rng, shape: list[int], axis: int, x: Tensor, dtype: str) -> tuple[Tensor, Tensor]:
    """Weights and bias, constant."""
    if x.dtype != "float32":
        return quantized_weights(rng, shape, axis, x, dtype)
    w, b = Tensor(shape), Tensor([shape[axis]])
    w.data, b.data = draw.values(rng, w), draw.values(rng, b)
    return w, b


def output(rng: Rng, shape: list[int], x: Tensor, w: Tensor) -> Tensor:
    """An output whose scale lets sums spread over its range, or saturate, or vanish."""
    if x.dtype == "float32":
        return Tensor(shape)
    n = np.prod(w.shape) / max(1, w.shape[w.axis])
    spread = float(x.scale * np.max(w.scale) * 128 * np.sqrt(n))
    zero_point = 0 if x.dtype == "int16" else draw.zero_point(rng, "int8")
    return Tensor(shape, x.dtype, float(np.float32(spread * 2.0 ** rng.uniform(-5, 5))), zero_point)


def maybe_bias(rng: Rng, b: Tensor) -> list[Tensor | None]:
    """The bias, an optional input left out, or none at all."""
    return [[b], [b], [None], []][int(rng.integers(4))]


def conv_2d(seed: int, dtype: str, far: bool = False) -> tuple[bytes, list[Array]]:
    """A model of one CONV_2D, and its input."""
    rng = np.random.default_rng(seed)
    w = Window(rng, far)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    depth, per_group = int(rng.integers(1, 10)), int(rng.integers(1, 7))
    x = activation(rng, [w.batches, *w.size, depth * groups], dtype)
    f, b = weights(rng, [per_group * groups, *w.kernel, depth], 0, x, dtype)
    y = output(rng, [w.batches, *w.out, per_group * groups], x, f)
    return single("CONV_2D", [x, f, *maybe_bias(rng, b)], y, options("Conv2D", **w.fields())), [draw.values(rng, x)]


def depthwise_conv_2d(seed: int, dtype: str, far: bool = False) -> tuple[bytes, list[Array]]:
    """A model of one DEPTHWISE_CONV_2D, and its input."""
    rng = np.random.default_rng(seed)
    w = Window(rng, far)
    depth, multiplier = int(rng.integers(1, 20)), int(rng.choice([1, 1, 2, 3]))
    x = activation(rng, [w.batches, *w.size, depth], dtype)
    f, b = weights(rng, [1, *w.kernel, depth * multiplier], 3, x, dtype)
    y = output(rng, [w.batches, *w.out, depth * multiplier], x, f)
    fields = options("DepthwiseConv2D", depthMultiplier=multiplier, **w.fields())
    # tflite-micro dies of a bias of this operator that is there but left out (tensor -1).
    bias = [t for t in maybe_bias(rng, b) if t]
    if dtype == "int16" and b.dtype == "int32":
        bias = []  # int64 only
    return single("DEPTHWISE_CONV_2D", [x, f, *bias], y, fields), [draw.values(rng, x)]


def depthwise_one_channel(seed: int) -> tuple[bytes, list[Array]]:
    """A model of one DEPTHWISE_CONV_2D of int8 with one input channel and rows of 8 taps, and its input."""
    rng = np.random.default_rng(seed)
    same_padding, multiplier, stride = rng.random() < 0.7, int(rng.integers(1, 10)), int(rng.choice([1, 2, 2, 3]))
    kernel, batches = [int(rng.integers(4, 17)), 8], int(rng.choice([1, 1, 2]))
    least = [1, 1] if same_padding else kernel
    size = [int(rng.integers(n, 30)) for n in least]
    out = [-(-(n if same_padding else n - k + 1) // stride) for n, k in zip(size, kernel, strict=True)]
    x = activation(rng, [batches, *size, 1], "int8")
    f, b = weights(rng, [1, *kernel, multiplier], 3, x, "int8")
    y = output(rng, [batches, *out, multiplier], x, f)
    fields = options(
        "DepthwiseConv2D",
        depthMultiplier=multiplier,
        padding=SAME if same_padding else VALID,
        strideH=stride,
        strideW=stride,
        fusedActivationFunction=int(rng.choice(draw.FUSED)),
    )
    return single("DEPTHWISE_CONV_2D", [x, f, b], y, fields), [draw.values(rng, x)]


def deep_conv_2d(seed: int) -> tuple[bytes, list[Array]]:
    """A model of one CONV_2D of int8 with many channels, some without weights, and many positions, and its input."""
    rng = np.random.default_rng(seed)
    side, stride = int(rng.choice([1, 1, 3, 5])), int(rng.choice([1, 1, 2]))
    n_in, n_out = int(rng.integers(1, 40)), int(rng.choice([8, 16, int(rng.integers(8, 70))]))
    size = draw.shape(rng, 2, 12)
    out = [-(-n // stride) for n in size]
    x = activation(rng, [1, *size, n_in], "int8")
    f, b = weights(rng, [n_out, side, side, n_in], 0, x, "int8")
    f.data[rng.random(n_out) < rng.choice([0, 0.3])] = 0
    y = output(rng, [1, *out, n_out], x, f)
    activations = int(rng.choice(draw.FUSED))
    fields = options("Conv2D", padding=SAME, strideH=stride, strideW=stride, fusedActivationFunction=activations)
    return single("CONV_2D", [x, f, b], y, fields), [draw.values(rng, x)]


def narrow_conv_2d(seed: int) -> tuple[bytes, list[Array]]:
    """A model of one CONV_2D of int8 with one to six positions a row, some channels without weights, and its input."""
    rng = np.random.default_rng(seed)
    side, width, n_out = int(rng.choice([1, 1, 3])), seed % 6 + 1, int(rng.integers(1, 100))
    size, n_in = [int(rng.integers(1, 5)), width], int(rng.choice([4, 8, 28, 60, int(rng.integers(1, 30))]))
    x = activation(rng, [1, *size, n_in], "int8")
    f, b = weights(rng, [n_out, side, side, n_in], 0, x, "int8")
    f.data[rng.random(n_out) < rng.choice([0, 0.3, 1])] = 0
    f.data[:, 0, 0, 0] *= rng.random(n_out) < 0.5
    y = output(rng, [1, *size, n_out], x, f)
    fields = options("Conv2D", padding=SAME, strideH=1, strideW=1, fusedActivationFunction=int(rng.choice(draw.FUSED)))
    return single("CONV_2D", [x, f, b], y, fields), [draw.values(rng, x)]


def conv_2d_by_twos(seed: int) -> tuple[bytes, list[Array]]:
    """A model of two CONV_2D of int8, one behind the other, and its input: by twos in the least scratch.

    The zero point of the first input is the lowest, as a ReLU has it; that of the second, turned in between, is any.
    """
    rng = np.random.default_rng(seed)
    width, n_in, between = int(rng.integers(7, 14)), int(rng.integers(1, 40)), int(rng.choice([8, 16, 24, 28, 33]))
    size, n_out = [int(rng.integers(1, 4)), width], int(rng.choice([8, 16, 20, 41]))
    tensors = [Tensor([1, *size, n_in], "int8", draw.scale(rng, -8, 0), -128)]
    ops = []
    for n, side in [(between, int(rng.choice([1, 3]))), (n_out, int(rng.choice([1, 1, 3])))]:
        x = tensors[-1]
        f, b = weights(rng, [n, side, side, x.shape[-1]], 0, x, "int8")
        f.data[rng.random(n) < rng.choice([0, 0, 0.1])] = 0
        y = output(rng, [*x.shape[:-1], n], x, f)
        y.scale = max(y.scale, float(np.float32(4 * x.scale * np.max(f.scale))))
        order = Tensor([4], "int32", data=np.int32([0, 2, 1, 3]))
        turned = Tensor([y.shape[k] for k in order.data], "int8", y.scale, y.zero_point)
        ops.append(Op("CONV_2D", [x, f, b], [y], options("Conv2D", padding=SAME, strideH=1, strideW=1)))
        ops.append(Op("TRANSPOSE", [y, order], [turned], options("Transpose")))
        tensors.append(turned)
    return build(ops), [draw.values(rng, tensors[0])]


# Channels of the input and the output, and the stride: what decides how many rows of three taps are met at once in the
# least scratch, and whether the channels' factors are kept.
COLUMNS = {
    "all": (8, 18, 1),
    "all, no table": (48, 9, 1),
    "a row": (64, 36, 1),
    "a row, no table": (96, 34, 1),
    "wide": (32, 13, 2),
}


def columns_conv_2d(seed: int, depth: int, n_out: int, stride: int, turned: bool = False) -> tuple[bytes, list[Array]]:
    """A model of one CONV_2D of int8 with three taps a row and more than six positions, and its input.

    turned: there is a TRANSPOSE behind it, whose tensors leave the convolution some scratch in any arena.
    """
    rng = np.random.default_rng(seed + 100 * turned)
    padding, stride_h = int(rng.choice([SAME, SAME, VALID])), int(rng.choice([1, 1, 2]))
    height, dilation = int(rng.choice([3, 3, 1, 2])), int(rng.choice([1, 1, 1, 2]))
    reach = [(height - 1) * dilation + 1, 3]
    size = [int(rng.integers(1, 5)), int(rng.integers(9, 13)) * stride + int(rng.integers(0, 3))]
    size[0] += reach[0] - 1 if padding == VALID else 0
    out = [
        -(-(n if padding == SAME else n - r + 1) // s) for n, r, s in zip(size, reach, [stride_h, stride], strict=True)
    ]
    batches = int(rng.choice([1, 1, 1, 2]))
    x = activation(rng, [batches, *size, depth], "int8")
    f, b = weights(rng, [n_out, height, 3, depth], 0, x, "int8")
    f.data[rng.random(n_out) < rng.choice([0, 0.3])] = 0
    y = output(rng, [batches, *out, n_out], x, f)
    if rng.random() < 0.5:
        y.scale *= 64.0
    bias = [b] if rng.random() < 0.8 else []
    activations = int(rng.choice(draw.FUSED)) if rng.random() < 0.5 else 0
    fields = options(
        "Conv2D",
        padding=padding,
        strideH=stride_h,
        strideW=stride,
        dilationHFactor=dilation,
        fusedActivationFunction=activations,
    )
    ops = [Op("CONV_2D", [x, f, *bias], [y], fields)]
    if turned:
        order = Tensor([4], "int32", data=np.int32([0, 3, 1, 2]))
        z = Tensor([y.shape[k] for k in order.data], "int8", y.scale, y.zero_point)
        ops.append(Op("TRANSPOSE", [y, order], [z], options("Transpose")))
    return build(ops), [draw.values(rng, x)]


# Channels of the input, and the kernel: what decides whether weights of all its rows are packed at once.
PACKED = {"all": (6, [3, 3]), "a row": (32, [3, 3]), "wide": (2, [2, 8]), "high": (26, [5, 2])}


def packed_conv_2d(seed: int, depth: int, kernel: list[int]) -> tuple[bytes, list[Array]]:
    """A model of one CONV_2D of int8 with rows of twelve positions or more, and its input.

    Some channels have no weights, some neighbours of -128, and some a factor above 1/2.
    """
    rng = np.random.default_rng([seed, depth])
    padding, stride = int(rng.choice([SAME, SAME, VALID])), [int(rng.choice([1, 1, 2])) for _ in range(2)]
    dilation, batches = int(rng.choice([1, 1, 1, 2])), int(rng.choice([1, 1, 1, 2]))
    reach = [(kernel[0] - 1) * dilation + 1, kernel[1]]
    size = [int(rng.integers(2, 7)), int(rng.integers(12, 20)) * stride[1]]
    if padding == VALID:
        size = [n + r - 1 for n, r in zip(size, reach, strict=True)]
    out = [-(-(n if padding == SAME else n - r + 1) // s) for n, r, s in zip(size, reach, stride, strict=True)]
    x = activation(rng, [batches, *size, depth], "int8")
    n_out = int(rng.integers(1, 23))
    f, b = weights(rng, [n_out, *kernel, depth], 0, x, "int8")
    f.data[rng.random(n_out) < rng.choice([0, 0.3])] = 0
    f.data[rng.random(n_out) < rng.choice([0, 0, 0.2]), -1, -1, -2:] = -128
    y = output(rng, [batches, *out, n_out], x, f)
    y.scale = max(y.scale, float(np.float32(3 * x.scale * np.max(f.scale)))) if rng.random() < 0.8 else y.scale
    made = options("Conv2D", padding=padding, strideH=stride[0], strideW=stride[1], dilationHFactor=dilation)
    return single("CONV_2D", [x, f, b], y, made), [draw.values(rng, x)]


def dead_channels(seed: int) -> tuple[bytes, list[Array]]:
    """A model of CONV_2D, a 3x3 DEPTHWISE_CONV_2D and a 1x1 CONV_2D, and its input.

    Many channels of the first have no weights: the others' are left out by what follows where the arena has room.
    """
    rng = np.random.default_rng(seed)
    padding, stride = int(rng.choice([SAME, VALID])), int(rng.choice([1, 1, 2]))
    size = [int(n) for n in rng.integers(3, 10, 2)]
    out = [-(-(n if padding == SAME else n - 2) // stride) for n in size]
    depth, n_out = 4 * int(rng.integers(7, 24)), int(rng.choice([16, 32, int(rng.integers(16, 60))]))
    batches = int(rng.choice([1, 1, 1, 2]))
    x = activation(rng, [batches, *size, int(rng.integers(1, 9))], "int8")
    f1, b1 = weights(rng, [depth, 1, 1, x.shape[3]], 0, x, "int8")
    dead = rng.random(depth) < rng.choice([0.3, 0.6, 0.9, 1])
    f1.data[dead] = 0
    b1.data[dead & (rng.random(depth) < 0.8)] = rng.choice([0, -300])
    y1 = output(rng, [batches, *size, depth], x, f1)
    f2, b2 = weights(rng, [1, 3, 3, depth], 3, y1, "int8")
    b2.data[rng.random(depth) < 0.8] = rng.choice([0, -300])
    y2 = output(rng, [batches, *out, depth], y1, f2)
    for y in (y1, y2):
        y.zero_point = -128 if rng.random() < 0.7 else y.zero_point
    f3, b3 = weights(rng, [n_out, 1, 1, depth], 0, y2, "int8")
    f3.data[rng.random(n_out) < rng.choice([0, 0.5])] = 0
    y3 = output(rng, [batches, *out, n_out], y2, f3)
    plain = options("Conv2D", padding=SAME, strideH=1, strideW=1, fusedActivationFunction=int(rng.choice(draw.FUSED)))
    window = options("DepthwiseConv2D", padding=padding, strideH=stride, strideW=stride, depthMultiplier=1)
    ops = [
        Op("CONV_2D", [x, f1, b1], [y1], plain),
        Op("DEPTHWISE_CONV_2D", [y1, f2, b2], [y2], window),
        Op("CONV_2D", [y2, f3, b3], [y3], plain),
    ]
    return build(ops), [draw.values(rng, x)]


def depthwise_3x3(seed: int) -> tuple[bytes, list[Array]]:
    """A model of one DEPTHWISE_CONV_2D of int8 with a 3x3 kernel, wide and deep, and its input."""
    rng = np.random.default_rng(seed)
    same_padding, depth, stride = rng.random() < 0.6, int(rng.integers(1, 50)), int(rng.choice([1, 1, 2, 3]))
    size = [int(rng.integers(3, 9)), int(rng.integers(3, 90))]
    out = [-(-(n if same_padding else n - 2) // stride) for n in size]
    x = activation(rng, [1, *size, depth], "int8")
    f, b = weights(rng, [1, 3, 3, depth], 3, x, "int8")
    y = output(rng, [1, *out, depth], x, f)
    fields = options(
        "DepthwiseConv2D",
        depthMultiplier=1,
        padding=SAME if same_padding else VALID,
        strideH=stride,
        strideW=stride,
        fusedActivationFunction=int(rng.choice(draw.FUSED)),
    )
    return single("DEPTHWISE_CONV_2D", [x, f, b], y, fields), [draw.values(rng, x)]


def fully_connected(seed: int, dtype: str) -> tuple[bytes, list[Array]]:
    """A model of one FULLY_CONNECTED, and its input."""
    rng = np.random.default_rng(seed)
    n_in, n_out = int(rng.integers(1, 70)), int(rng.integers(1, 20))
    outer = draw.shape(rng, int(rng.integers(1, 4)), 4)
    x = activation(rng, [*outer, n_in], dtype)
    f, b = weights(rng, [n_out, n_in], 0, x, dtype)
    if dtype == "int4":
        f.scale, b.scale = f.scale[:1], b.scale[:1]  # tflite-micro has no more
    y = output(rng, [*outer, n_out], x, f)
    if dtype == "int8" and isinstance(f.scale, np.ndarray) and len(f.scale) == 1 and rng.random() < 0.4:
        f.zero_point = draw.zero_point(rng, "int8")
    fields = options("FullyConnected", fusedActivationFunction=int(rng.choice(draw.FUSED)), keepNumDims=True)
    return single("FULLY_CONNECTED", [x, f, *maybe_bias(rng, b)], y, fields), [draw.values(rng, x)]


@pytest.mark.parametrize("seed", CASES)
@pytest.mark.parametrize("dtype", TYPES)
def test_conv_2d(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a wrong window, stride, dilation, padding, group, factor, bias or clamp."""
    same(engine, *conv_2d(seed, dtype), **CLOSE[dtype])


@pytest.mark.parametrize("seed", CASES)
@pytest.mark.parametrize("model", [conv_2d, depthwise_conv_2d])
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_far(engine: Engine, dtype: str, model: Callable[..., tuple[bytes, list[Array]]], seed: int) -> None:
    """Catches padding, a stride or a dilation of a long signal that is cut to what a byte holds, or refused."""
    same(engine, *model(seed, dtype, far=True), **CLOSE[dtype])


def test_far_along_both_axes(engine: Engine) -> None:
    """Catches a window that a record cannot hold and that runs as another."""
    x, f, y = Tensor([1, 700, 2, 1]), Tensor([1, 1, 2, 1]), Tensor([1, 2, 1, 1])
    f.data = np.float32([1, 2]).reshape(f.shape)
    fields = options("Conv2D", padding=VALID, strideH=400, strideW=1, dilationHFactor=1, dilationWFactor=1)
    model = single("CONV_2D", [x, f], y, fields)
    assert "op 0 CONV_2D: more than 255 of padding, stride or dilation beside another axis" in refusal(engine, model)


@pytest.mark.parametrize("seed", CASES)
def test_deep_conv_2d(engine: Engine, seed: int) -> None:
    """Catches a tile of channels or patches cut short, a channel without weights in another's place."""
    same(engine, *deep_conv_2d(seed))


@pytest.mark.parametrize("seed", CASES)
def test_narrow_conv_2d(engine: Engine, seed: int) -> None:
    """Catches a patch of a few left out or met twice, channels beyond those listed at a time with others' factors, a
    channel taken for one without weights since it begins with a zero."""
    same(engine, *narrow_conv_2d(seed))


@pytest.mark.parametrize("seed", range(20))
def test_conv_2d_by_twos(engine: Engine, seed: int) -> None:
    """Catches the last of an odd number of positions, channels from the other end of eight, or those that make up no
    eight, in another's place or with another's factor; activations that a byte does not hold."""
    same(engine, *conv_2d_by_twos(seed))


@pytest.mark.parametrize("way", COLUMNS)
@pytest.mark.parametrize("seed", range(6))
def test_columns_conv_2d(engine: Engine, seed: int, way: str) -> None:
    """Catches a row of taps or a column outside that counts, sums of rows of the kernel mixed up, a position too many
    of the last few."""
    same(engine, *columns_conv_2d(seed, *COLUMNS[way]))


@pytest.mark.parametrize("seed", range(6))
def test_packed_conv_2d(engine: Engine, seed: int) -> None:
    """Catches packed weights of another tap, row or channel, sums of a position that go on in another's, what lies
    outside counted, products of two channels that do not stay apart."""
    same(engine, *packed_conv_2d(seed, *PACKED["all"]))


@pytest.mark.parametrize("seed", range(6))
def test_packed_conv_2d_row_by_row(engine: Engine, seed: int) -> None:
    """Catches the same where rows of the kernel are packed one after another."""
    same(engine, *packed_conv_2d(seed, *PACKED["a row"]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", ["wide", "high"])
def test_packed_conv_2d_of_other_kernels(engine: Engine, way: str, seed: int) -> None:
    """Catches the same where more than one column is outside, and where none is."""
    same(engine, *packed_conv_2d(seed, *PACKED[way]))


@pytest.mark.parametrize("way", COLUMNS)
@pytest.mark.parametrize("seed", range(6))
def test_columns_conv_2d_before_others(engine: Engine, seed: int, way: str) -> None:
    """Catches the same where the smallest arena has some scratch to spare."""
    same(engine, *columns_conv_2d(seed, *COLUMNS[way], turned=True))


@pytest.mark.parametrize("seed", CASES)
def test_dead_channels(engine: Engine, seed: int) -> None:
    """Catches a channel left out that counts, its weights met by another, a constant in another's place or at the
    border; in the smallest arena and in one that has room to leave them out."""
    data, inputs = dead_channels(seed)
    expected = same(engine, data, inputs)
    for got, right in zip(HostModel(engine, data, 1 << 19).invoke(inputs), expected, strict=True):
        np.testing.assert_array_equal(got, right)


@pytest.mark.parametrize("seed", CASES)
def test_depthwise_3x3(engine: Engine, seed: int) -> None:
    """Catches a block of channels or a strip of columns cut short, a row or column outside that counts."""
    same(engine, *depthwise_3x3(seed))


@pytest.mark.parametrize("seed", CASES)
def test_depthwise_one_channel(engine: Engine, seed: int) -> None:
    """Catches a pair of channels cut short, a tap beside the input that counts, a row of taps in another's place."""
    same(engine, *depthwise_one_channel(seed))


@pytest.mark.parametrize("seed", CASES)
@pytest.mark.parametrize("dtype", TYPES)
def test_depthwise_conv_2d(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a wrong window or factor, a multiplier's channels in another order, a block of channels cut short."""
    same(engine, *depthwise_conv_2d(seed, dtype), **CLOSE[dtype])


@pytest.mark.parametrize("seed", CASES)
@pytest.mark.parametrize("dtype", TYPES)
def test_fully_connected(engine: Engine, dtype: str, seed: int) -> None:
    """Catches rows mixed up, a zero point of the weights forgotten, a factor of another channel."""
    same(engine, *fully_connected(seed, dtype), **CLOSE[dtype])


@pytest.mark.parametrize("seed", range(20))
def test_fully_connected_int4_per_channel(engine: Engine, seed: int) -> None:
    """Catches int4 weights with a scale a channel, which tflite-micro rejects, answered unlike the same in int8."""
    rng = np.random.default_rng(seed)
    n_in, n_out = int(rng.integers(1, 40)), int(rng.integers(2, 12))
    x, y = activation(rng, [3, n_in], "int8"), Tensor([3, n_out], "int8", 0.5, 3)
    scales = np.float32([draw.scale(rng, -8, -2) for _ in range(n_out)])
    data = rng.integers(-8, 8, [n_out, n_in]).astype(np.int8)
    models = [
        single("FULLY_CONNECTED", [x, Tensor([n_out, n_in], dtype, scales, 0, data)], y, options("FullyConnected"))
        for dtype in ("int4", "int8")
    ]
    inputs = [draw.values(rng, x)]
    (expected,) = reference(models[1], inputs)
    np.testing.assert_array_equal(HostModel(engine, models[0]).invoke(inputs)[0], expected)


def test_depthwise_bias_left_out(engine: Engine) -> None:
    """Catches an input that is named but left out (tensor -1) and read all the same."""
    x, y = Tensor([1, 3, 3, 2]), Tensor([1, 3, 3, 2])
    f = Tensor([1, 2, 2, 2], data=np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2))
    fields = options("DepthwiseConv2D", strideH=1, strideW=1, depthMultiplier=1)
    data = np.arange(18, dtype=np.float32).reshape(1, 3, 3, 2)
    (expected,) = reference(single("DEPTHWISE_CONV_2D", [x, f], y, fields), [data])
    (got,) = HostModel(engine, single("DEPTHWISE_CONV_2D", [x, f, None], y, fields)).invoke([data])
    np.testing.assert_allclose(got, expected)


def small_conv(**changes: object) -> bytes:
    """A sound CONV_2D with some of its fields changed."""
    fields = {"padding": VALID, "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    x = Tensor([1, 5, 5, 2], "int8", 0.1, 0)
    f = Tensor([4, 3, 3, 2], "int8", [0.1] * 4, 0, np.ones([4, 3, 3, 2], np.int8))
    b = Tensor([4], "int32", [0.01] * 4, 0, np.zeros(4, np.int32))
    y = Tensor([1, 3, 3, 4], "int8", 0.2, 0)
    parts = {"x": x, "f": f, "b": b, "y": y}
    for name, value in changes.items():
        if name in fields or name == "fusedActivationFunction":
            fields[name] = value
        else:
            part, attribute = name.split("_", 1)
            setattr(parts[part], attribute, value)
    return single("CONV_2D", [x, f, b], y, options("Conv2D", **fields))


def test_small_conv_is_sound(engine: Engine) -> None:
    """Catches refusals below that come of something else than the change."""
    same(engine, small_conv(), [np.ones([1, 5, 5, 2], np.int8)])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strideH": 0}, "stride 0"),
        ({"strideW": -1}, "stride -1"),
        ({"dilationHFactor": 0}, "dilation 0"),
        ({"dilationWFactor": 1 << 30}, "dilation"),
        ({"strideH": 0x7FFFFFFF}, "stride"),
        ({"padding": 7}, "padding 7"),
        ({"fusedActivationFunction": 4}, "activation 4"),
        ({"fusedActivationFunction": 77}, "activation 77"),
        ({"y_shape": [1, 4, 3, 4]}, "height"),
        ({"y_shape": [1, 3, 3, 5]}, "channels"),
        ({"y_shape": [2, 3, 3, 4]}, "batches"),
        ({"y_shape": [3, 3, 4]}, "4 dimensions"),
        ({"x_shape": [1, 2, 5, 2]}, "height"),
        ({"x_shape": [1, 5, 5, 3]}, "do not fit"),
        ({"x_shape": [1, 5, 5, 0]}, ""),
        ({"x_scale": 0.0}, "scale above 0"),
        ({"x_scale": -1.0}, "scale above 0"),
        ({"x_scale": float("nan")}, "scale above 0"),
        ({"x_scale": float("inf")}, "scale above 0"),
        ({"y_scale": None}, "scale above 0"),
        ({"y_zero_point": 128}, "zero point"),
        ({"x_zero_point": -(1 << 40)}, "zero point"),
        ({"f_scale": [0.1] * 3}, "3 scales for 4 channels"),
        ({"f_scale": [0.1, 0.1, 0.0, 0.1]}, "scale of the weights"),
        ({"f_scale": None}, "0 scales"),
        ({"f_axis": 3}, "along dimension 3"),
        ({"f_axis": 4}, "along dimension 4"),
        ({"f_axis": -1}, "along dimension -1"),
        ({"y_dtype": "int16"}, "int16"),
        ({"x_dtype": "uint8"}, "uint8"),
        ({"b_shape": [3], "b_data": np.zeros(3, np.int32)}, "3 elements for 4"),
        ({"b_dtype": "float32"}, "bias of float32"),
    ],
)
def test_conv_2d_refuses(engine: Engine, changes: dict[str, object], says: str) -> None:
    """Catches a field that is trusted: each of these would divide by zero, run past a tensor, or answer wrongly."""
    assert says in refusal(engine, small_conv(**changes))


def test_depthwise_refuses_another_multiplier(engine: Engine) -> None:
    """Catches a multiplier that the shapes contradict: tflite-micro would leave outputs unwritten or run past them."""
    x, y = Tensor([1, 3, 3, 2]), Tensor([1, 3, 3, 4])
    f = Tensor([1, 1, 1, 4], data=np.ones([1, 1, 1, 4], np.float32))
    for multiplier in (1, 3, -2, 1 << 30):
        fields = options("DepthwiseConv2D", strideH=1, strideW=1, depthMultiplier=multiplier)
        assert "multiplier" in refusal(engine, single("DEPTHWISE_CONV_2D", [x, f], y, fields))


def test_fully_connected_refuses(engine: Engine) -> None:
    """Catches shapes that do not multiply, and layouts that are not there."""
    x, f = Tensor([2, 6]), Tensor([4, 6], data=np.ones([4, 6], np.float32))
    plain = options("FullyConnected")
    assert "do not fit" in refusal(engine, single("FULLY_CONNECTED", [x, f], Tensor([2, 5]), plain))
    assert "do not fit" in refusal(engine, single("FULLY_CONNECTED", [Tensor([2, 5]), f], Tensor([2, 4]), plain))
    shuffled = options("FullyConnected", weightsFormat=1)
    assert "shuffled" in refusal(engine, single("FULLY_CONNECTED", [x, f], Tensor([2, 4]), shuffled))
    assert "input 1" in refusal(engine, single("FULLY_CONNECTED", [x, None], Tensor([2, 4]), plain))


def dense(w: Tensor, b: Tensor) -> bytes:
    """A FULLY_CONNECTED of 6 inputs and 3 outputs."""
    x, y = Tensor([2, 6], "int8", 0.1, 1), Tensor([2, 3], "int8", 0.2, 0)
    return single("FULLY_CONNECTED", [x, w, b], y, options("FullyConnected"))


def test_fully_connected_bias_scale(engine: Engine) -> None:
    """Catches a bias of another scale that is added as if it had the product's: tflite-micro rejects it too."""
    w = Tensor([3, 6], "int8", 0.1, 0, np.ones([3, 6], np.int8))
    data = [np.arange(12).astype(np.int8).reshape(2, 6)]
    for scale, sound in ((0.01, True), (0.013, True), (0.02, False), (1.0, False)):
        model = dense(w, Tensor([3], "int32", scale, 0, np.arange(3, dtype=np.int32) * 50))
        if sound:
            same(engine, model, data)
        else:
            assert "bias" in refusal(engine, model)
            with pytest.raises(Rejected):
                reference(model, data)


def test_fully_connected_zero_points_of_channels(engine: Engine) -> None:
    """Catches zero points that are heeded where the reference takes them as 0."""
    w = Tensor([3, 6], "int8", [0.1, 0.2, 0.3], 1, np.ones([3, 6], np.int8))
    b = Tensor([3], "int32", [0.01, 0.02, 0.03], 0, np.zeros(3, np.int32))
    same(engine, dense(w, b), [np.arange(12).astype(np.int8).reshape(2, 6)])


def lowest(seed: int, width: int = 0) -> tuple[bytes, list[Array]]:
    """A CONV_2D whose weights and activations lie at the ends of int8, most of them at -128; and its input.

    width: of a row, with a bias and an even number of channels; 0: any, without.
    """
    rng = np.random.default_rng(seed)
    size, depth, channels = [int(n) for n in rng.integers(3, 9, 2)], int(rng.integers(1, 9)), int(rng.integers(1, 9))
    if width:
        size, depth = [int(rng.integers(1, 4)), width], 2 * int(rng.integers(4, 21))
    kernel = [int(rng.choice([1, 3])), int(rng.choice([1, 2, 3]))]
    x = Tensor([1, *size, depth], "int8", 0.5, int(rng.choice([-128, 0, 127])))
    f = Tensor([channels, *kernel, depth], "int8", np.float32([0.25] * channels), 0, None, 0)
    f.data = rng.choice(np.int8([-128, -128, -128, 127]), f.shape)
    f.data[: channels // 2 if width else 0] = -128
    scale = float(np.float32(0.125 * 255 * np.prod(kernel) * depth * 2.0 ** -rng.integers(0, 4)))
    y = Tensor([1, *size, channels], "int8", scale, int(rng.integers(-128, 128)))
    fields = options("Conv2D", padding=SAME, strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1)
    bias = [Tensor([channels], "int32", data=rng.integers(-4000, 4000, channels).astype(np.int32))] if width else []
    return single("CONV_2D", [x, f, *bias], y, fields), [rng.choice(np.int8([-128, -128, 127]), x.shape)]


@pytest.mark.parametrize("seed", range(30))
def test_lowest_weights(engine: Engine, seed: int) -> None:
    """Catches products that run over where two of them share a register: weights of -128 are rare in models."""
    same(engine, *lowest(seed))


@pytest.mark.parametrize("seed", range(30))
def test_lowest_weights_by_fives(engine: Engine, seed: int) -> None:
    """Catches the same where five positions are taken at a time, and sums of 16 weights that run over."""
    same(engine, *lowest(seed, (5, 5, 5, 8, 13)[seed % 5]))
