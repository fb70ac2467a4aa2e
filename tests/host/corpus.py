"""The smallest sound model of each operator and type, for tests that damage them."""

from __future__ import annotations

import numpy as np

from builder import SAME, VALID, Tensor, options, single

S8 = ("int8", 0.5, 3)
UNIT = ("int8", 1 / 256, -128)
F32 = ("float32",)
WINDOW = {"padding": SAME, "strideH": 2, "strideW": 1}


def _constant(shape: list[int], kind: tuple[object, ...], axis: int = 0) -> Tensor:
    """Weights: small integers; int8 has one scale a channel."""
    data = (np.arange(np.prod(shape)) % 7 - 3).reshape(shape)
    if kind == F32:
        return Tensor(shape, data=data.astype(np.float32))
    return Tensor(shape, "int8", [0.1 + 0.01 * i for i in range(shape[axis])], 0, data.astype(np.int8), axis)


def _bias(n: int, kind: tuple[object, ...]) -> Tensor:
    if kind == F32:
        return Tensor([n], data=np.ones(n, np.float32))
    return Tensor([n], "int32", [0.05] * n, 0, np.arange(n, dtype=np.int32))


def _with_weights(name: str, kind: tuple[object, ...]) -> dict[str, bytes]:
    """The operators with weights."""
    x, y = Tensor([1, 3, 4, 2], *kind), Tensor([1, 2, 4, 4], *kind)
    conv = options("Conv2D", dilationHFactor=1, dilationWFactor=2, fusedActivationFunction=1, **WINDOW)
    deep = options("DepthwiseConv2D", dilationHFactor=1, dilationWFactor=1, depthMultiplier=2, **WINDOW)
    full = options("FullyConnected", fusedActivationFunction=3, keepNumDims=True)
    f, g, w = _constant([4, 2, 2, 2], kind), _constant([1, 2, 2, 4], kind, 3), _constant([3, 6], kind)
    grouped = _constant([4, 2, 2, 1], kind)
    flat, out = Tensor([2, 6], *kind), Tensor([2, 3], *kind)
    return {
        f"CONV_2D {name}": single("CONV_2D", [x, f, _bias(4, kind)], y, conv),
        f"CONV_2D of groups {name}": single("CONV_2D", [x, grouped], y, conv),
        f"DEPTHWISE_CONV_2D {name}": single("DEPTHWISE_CONV_2D", [x, g, _bias(4, kind)], y, deep),
        f"FULLY_CONNECTED {name}": single("FULLY_CONNECTED", [flat, w, _bias(3, kind)], out, full),
    }


def _of_shapes(name: str, kind: tuple[object, ...]) -> dict[str, bytes]:
    """The operators that move, pool and reduce."""
    x, y = Tensor([1, 4, 3, 2], *kind), Tensor([1, 2, 1, 2], *kind)
    pool = options("Pool2D", padding=VALID, strideH=2, strideW=1, filterHeight=2, filterWidth=3)
    pads = Tensor.constant([[0, 0], [1, 0], [0, 2], [0, 1]])
    padded, mean, flat = Tensor([1, 5, 5, 3], *kind), Tensor([1, 2], *kind), Tensor([6, 4], *kind)
    row, add = Tensor([3, 1], *kind), options("Add", fusedActivationFunction=1)
    means = options("Reducer", keepDims=False)
    return {
        f"AVERAGE_POOL_2D {name}": single("AVERAGE_POOL_2D", [x], y, pool),
        f"MAX_POOL_2D {name}": single("MAX_POOL_2D", [x], y, pool),
        f"PAD {name}": single("PAD", [x, pads], padded, options("Pad")),
        f"MEAN {name}": single("MEAN", [x, Tensor.constant([1, -2])], mean, means),
        f"RESHAPE {name}": single("RESHAPE", [x, Tensor.constant([6, 4])], flat, options("Reshape", newShape=[6, 4])),
        f"ADD {name}": single("ADD", [x, row], Tensor([1, 4, 3, 2], *kind), add),
    }


def _of_values(name: str, kind: tuple[object, ...]) -> dict[str, bytes]:
    """The operators of one value at a time, and SOFTMAX."""
    x = Tensor([2, 5], *kind)
    unit, same = (Tensor([2, 5], *(UNIT if kind == S8 else F32)), Tensor([2, 5], *kind))
    return {
        f"LOGISTIC {name}": single("LOGISTIC", [x], unit),
        f"RELU {name}": single("RELU", [x], same),
        f"RELU6 {name}": single("RELU6", [x], same),
        f"SOFTMAX {name}": single("SOFTMAX", [x], unit, options("Softmax", beta=1.0)),
    }


def _of_types() -> dict[str, bytes]:
    """Changes of type."""
    f, b, u, h = Tensor([7]), Tensor([7], *S8), Tensor([7], "uint8", 0.5, 128), Tensor([7], "int16", 0.01, 0)
    plain = {
        f"QUANTIZE {a.dtype} to {c.dtype}": single("QUANTIZE", [a], c)
        for a, c in [(f, b), (f, h), (b, u), (u, b), (b, h), (h, b)]
    }
    return plain | {f"DEQUANTIZE {t.dtype}": single("DEQUANTIZE", [t], Tensor([7])) for t in (b, u, h)}


def models() -> dict[str, bytes]:
    """By "OPERATOR type"."""
    found = _of_types()
    for name, kind in (("int8", S8), ("float32", F32)):
        found |= _with_weights(name, kind) | _of_shapes(name, kind) | _of_values(name, kind)
    return found
