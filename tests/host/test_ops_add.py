"""ADD against tflite-micro: broadcasting, activations, quantization."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Tensor, options, single
from reference import refusal, same


def broadcast_pair(rng: draw.Rng, largest_rank: int = 4) -> tuple[list[int], list[int], list[int]]:
    """Two shapes that broadcast, and what they give."""
    out = draw.shape(rng, int(rng.integers(1, largest_rank + 1)))
    kind = rng.integers(4)
    if kind == 0:
        return out, out, out
    if kind == 1:
        pair = [out, [1] * int(rng.integers(0, len(out) + 1))]
    else:
        a = [1 if rng.random() < 0.3 else n for n in out]
        b = [1 if rng.random() < 0.3 and n == m else m for n, m in zip(a, out, strict=True)]
        pair = [a, b[int(rng.integers(0, len(b))) :] if all(n == m for n, m in zip(a, out, strict=True)) else b]
    if rng.random() < 0.5:
        pair.reverse()
    return pair[0], pair[1], list(np.broadcast_shapes(*map(tuple, pair)))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_add(engine: Engine, dtype: str, seed: int) -> None:
    """Catches shapes aligned at the wrong end, a stride of a repeated dimension, a factor or rounding that differs."""
    rng = np.random.default_rng(seed)
    first, second, out = broadcast_pair(rng, 6 if seed % 3 == 0 else 4)
    a, b, y = draw.tensor(rng, first, dtype), draw.tensor(rng, second, dtype), draw.tensor(rng, out, dtype)
    fields = options("Add", fusedActivationFunction=int(rng.choice(draw.FUSED)))
    same(engine, single("ADD", [a, b], y, fields), [draw.values(rng, a), draw.values(rng, b)])


SCALES = st.floats(2.0**-30, 2.0**20, width=32)
ZEROS = st.integers(-128, 127)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(a=SCALES, b=SCALES, ratio=st.floats(2.0**-18, 2.0**20, width=32), zeros=st.tuples(ZEROS, ZEROS, ZEROS))
def test_quantizations(engine: Engine, a: float, b: float, ratio: float, zeros: tuple[int, int, int]) -> None:
    """Catches factors of scales far apart, on every pair of 256 values of one input and 16 of the other."""
    x, y = Tensor([1, 256], "int8", a, zeros[0]), Tensor([16, 1], "int8", b, zeros[1])
    out = Tensor([16, 256], "int8", float(np.float32(max(a, b)) * np.float32(ratio)), zeros[2])
    left = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
    right = np.linspace(-128, 127, 16).astype(np.int8).reshape(16, 1)
    same(engine, single("ADD", [x, y], out, options("Add")), [left, right])


def test_one_constant(engine: Engine) -> None:
    """Catches an operand that lies in the model and is looked for in the arena."""
    x, y = Tensor([2, 3]), Tensor([2, 3])
    c = Tensor([3], data=np.float32([1, 2, 3]))
    same(engine, single("ADD", [x, c], y, options("Add")), [np.ones([2, 3], np.float32)])
    same(engine, single("ADD", [c, x], y, options("Add")), [np.ones([2, 3], np.float32)])


def test_the_same_tensor_twice(engine: Engine) -> None:
    """Catches a planner that counts a tensor's readers and not its last reader."""
    x, y = Tensor([4], "int8", 0.1, 5), Tensor([4], "int8", 0.2, -5)
    same(engine, single("ADD", [x, x], y, options("Add")), [np.int8([-128, -1, 5, 127])])


def test_infinities_end_at_the_largest_float(engine: Engine) -> None:
    """Catches an activation range that is wider than the reference's, whose ends are the largest floats."""
    x, y = Tensor([4]), Tensor([4])
    same(engine, single("ADD", [x, x], y, options("Add")), [np.float32([np.inf, -np.inf, 3e38, np.nan])])


def test_eight_dimensions(engine: Engine) -> None:
    """Catches a broadcast of more dimensions than tflite-micro's six (there the reference is numpy)."""
    rng = np.random.default_rng(8)
    a, b = [2, 1, 3, 1, 2, 1, 2, 1], [1, 2, 1, 3, 1, 2, 1, 2]
    x, y, out = Tensor(a), Tensor(b), Tensor([2, 2, 3, 3, 2, 2, 2, 2])
    left, right = draw.values(rng, x), draw.values(rng, y)
    (got,) = HostModel(engine, single("ADD", [x, y], out, options("Add"))).invoke([left, right])
    np.testing.assert_array_equal(got, left + right)


@pytest.mark.parametrize("scales", [(1e-30, 1e-30, 1e30), (1e30, 1e30, 1e-30), (1e30, 1e-30, 1.0), (3e38, 1.0, 1.0)])
def test_absurd_scales_are_harmless(engine: Engine, scales: tuple[float, float, float]) -> None:
    """Catches a sum or a shift that overflows where a file has absurd scales (the sanitizers' build sees it)."""
    a, b, y = (Tensor([256], "int8", s, z) for s, z in zip(scales, (-128, 127, 127), strict=True))
    try:
        model = HostModel(engine, single("ADD", [a, b], y, options("Add")))
    except EngineError:
        return
    every = np.arange(-128, 128).astype(np.int8)
    model.invoke([every, every])


@pytest.mark.parametrize(
    ("a", "b", "y", "says"),
    [
        ([2, 3], [2, 4], [2, 4], "broadcast"),
        ([2, 3], [2, 3], [2, 4], "broadcast"),
        ([2, 1], [1, 3], [2, 1], "broadcast"),
        ([2, 3], [3], [3], "fewer dimensions"),
        ([2, 3], [0, 3], [2, 3], "broadcast"),
        ([2, 3], [2, 3], [1, 2, 4], "broadcast"),
    ],
)
def test_refuses_shapes(engine: Engine, a: list[int], b: list[int], y: list[int], says: str) -> None:
    """Catches shapes that would run past a tensor."""
    assert says in refusal(engine, single("ADD", [Tensor(a), Tensor(b)], Tensor(y), options("Add")))


def add(a: Tensor, b: Tensor, y: Tensor, activation: int = 0) -> bytes:
    """A model of one ADD."""
    return single("ADD", [a, b], y, options("Add", fusedActivationFunction=activation))


def test_refuses_types_and_options(engine: Engine) -> None:
    """Catches types that differ, an activation that cannot be fused, and quantization that is missing or absurd."""
    f, q, y = Tensor([2]), Tensor([2], "int8", 0.1, 0), Tensor([2], "int8", 0.1, 0)
    assert "types differ" in refusal(engine, add(f, q, y))
    assert "types differ" in refusal(engine, add(f, f, y))
    assert "activation 4" in refusal(engine, add(f, f, Tensor([2]), 4))
    assert "activation -1" in refusal(engine, add(q, q, y, -1))
    for scale in (None, 0.0, -1.0, float("nan"), float("inf"), 1e-40):
        assert "scale" in refusal(engine, add(q, Tensor([2], "int8", scale, 0), y))
    assert "inputs" in refusal(engine, single("ADD", [q], y, options("Add")))
