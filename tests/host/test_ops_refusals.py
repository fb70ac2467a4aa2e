"""Refusals that the families' own tests leave out, and that each names the operator that refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from arenite.engine import Engine
from builder import VALID, Op, Tensor, build, options, single
from reference import refusal

WINDOW: dict[str, Any] = {"padding": VALID, "strideH": 1, "strideW": 1}


def q(shape: list[int], dtype: str = "int8", scale: float | None = 0.5, zero_point: int = 0) -> Tensor:
    """A quantized tensor."""
    return Tensor(shape, dtype, scale, zero_point)


def weights(shape: list[int], dtype: str = "int8", **more: Any) -> Tensor:
    """Constant weights, all 1, of scale 0.1."""
    scale = more.pop("scale", 0.1)
    return Tensor(shape, dtype, scale, data=np.ones(shape, dtype), **more)


def dense(x: Tensor, w: Tensor, y: Tensor) -> bytes:
    """A model of one FULLY_CONNECTED."""
    return single("FULLY_CONNECTED", [x, w], y, options("FullyConnected"))


def pool(x: Tensor, y: Tensor, **fields: int) -> bytes:
    """A model of one AVERAGE_POOL_2D, of 1 by 1 unless said otherwise."""
    return single(
        "AVERAGE_POOL_2D", [x], y, options("Pool2D", **(WINDOW | {"filterHeight": 1, "filterWidth": 1} | fields))
    )


def conv(x: Tensor, w: Tensor, y: Tensor, **fields: int) -> bytes:
    """A model of one CONV_2D."""
    return single("CONV_2D", [x, w], y, options("Conv2D", **(WINDOW | fields)))


def deep(x: Tensor, w: Tensor, y: Tensor) -> bytes:
    """A model of one DEPTHWISE_CONV_2D."""
    return single("DEPTHWISE_CONV_2D", [x, w], y, options("DepthwiseConv2D", depthMultiplier=1, **WINDOW))


def pad(x: Tensor, y: Tensor) -> bytes:
    """A model of one PAD that adds nothing."""
    return single("PAD", [x, Tensor.constant([[0, 0]])], y, options("Pad"))


def mean(x: Tensor, y: Tensor) -> bytes:
    """A model of one MEAN over dimension 0."""
    return single("MEAN", [x, Tensor.constant([0])], y, options("Reducer", keepDims=False))


HUGE = 40000
UNIT = q([4], scale=1 / 256, zero_point=-128)
CASES = [
    ("scale is too large", single("LOGISTIC", [q([4], scale=1e7)], UNIT)),
    ("float32, output int8", pad(Tensor([2]), q([2]))),
    ("same scale and zero point", pad(q([2]), q([2], scale=0.25))),
    ("same scale and zero point", pad(q([2]), q([2], zero_point=1))),
    ("one scale above 0", mean(q([2, 3], scale=None), q([3]))),
    ("one scale above 0", mean(q([2, 3]), q([3], scale=0.0))),
    ("1 to 32767", pool(q([1, HUGE, 1, 1]), q([1, HUGE, 1, 1]))),
    ("kernel 0", pool(q([1, 2, 2, 1]), q([1, 2, 2, 1]), filterHeight=0)),
    ("more than 32767", conv(q([1, 9, 9, 1]), weights([1, 3, 3, 1]), q([1, 1, 1, 1]), dilationHFactor=20000)),
    ("do not fit", conv(q([1, 3, 3, 3]), weights([2, 1, 1, 2]), q([1, 3, 3, 2]))),
    ("do not divide", conv(q([1, 3, 3, 4]), weights([3, 1, 1, 2]), q([1, 3, 3, 3]))),
    ("do not fit", deep(q([1, 3, 3, 2]), weights([1, 1, 1, 3]), q([1, 3, 3, 3]))),
    ("do not fit", deep(q([1, 3, 3, 2]), weights([2, 1, 1, 2]), q([1, 3, 3, 2]))),
    ("4 dimensions", deep(q([3, 3, 2]), weights([1, 1, 1, 2]), q([1, 3, 3, 2]))),
    ("[outputs, inputs]", dense(q([2, 3]), weights([3]), q([2, 1]))),
    ("[outputs, inputs]", dense(q([2, 3]), weights([0, 3]), q([2, 0]))),
    ("zero point 128", dense(q([2, 3]), weights([4, 3], zero_point=128), q([2, 4]))),
    ("zero points of 0", conv(q([1, 1, 1, 1], "int16", zero_point=1), weights([1, 1, 1, 1]), q([1, 1, 1, 1], "int16"))),
    ("not supported", dense(q([2, 3], "uint8"), weights([4, 3]), q([2, 4], "uint8"))),
]


@pytest.mark.parametrize(("says", "model"), CASES, ids=[f"{i}-{says}" for i, (says, _) in enumerate(CASES)])
def test_refuses(engine: Engine, says: str, model: bytes) -> None:
    """Catches a check that is lost: a division by 0, a sum or shift out of range, an output unlike the reference's."""
    text = refusal(engine, model)
    assert says in text
    assert text.startswith("op 0 ")


