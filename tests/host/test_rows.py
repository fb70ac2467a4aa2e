"""Chains of operators that run a row at a time, in rings of rows: random networks, in every size of arena.

In each of them every row of every tensor equals tflite-micro's, though the arena is filled with rubbish before: so no
live byte is overwritten, and nothing is read that was not written.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import SAME, VALID, Array, Op, Tensor, build, options
from conftest import reference_model
from draw import Rng
from reference import compared
from test_ops_conv import output, quantized_weights

GRAPHS = 50 if os.environ.get("ARENITE_SANITIZE") else 200
MODELS = ["micro_speech_quantized", "kws_ref_model", "person_detect", "vww_96_int8", "pretrainedResnet_quant"]
ALIGN = 16


def extent(n: int, kernel: int, stride: int, padding: int) -> int:
    """Output positions along one axis."""
    return -(-(n if padding == SAME else n - kernel + 1) // stride)


class Network:
    """A random network of images: what is appended goes to `ops`, the last output is `x`."""

    def __init__(self, rng: Rng) -> None:
        """Start with an input."""
        self.rng = rng
        shape = [1, int(rng.integers(4, 20)), int(rng.integers(1, 14)), int(rng.integers(1, 9))]
        self.x = self.input = draw.tensor(rng, shape, "int8", -6, -2)
        self.ops: list[Op] = []

    def like(self, shape: list[int], x: Tensor | None = None) -> Tensor:
        """An output quantized as x is."""
        x = x or self.x
        return Tensor(shape, "int8", x.scale, x.zero_point)

    def window(self, least: int = 1) -> tuple[list[int], list[int], int]:
        """A kernel, strides and a padding that fit."""
        rng, (_, h, w, _) = self.rng, self.x.shape
        kernel = [int(rng.integers(least, min(4, n) + 1)) if n >= least else 1 for n in (h, w)]
        stride = [int(rng.choice([1, 1, 1, 2, 3])) for _ in range(2)]
        return kernel, stride, int(rng.choice([SAME, VALID]))

    def places(self, kernel: list[int], stride: list[int], padding: int) -> list[int]:
        """Height and width of the output."""
        return [extent(n, k, s, padding) for n, k, s in zip(self.x.shape[1:3], kernel, stride, strict=True)]

    def conv(self, x: Tensor, channels: int, kernel: list[int], stride: list[int], padding: int) -> Tensor:
        """CONV_2D."""
        w, b = quantized_weights(self.rng, [channels, *kernel, x.shape[3]], 0, x, "int8")
        y = output(self.rng, [1, *self.places(kernel, stride, padding), channels], x, w)
        fields = {
            "padding": padding,
            "strideH": stride[0],
            "strideW": stride[1],
            "fusedActivationFunction": self.fused(),
        }
        self.ops.append(
            Op("CONV_2D", [x, w, b], [y], options("Conv2D", dilationHFactor=1, dilationWFactor=1, **fields))
        )
        return y

    def fused(self) -> int:
        """An activation."""
        return int(self.rng.choice([0, 1, 3]))

    def add_conv(self) -> None:
        """A convolution, a third of them of 1x1."""
        kernel, stride, padding = ([1, 1], [1, 1], VALID) if self.rng.random() < 1 / 3 else self.window()
        self.x = self.conv(self.x, int(self.rng.integers(1, 20)), kernel, stride, padding)

    def add_depthwise(self) -> None:
        """A depthwise convolution, most of 3x3."""
        self.depthwise(*self.window(3 if self.rng.random() < 0.7 else 1))

    def depthwise(self, kernel: list[int], stride: list[int], padding: int) -> None:
        """DEPTHWISE_CONV_2D."""
        channels = self.x.shape[3]
        w, b = quantized_weights(self.rng, [1, *kernel, channels], 3, self.x, "int8")
        y = output(self.rng, [1, *self.places(kernel, stride, padding), channels], self.x, w)
        fields = {"padding": padding, "strideH": stride[0], "strideW": stride[1], "depthMultiplier": 1}
        made = options(
            "DepthwiseConv2D", dilationHFactor=1, dilationWFactor=1, fusedActivationFunction=self.fused(), **fields
        )
        self.ops.append(Op("DEPTHWISE_CONV_2D", [self.x, w, b], [y], made))
        self.x = y

    def add_pool(self) -> None:
        """A pooling of either kind."""
        kernel, stride, padding = self.window()
        y = self.like([1, *self.places(kernel, stride, padding), self.x.shape[3]])
        fields = {"filterHeight": kernel[0], "filterWidth": kernel[1], "strideH": stride[0], "strideW": stride[1]}
        name = str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
        self.ops.append(
            Op(name, [self.x], [y], options("Pool2D", padding=padding, fusedActivationFunction=0, **fields))
        )
        self.x = y

    def add_residual(self) -> None:
        """A branch of one to three convolutions that keep the size, and its sum with what it came from."""
        skip, channels = self.x, self.x.shape[3]
        for _ in range(int(self.rng.integers(1, 4))):
            kernel = [int(self.rng.choice([1, 3])) if n >= 3 else 1 for n in self.x.shape[1:3]]
            self.x = self.conv(self.x, channels, kernel, [1, 1], SAME)
        self.sum(skip)

    def add_projected(self) -> None:
        """The same where what it came from goes through a convolution of its own, made before the branch or behind it.

        Both may take every second row only."""
        start, channels, step = self.x, int(self.rng.integers(1, 20)), int(self.rng.integers(1, 3))
        side = self.conv(start, channels, [1, 1], [step, step], SAME) if self.rng.random() < 0.5 else None
        for stride in [step] + [1] * int(self.rng.integers(0, 3)):
            kernel = [int(self.rng.choice([1, 3])) if n >= 3 else 1 for n in self.x.shape[1:3]]
            self.x = self.conv(self.x, channels, kernel, [stride, stride], SAME)
        if side is None:
            branch, self.x = self.x, start
            side, self.x = self.conv(start, channels, [1, 1], [step, step], SAME), branch
        self.sum(side)

    def sum(self, other: Tensor) -> None:
        """Another tensor and this one, in either order."""
        scale = float(np.float32(max(other.scale, self.x.scale) * 2.0 ** self.rng.uniform(-2, 2)))
        y = Tensor(other.shape, "int8", scale, int(self.rng.integers(-128, 128)))
        operands = [other, self.x] if self.rng.random() < 0.5 else [self.x, other]
        self.ops.append(Op("ADD", operands, [y], options("Add", fusedActivationFunction=self.fused())))
        self.x = y

    def add_element(self) -> None:
        """An operator that goes element by element: a RELU, a LOGISTIC, or a product with a constant a channel."""
        name = str(self.rng.choice(["RELU", "LOGISTIC", "MUL"] if self.x.scale < 0.1 else ["RELU", "MUL"]))
        y = Tensor(self.x.shape, "int8", float(np.float32(self.x.scale * 2.0 ** self.rng.uniform(-2, 2))), 5)
        if name == "LOGISTIC":
            y = Tensor(self.x.shape, "int8", 1 / 256, -128)
        inputs = [self.x]
        if name == "MUL":
            data = self.rng.integers(-128, 128, self.x.shape[3:]).astype(np.int8)
            inputs.append(Tensor(self.x.shape[3:], "int8", 0.0625, 3, data))
        self.ops.append(Op(name, inputs, [y], options("Mul", fusedActivationFunction=0) if name == "MUL" else None))
        self.x = y

    def add_padded(self) -> None:
        """Padding, and a convolution that can see it by itself, or, one of four, one that cannot."""
        stride, most = [int(self.rng.choice([1, 1, 2])) for _ in range(2)], int(self.rng.choice([1, 1, 1, 2]))
        pads = self.rng.integers(0, most + 1, (2, 2)).tolist()
        self.pad([[0, 0], *pads, [0, 0]])
        kernel = [int(self.rng.choice([2, 3, 3, 3, 4])) if n >= 4 else min(n, 3) for n in self.x.shape[1:3]]
        if self.rng.random() < 0.5:
            self.depthwise(kernel, stride, VALID)
        else:
            self.x = self.conv(self.x, int(self.rng.integers(1, 20)), kernel, stride, VALID)

    def add_pad(self) -> None:
        """Padding around rows and columns, of either side."""
        self.pad([[0, 0], *(self.rng.integers(0, 3, (2, 2)).tolist()), [0, 0]])

    def pad(self, pads: list[list[int]]) -> None:
        """PAD."""
        y = self.like([n + before + after for n, (before, after) in zip(self.x.shape, pads, strict=True)])
        self.ops.append(Op("PAD", [self.x, Tensor.constant(pads)], [y], options("Pad")))
        self.x = y

    def end(self) -> None:
        """A mean, a global pooling, a fully connected layer, or nothing."""
        _, h, w, channels = self.x.shape
        kind = int(self.rng.integers(4))
        if kind == 0:
            y = self.like([1, channels])
            axes = Tensor.constant([1, 2])
            self.ops.append(Op("MEAN", [self.x, axes], [y], options("Reducer", keepDims=False)))
        elif kind == 1:
            y = self.like([1, 1, 1, channels])
            made = options("Pool2D", padding=VALID, filterHeight=h, filterWidth=w, strideH=h, strideW=w)
            self.ops.append(Op("AVERAGE_POOL_2D", [self.x], [y], made))
        elif kind == 2:
            weights, bias = quantized_weights(
                self.rng, [int(self.rng.integers(1, 7)), h * w * channels], 0, self.x, "int8"
            )
            y = output(self.rng, [1, weights.shape[0]], self.x, weights)
            bias.scale = np.float32(self.x.scale) * np.float32(weights.scale)
            self.ops.append(Op("FULLY_CONNECTED", [self.x, weights, bias], [y], options("FullyConnected")))


def network(seed: int) -> tuple[bytes, Array]:
    """A model of two to nine pieces, and an input."""
    rng = np.random.default_rng([2026, seed])
    net = Network(rng)
    branches = [net.add_residual, net.add_projected]
    pieces = [net.add_conv, net.add_depthwise, net.add_pool, *branches, net.add_element, net.add_pad, net.add_padded]
    for _ in range(int(rng.integers(2, 10))):
        pieces[int(rng.choice(8, p=[0.25, 0.15, 0.1, 0.1, 0.1, 0.1, 0.05, 0.15]))]()
    net.end()
    return build(net.ops), draw.values(rng, net.input)


def tensors(data: bytes, x: Array) -> list[Array]:
    """Each operator's output as tflite-micro computes it."""
    config = runtime.InterpreterConfig.kPreserveAllTensors
    oracle = runtime.Interpreter.from_bytes(data, intrepreter_config=config, arena_size=1 << 21)
    oracle.set_input(x, 0)
    oracle.invoke()
    graph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    outputs = [int(graph.Operators(k).Outputs(0)) for k in range(graph.OperatorsLength())]
    return [oracle.GetTensor(i, 0)["tensor_data"].copy() for i in outputs]


