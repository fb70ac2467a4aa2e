"""Operators with weights where the tests of convolutions do not go: inputs that are flattened, weights that are
computed, outputs that all saturate or vanish, and sums beyond 32 bits."""

from __future__ import annotations

import numpy as np
import pytest

import draw
from arenite.engine import Engine
from builder import VALID, Array, options, single
from reference import same
from test_ops_conv import CLOSE, Window, output, weights

TYPES = ["int8", "float32"]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("dtype", TYPES)
def test_fully_connected_flattens(engine: Engine, dtype: str, seed: int) -> None:
    """Catches rows counted from the input's first dimension where it is flattened, as Keras' Dense does."""
    rng = np.random.default_rng(seed)
    shape = draw.shape(rng, int(rng.integers(2, 5)), 6)
    cut, n = int(rng.integers(0, len(shape))), int(rng.integers(1, 30))
    x = draw.tensor(rng, shape, dtype)
    f, b = weights(rng, [n, int(np.prod(shape[cut:]))], 0, x, dtype)
    y = output(rng, [int(np.prod(shape[:cut])), n], x, f)
    same(
        engine,
        single("FULLY_CONNECTED", [x, f, b], y, options("FullyConnected")),
        [draw.values(rng, x)],
        **CLOSE[dtype],
    )


def with_computed_weights(rng: draw.Rng, name: str, dtype: str, bias_too: bool) -> tuple[bytes, list[Array]]:
    """A model whose weights, and perhaps the bias, are inputs; and the inputs."""
    if name == "FULLY_CONNECTED":
        shapes, fields = ([2, 5], [7, 5], [2, 7]), options("FullyConnected")
    else:
        shapes, fields = (
            ([1, 4, 4, 3], [5, 2, 2, 3], [1, 3, 3, 5]),
            options("Conv2D", padding=VALID, strideH=1, strideW=1),
        )
    x = draw.tensor(rng, shapes[0], dtype)
    f, b = weights(rng, shapes[1], 0, x, dtype)
    y = output(rng, shapes[2], x, f)
    inputs = [draw.values(rng, x), f.data]
    f.data = None
    if bias_too:
        inputs.append(b.data)
        b.data = None
    return single(name, [x, f, b], y, fields), inputs


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["CONV_2D", "FULLY_CONNECTED"])
def test_computed_weights(engine: Engine, name: str, dtype: str, seed: int) -> None:
    """Catches weights or a bias that are read from the model where they lie in the arena."""
    model, inputs = with_computed_weights(np.random.default_rng(seed), name, dtype, bool(seed % 2))
    same(engine, model, inputs, **CLOSE[dtype])


def extreme(seed: int) -> tuple[bytes, list[Array]]:
    """A convolution whose sums wrap, or whose outputs nearly all saturate or vanish."""
    rng = np.random.default_rng(seed)
    w, deep = Window(rng), seed % 2
    depth, multiplier = int(rng.integers(1, 40)), int(rng.choice([1, 2, 5]))
    n = depth * multiplier if deep else int(rng.integers(1, 40))
    x = draw.tensor(rng, [w.batches, *w.size, depth], "int8", -6, 6)
    shape = [1, *w.kernel, n] if deep else [n, *w.kernel, depth]
    f, b = weights(rng, shape, 3 if deep else 0, x, "int8")
    y = output(rng, [w.batches, *w.out, n], x, f)
    y.scale = float(np.float32(y.scale * 2.0 ** rng.uniform(-8, 14)))
    if seed % 3 == 0:
        b.data = rng.integers(-(2**31), 2**31, n).astype(np.int32)
    if seed % 5 == 0:
        f.data = np.full(shape, 127 if seed % 2 else -127, np.int8)
    fields = w.fields() | ({"depthMultiplier": multiplier} if deep else {})
    name, kind = ("DEPTHWISE_CONV_2D", "DepthwiseConv2D") if deep else ("CONV_2D", "Conv2D")
    return single(name, [x, f, b], y, options(kind, **fields)), [draw.values(rng, x)]


@pytest.mark.parametrize("seed", range(60))
def test_extremes(engine: Engine, seed: int) -> None:
    """Catches a shift, a limit or a wrapped sum that differs where sound models do not go."""
    same(engine, *extreme(seed))
