"""A network of MoveNet's size, whole and fed by rows: pose.py."""

from __future__ import annotations

import numpy as np
import pytest

from arenite.engine import Engine, HostModel
from pose import picture, pose, reference


@pytest.mark.parametrize("stream", [False, True])
def test_a_fifth_of_the_arena(engine: Engine, stream: bool) -> None:
    """Catches large networks that do not run by rows where it matters most, chains that are cut too short for them, and
    another answer than tflite-micro's. Its figure is that of activations alone, which is the same on every machine."""
    data, x = pose(), picture()
    expected, activations = reference(data, x)
    for output in expected:
        assert np.unique(output).size > 100
    model = HostModel(engine, data, stream=stream)
    assert 5 * model.model.arena_used < activations
    for _ in range(2):
        model.poison()
        got = model.feed(x) if stream else model.invoke([x])
        assert got is not None
        for have, want in zip(got, expected, strict=True):
            np.testing.assert_array_equal(have, want)


def test_fed_it_takes_a_ninth(engine: Engine) -> None:
    """Catches a picture of 110 kB that is held whole."""
    data = pose()
    _, activations = reference(data, picture())
    assert 9 * engine.arena_needed(data, stream=True) < activations
