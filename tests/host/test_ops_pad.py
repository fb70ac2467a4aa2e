"""PAD, PADV2 and MIRROR_PAD in every type."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine
from builder import Tensor, options, single
from moves import TYPES, activation, check, values
from reference import refusal

# What tflite-micro has.
PADDED = {"float32", "int8", "int16", "int32"}
MIRRORED = {"float32", "int8"}


def draw_paddings(rng: draw.Rng, shape: list[int], most: int | None = None) -> list[list[int]]:
    """Before and after each dimension: up to 3, or as many as can be reflected without what is repeated."""
    return [
        [int(rng.integers(0, 1 + (3 if most is None else n - most))) if rng.random() < 0.7 else 0 for _ in range(2)]
        for n in shape
    ]


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_pad(engine: Engine, dtype: str, seed: int) -> None:
    """Catches padding of another value: the zero point where there is one, else 0."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 5)
    pads = draw_paddings(rng, shape)
    x, near = values(rng, shape, dtype), activation(shape, dtype)
    y = np.pad(x, pads, constant_values=near.zero_point)
    inputs = [near, Tensor.constant(pads)]
    micro = dtype in PADDED or None
    check(
        engine,
        single("PAD", inputs, activation(y.shape, dtype), options("Pad")),
        [x],
        [y],
        micro,
    )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", TYPES)
def test_pad_around_an_image(engine: Engine, dtype: str, seed: int) -> None:
    """Catches rows that begin or end in the wrong place, none above or below, an image without rows."""
    rng = np.random.default_rng([7, seed])
    shape = [1, *rng.integers(1, 7, 3).tolist()]
    pads = [[0, 0], *rng.integers(0, 4, (2, 2)).tolist(), [0, 0]]
    x, near = values(rng, shape, dtype), activation(shape, dtype)
    y = np.pad(x, pads, constant_values=near.zero_point)
    model = single("PAD", [near, Tensor.constant(pads)], activation(y.shape, dtype), options("Pad"))
    check(engine, model, [x], [y], dtype in PADDED or None)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", TYPES)
def test_padv2(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a value that is taken from elsewhere, or of another width; one in two is computed."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 5)), 5)
    pads = draw_paddings(rng, shape)
    x = values(rng, shape, dtype)
    value = values(rng, [1], dtype)
    y = np.pad(x, pads, constant_values=value[0])
    given = activation([1], dtype)
    if seed % 2:
        given.data = value
    inputs = [activation(shape, dtype), Tensor.constant(pads), given]
    model = single("PADV2", inputs, activation(y.shape, dtype), options("PadV2"))
    check(engine, model, [x] if seed % 2 else [x, value], [y], dtype in PADDED or None)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_mirror_pad(engine: Engine, mode: str, dtype: str, seed: int) -> None:
    """Catches an edge that is repeated, or is not, and corners that are not reflected twice."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(1, 6)), 5)
    pads = draw_paddings(rng, shape, 1 if mode == "reflect" else 0)
    x = values(rng, shape, dtype)
    y = np.pad(x, pads, mode=mode)  # type: ignore[call-overload]
    index = "int64" if seed % 4 == 3 else "int32"
    model = single(
        "MIRROR_PAD",
        [activation(shape, dtype), Tensor.constant(pads, index)],
        activation(y.shape, dtype),
        options("MirrorPad", mode=int(mode == "symmetric")),
    )
    check(engine, model, [x], [y], dtype in MIRRORED or None)


def test_padv2_refuses(engine: Engine) -> None:
    """Catches a value of another type, more than one of it, and another quantization."""
    x, y, pads = Tensor([2, 2]), Tensor([3, 2]), Tensor.constant([[0, 1], [0, 0]])
    assert "the value" in refusal(engine, single("PADV2", [x, pads, Tensor([1], "int8")], y, options("PadV2")))
    assert "the value" in refusal(engine, single("PADV2", [x, pads, Tensor([2])], y, options("PadV2")))
    assert "missing" in refusal(engine, single("PADV2", [x, pads, None], y, options("PadV2")))
    assert "do not make" in refusal(engine, single("PADV2", [x, pads, Tensor([1])], Tensor([2, 3]), options("PadV2")))
    q, other, z = (Tensor(s, "int8", f, 1) for s, f in (([2, 2], 0.5), ([1], 0.25), ([3, 2], 0.5)))
    assert "same scale" in refusal(engine, single("PADV2", [q, pads, other], z, options("PadV2")))


@pytest.mark.parametrize(("mode", "most"), [(0, 2), (1, 3)])
def test_mirror_pad_refuses(engine: Engine, mode: int, most: int) -> None:
    """Catches paddings that reflect more than there is: these would read past the tensor."""
    for pads in ([[most + 1, 0]], [[0, most + 1]]):
        model = single(
            "MIRROR_PAD",
            [Tensor([3]), Tensor.constant(pads)],
            Tensor([3 + most + 1]),
            options("MirrorPad", mode=mode),
        )
        assert "cannot be reflected" in refusal(engine, model)
    inputs = [Tensor([3]), Tensor.constant([[1, 1]])]
    assert "mode 2" in refusal(engine, single("MIRROR_PAD", inputs, Tensor([5]), options("MirrorPad", mode=2)))
    assert "do not make" in refusal(engine, single("MIRROR_PAD", inputs, Tensor([6]), options("MirrorPad")))