IO = {
    "ADD": (2, 2, "Add"),
    "AVERAGE_POOL_2D": (1, 1, "Pool2D"),
    "CONV_2D": (2, 3, "Conv2D"),
    "DEPTHWISE_CONV_2D": (2, 3, "DepthwiseConv2D"),
    "DEQUANTIZE": (1, 1, "Dequantize"),
    "FULLY_CONNECTED": (2, 3, "FullyConnected"),
    "LOGISTIC": (1, 1, None),
    "MAX_POOL_2D": (1, 1, "Pool2D"),
    "MEAN": (2, 2, "Reducer"),
    "PAD": (2, 2, "Pad"),
    "QUANTIZE": (1, 1, "Quantize"),
    "RELU": (1, 1, None),
    "RELU6": (1, 1, None),
    "RESHAPE": (1, 2, "Reshape"),
    "SOFTMAX": (1, 1, "Softmax"),
}


@pytest.mark.parametrize("name", IO)
def test_counts_of_tensors(engine: Engine, name: str) -> None:
    """Catches a tensor asked for that is not there: too few inputs, too many, one left out, two outputs, none."""
    least, most, kind = IO[name]
    fields = options(kind) if kind else None
    x = Tensor([1, 1])

    def says(inputs: list[Tensor | None], outputs: list[Tensor]) -> str:
        return refusal(engine, build([Op(name, inputs, outputs, fields)], outputs=outputs or [x], inputs=[x]))

    outs = [Tensor([1, 1]), Tensor([1, 1])]
    for text in (
        says([x] * (least - 1), outs[:1]),
        says([x] * (most + 1), outs[:1]),
        says([None] + [x] * (least - 1), outs[:1]),
        says([x] * least, outs),
        says([x] * least, []),
    ):
        assert f"op 0 {name}" in text
        assert "input" in text or "output" in text


@pytest.mark.parametrize("shape", [[0, 12582912, 6291456], [12582912, 6291456, 0], [0x7FFFFFFF, 0, 0x7FFFFFFF]])
def test_large_dimensions_beside_a_zero(engine: Engine, shape: list[int]) -> None:
    """Catches dimensions that no size bounds because the tensor is empty: strides made of them overflow."""
    model = single("ADD", [Tensor(shape), Tensor([1])], Tensor(shape), options("Add"))
    assert "larger than 1 GB" in refusal(engine, model)


@pytest.mark.parametrize("name", ["CONV_2D", "ADD"])
def test_options_of_another_operator(engine: Engine, name: str) -> None:
    """Catches fields read from a table that has others in their places."""
    x, y = Tensor([1, 2, 2, 1]), Tensor([1, 2, 2, 1])
    w = Tensor([1, 1, 1, 1], data=np.ones([1, 1, 1, 1], np.float32))
    assert f"op 0 {name}" in refusal(engine, single(name, [x, w], y, options("Softmax", beta=1.0)))