def check(engine: Engine, data: bytes, x: Array, arena: int, expected: list[Array]) -> HostModel:
    """Load and run in that arena, full of rubbish, and compare every row that is made, and the outputs."""
    model = HostModel(engine, data, arena)
    for value in (0xA5, 0x3C):
        model.poison(value)
        each: list[list[Array]] = []
        got = model.invoke([x], each)
        np.testing.assert_array_equal(got[0], expected[-1])
        for k, (outputs, reference) in enumerate(zip(each, expected, strict=True)):
            if not outputs and model.op_name(k) == "PAD":
                continue  # the operator behind it makes up the zeros
            made = model.rows_made(k)
            rows = slice(None) if made is None else slice(made)
            shape = reference.shape if made is None else reference.shape[1:]
            have = outputs[0].reshape(reference.shape) if made is None else outputs[0][0]
            want = reference if made is None else reference.reshape(shape)
            np.testing.assert_array_equal(have[rows], want[rows], f"op {k} {model.op_name(k)}")
    return model


def sizes(engine: Engine, data: bytes) -> list[int]:
    """Arenas from the smallest to one that holds all tensors whole."""
    least = engine.arena_needed(data)
    whole = HostModel(engine, data, 1 << 21).model.arena_used
    return sorted({least, *(least + max(0, whole - least) * i // 4 // ALIGN * ALIGN for i in range(1, 5))})


def check_all_sizes(engine: Engine, data: bytes, x: Array) -> None:
    """Check a model in each of these arenas, and that it is refused in a smaller one; some run on the boards, too."""
    expected = tensors(data, x)
    for arena in sizes(engine, data):
        check(engine, data, x, arena, expected)
    compared(data, [x], [expected[-1]])
    with pytest.raises(EngineError, match="arena"):
        HostModel(engine, data, engine.arena_needed(data) - ALIGN)


@pytest.mark.parametrize("first", range(0, GRAPHS, 10))
def test_networks(engine: Engine, first: int) -> None:
    """Catches a row overwritten too soon, a ring too short, an output that overtakes what it trails, a wrong size."""
    for seed in range(first, first + 10):
        check_all_sizes(engine, *network(seed))


def test_some_networks_stream(engine: Engine) -> None:
    """Catches networks drawn so that nothing ever runs by rows, which would test nothing."""
    streamed = 0
    for seed in range(50):
        data, x = network(seed)
        model = HostModel(engine, data)
        model.invoke([x])
        n_ops = model.model.main.n_ops
        streamed += any(model.rows_made(k) is not None for k in range(n_ops))
    assert streamed >= 25


@pytest.mark.parametrize("name", MODELS)
def test_models(engine: Engine, name: str) -> None:
    """Catches the same in networks of a real size, in five sizes of arena."""
    data = reference_model(name)
    least = engine.arena_needed(data)
    x = HostModel(engine, data).input(0)
    values = np.random.default_rng(5).integers(-128, 128, x.shape).astype(np.int8)
    expected = tensors(data, values)
    for arena in sizes(engine, data):
        check(engine, data, values, arena, expected)
    with pytest.raises(EngineError):
        HostModel(engine, data, least - ALIGN)
