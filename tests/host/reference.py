"""Arenite beside tflite-micro's reference kernels: one model, the same inputs, the same outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.engine import Engine, EngineError, HostModel
from cases import CASES

Array = np.ndarray[Any, np.dtype[Any]]


class Rejected(Exception):
    """tflite-micro does not take the model, or cannot run it."""


def reference(data: bytes, inputs: Sequence[Array], arena: int = 1 << 20) -> list[Array]:
    """The outputs that tflite-micro computes.

    Raises:
        Rejected: it does not.
    """
    try:
        oracle = runtime.Interpreter.from_bytes(data, arena_size=arena)
        for i, x in enumerate(inputs):
            oracle.set_input(x, i)
        oracle.invoke()
        count = schema.Model.GetRootAs(data, 0).Subgraphs(0).OutputsLength()
        return [oracle.get_output(i) for i in range(count)]
    except (RuntimeError, ValueError) as error:
        raise Rejected(str(error)) from error


def same(
    engine: Engine, data: bytes, inputs: Sequence[Array], *, rtol: float = 0, atol: float = 0, arena: int = 1 << 20
) -> list[Array]:
    """Run both and compare.

    Args:
        engine: the library.
        data: bytes of the model.
        inputs: one array an input.
        rtol: what float32 outputs may differ by, relative to tflite-micro's; integers must be equal.
        atol: and absolutely.
        arena: bytes of tflite-micro's arena.

    Returns:
        Arenite's outputs.

    Raises:
        Rejected: tflite-micro rejects the model: the test asks about what does not exist.
        AssertionError: an output differs.
    """
    expected = reference(data, inputs, arena)
    model = HostModel(engine, data)
    got = model.invoke(inputs)
    for first, again in zip(got, model.invoke(inputs), strict=True):
        np.testing.assert_array_equal(first, again, "the second run differs: it read what the first left behind")
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a.ravel(), b.ravel(), rtol=rtol, atol=atol)
        else:
            np.testing.assert_array_equal(a.ravel(), b.ravel())
    CASES.add(data, inputs, expected, rtol, atol)
    return got


def compared(
    data: bytes, inputs: Sequence[Array], expected: Sequence[Array], *, rtol: float = 0, atol: float = 0
) -> None:
    """Tell that Arenite gave what numpy, TensorFlow or LiteRT expect, where tflite-micro lacks the operator or type.

    The case counts in docs/operators.md, and runs on the boards, as those of same() do.
    """
    CASES.add(data, inputs, expected, rtol, atol)


def refusal(engine: Engine, data: bytes) -> str:
    """What the engine says when it refuses the model.

    Raises:
        AssertionError: it takes it.
    """
    try:
        HostModel(engine, data)
    except EngineError as error:
        return str(error)
    raise AssertionError("the model was taken")
