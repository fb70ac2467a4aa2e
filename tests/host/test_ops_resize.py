"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR against tflite-micro, one operator a model."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine, HostModel
from builder import Tensor, options, single
from moves import TYPES, activation, check, values
from reference import Rejected, reference, refusal, same

KINDS = {"RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor", "RESIZE_BILINEAR": "ResizeBilinear"}
NEAREST, BILINEAR = KINDS
MICRO = [(NEAREST, "float32"), (NEAREST, "int8"), (NEAREST, "int16"), (BILINEAR, "float32"), (BILINEAR, "int8")]


def resize(name: str, x: Tensor, y: Tensor, *, align: bool = False, half: bool = False) -> bytes:
    """A model of one operator; the size that it asks for is that of y."""
    fields = options(KINDS[name], alignCorners=align, halfPixelCenters=half)
    return single(name, [x, Tensor.constant(list(y.shape[1:3]))], y, fields)


def draw_shapes(rng: draw.Rng) -> tuple[list[int], list[int]]:
    """Smaller, larger and the same, one pixel too."""
    batches, depth = int(rng.integers(1, 3)), int(rng.integers(1, 6))
    size = draw.shape(rng, 2, 12)
    out = [n if rng.random() < 0.15 else int(rng.integers(1, 30)) for n in size]
    return [batches, *size, depth], [batches, *out, depth]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize(("name", "dtype"), MICRO)
def test_resize(engine: Engine, name: str, dtype: str, seed: int) -> None:
    """Catches another rounding of a place, centers that lie elsewhere, a lost corner, height taken for width."""
    rng = np.random.default_rng(seed)
    shape, out = draw_shapes(rng)
    x = draw.tensor(rng, shape, dtype)
    y = Tensor(out, dtype, x.scale, x.zero_point)
    align, half = seed % 3 == 1, seed % 3 == 2
    same(engine, resize(name, x, y, align=align, half=half), [draw.values(rng, x)], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_nearest_with_both_options(engine: Engine, dtype: str, seed: int) -> None:
    """Catches one of the options that hides the other."""
    rng = np.random.default_rng(seed)
    shape, out = draw_shapes(rng)
    x = draw.tensor(rng, shape, dtype)
    y = Tensor(out, dtype, x.scale, x.zero_point)
    same(engine, resize(NEAREST, x, y, align=True, half=True), [draw.values(rng, x)])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("seed", range(24))
def test_nearest_of_every_type(engine: Engine, dtype: str, seed: int) -> None:
    """Catches elements of another size: to three times the size, each pixel comes nine times."""
    rng = np.random.default_rng(seed)
    shape = [1, *draw.shape(rng, 2, 6), int(rng.integers(1, 5))]
    data = values(rng, shape, dtype)
    expected = data.repeat(3, axis=1).repeat(3, axis=2)
    check(engine, resize(NEAREST, activation(shape, dtype), activation(expected.shape, dtype)), [data], [expected])


@pytest.mark.parametrize("half", [False, True])
def test_bilinear_of_int8_stays_inside(engine: Engine, half: bool) -> None:
    """Catches a scale, rounded up, that leads past the last row: there tflite-micro reads what lies behind."""
    x, y = Tensor([1, 1, 2, 1], "int8", 0.5), Tensor([1, 1500, 1300, 1], "int8", 0.5)
    (got,) = HostModel(engine, resize(BILINEAR, x, y, half=half)).invoke([np.int8([[[[-100], [100]]]])])
    assert (np.diff(got[0, 0, :, 0].astype(int)) >= 0).all()
    assert got[0, 0, 0, 0] == -100
    assert (got == got[:, :1]).all()
    assert (got[0, :, -1, 0] == 100).all()


@pytest.mark.parametrize("name", KINDS)
def test_refuses(engine: Engine, name: str) -> None:
    """Catches another rank, batches or channels that change, a size that is computed or not the output's."""

    def says(x: Tensor, y: Tensor, size: Tensor) -> str:
        text = refusal(engine, single(name, [x, size], y, options(KINDS[name])))
        assert text.startswith(f"op 0 {name}: ")
        return text

    x, y, size = Tensor([1, 3, 4, 2]), Tensor([1, 5, 6, 2]), Tensor.constant([5, 6])
    assert "4 dimensions" in says(Tensor([3, 4, 2]), Tensor([5, 6, 2]), size)
    assert "batches" in says(x, Tensor([2, 5, 6, 2]), size)
    assert "channels" in says(x, Tensor([1, 5, 6, 3]), size)
    assert "asked for" in says(x, Tensor([1, 6, 5, 2]), size)
    assert "the size must be int32 or int64, and 2" in says(x, y, Tensor.constant([5, 6, 1]))
    assert "constant" in says(x, y, Tensor([2], "int32"))
    assert "1 to 32767" in says(Tensor([1, 0, 4, 2]), y, size)
    assert "1 to 32767" in says(Tensor([1, 3, 40000, 2]), y, size)
    assert "output int8" in says(x, Tensor([1, 5, 6, 2], "int8", 0.5), size)


def test_bilinear_refuses(engine: Engine) -> None:
    """Catches options that contradict each other, as tflite-micro does, and types that are not interpolated."""
    x, y = Tensor([1, 3, 4, 2]), Tensor([1, 5, 6, 2])
    model = resize(BILINEAR, x, y, align=True, half=True)
    assert "contradict" in refusal(engine, model)
    with pytest.raises(Rejected):
        reference(model, [np.zeros(x.shape, np.float32)])
    x, y = Tensor([1, 3, 4, 2], "int16", 0.5), Tensor([1, 5, 6, 2], "int16", 0.5)
    assert "int16 is not supported" in refusal(engine, resize(BILINEAR, x, y))
