"""A network of the size of MoveNet SinglePose Lightning: where 17 joints are in a picture of 192 x 192.

Its backbone is MobileNetV2's (Sandler and others, arXiv:1801.04381, table 2) up to where it has 96 channels, 1/16 of
the picture; behind it are two heads, as of pose and object detectors: a map of each joint, and two offsets a joint.
Weights are seeded random numbers, of scales that keep activations spread over int8. The file has 0.8 MB and is made
where it is needed.
"""

from __future__ import annotations

import re

import numpy as np
from tflite_micro.python.tflite_micro import runtime

from arenite.oracle import captured
from builder import SAME, Op, Tensor, build, options

SIZE, JOINTS = 192, 17
# Expansion, channels, blocks, stride of the first.
BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
LINEAR, RELU6 = 0, 3


class Pose:
    """The network while it is built."""

    def __init__(self) -> None:
        """Begin with the picture."""
        self.rng = np.random.default_rng(17)
        self.ops: list[Op] = []
        self.input = Tensor([1, SIZE, SIZE, 3], "int8", 1 / 127.5, 0)

    def constants(self, shape: list[int], axis: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Weights, with a scale a channel, that keep the size of what they sum, and a bias."""
        channels = shape[axis]
        spread = self.rng.uniform(0.7, 1.6, channels) / (73 * np.sqrt(np.prod(shape) / channels))
        scales = spread.astype(np.float32)
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        bias = np.round(self.rng.normal(0, 0.3, channels) / (x.scale * scales)).astype(np.int32)
        return Tensor(shape, "int8", scales, 0, data, axis), Tensor(
            [channels], "int32", np.float32(x.scale) * scales, 0, bias
        )

    def output(self, x: Tensor, channels: int, stride: int, fused: int) -> Tensor:
        """What a convolution makes: from 0 to 6 behind RELU6, else from -4 to 4."""
        size = [-(-n // stride) for n in x.shape[1:3]]
        scale, zero = (6 / 255, -128) if fused == RELU6 else (8 / 255, 0)
        return Tensor([1, *size, channels], "int8", scale, zero)

    def conv(self, x: Tensor, channels: int, kernel: int = 1, stride: int = 1, fused: int = LINEAR) -> Tensor:
        """CONV_2D."""
        w, b = self.constants([channels, kernel, kernel, x.shape[3]], 0, x)
        y = self.output(x, channels, stride, fused)
        fields = {"strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}
        made = options("Conv2D", padding=SAME, fusedActivationFunction=fused, **fields)
        self.ops.append(Op("CONV_2D", [x, w, b], [y], made))
        return y

    def depthwise(self, x: Tensor, stride: int = 1) -> Tensor:
        """DEPTHWISE_CONV_2D of 3x3."""
        w, b = self.constants([1, 3, 3, x.shape[3]], 3, x)
        y = self.output(x, x.shape[3], stride, RELU6)
        fields = {"strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}
        made = options("DepthwiseConv2D", padding=SAME, depthMultiplier=1, fusedActivationFunction=RELU6, **fields)
        self.ops.append(Op("DEPTHWISE_CONV_2D", [x, w, b], [y], made))
        return y

    def block(self, x: Tensor, expansion: int, channels: int, stride: int) -> Tensor:
        """An inverted residual."""
        wide = self.conv(x, expansion * x.shape[3], fused=RELU6) if expansion > 1 else x
        y = self.conv(self.depthwise(wide, stride), channels)
        if stride > 1 or x.shape[3] != channels:
            return y
        z = Tensor(y.shape, "int8", 8 / 255, 0)
        self.ops.append(Op("ADD", [x, y], [z], options("Add", fusedActivationFunction=LINEAR)))
        return z

    def head(self, x: Tensor, channels: int) -> Tensor:
        """A map of 12 x 12."""
        return self.conv(self.depthwise(x), channels)


def pose() -> bytes:
    """The model: an int8 picture to maps [1, 12, 12, 17] and offsets [1, 12, 12, 34]."""
    net = Pose()
    x = net.conv(net.input, 32, 3, 2, RELU6)
    for expansion, channels, blocks, stride in BLOCKS:
        for n in range(blocks):
            x = net.block(x, expansion, channels, stride if n == 0 else 1)
    maps = net.head(x, JOINTS)
    likely = Tensor(maps.shape, "int8", 1 / 256, -128)
    net.ops.append(Op("LOGISTIC", [maps], [likely]))
    offsets = net.head(x, 2 * JOINTS)
    return build(net.ops, [likely, offsets])


def reference(data: bytes, x: np.ndarray) -> tuple[list[np.ndarray], int]:
    """The outputs that tflite-micro computes, and the bytes of activations in its arena."""
    config = runtime.InterpreterConfig.kAllocationRecording
    oracle = runtime.Interpreter.from_bytes(data, intrepreter_config=config, arena_size=1 << 22)
    oracle.set_input(x, 0)
    with captured() as told:
        oracle.invoke()
        oracle.print_allocations()
        found = re.search(r"Arena allocation head (\d+) bytes", told())
    assert found
    return [oracle.get_output(i).copy() for i in range(2)], int(found[1])


def picture() -> np.ndarray:
    """A picture that is not noise: waves of several lengths."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    waves = [np.sin(a * x + b * y + c) for a, b, c in ((9, 5, 0), (31, -17, 1), (-60, 80, 2))]
    return np.clip(np.round(np.stack(waves, -1) * 100), -128, 127).astype(np.int8)[None]
