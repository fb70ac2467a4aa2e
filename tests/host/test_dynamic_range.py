"""Models quantized for dynamic range beside TensorFlow Lite's reference kernels.

These quantize the activations too, to 8 bits anew in each run; Arenite takes them as they are. The two differ by what
that costs: at most half a step of the activations, times the sum of the weights' sizes.
"""

from __future__ import annotations

import numpy as np
import pytest

from arenite.engine import Engine, HostModel
from builder import Array
from test_ops_hybrid import SHARED, Hybrid

tf = pytest.importorskip("tensorflow")


def tensorflow(model: bytes, x: Array) -> Array:
    """What TensorFlow Lite's reference kernels give."""
    oracle = tf.lite.Interpreter(
        model_content=model, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    oracle.allocate_tensors()
    oracle.set_tensor(oracle.get_input_details()[0]["index"], x)
    oracle.invoke()
    return np.asarray(oracle.get_tensor(oracle.get_output_details()[0]["index"]))


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("name", SHARED)
def test_within_the_activations_step(engine: Engine, name: str, seed: int) -> None:
    """Catches scales, biases and activations that TensorFlow Lite applies otherwise."""
    case = Hybrid(name, seed, common=bool(seed % 3) or name != "FULLY_CONNECTED")
    model = case.model(case.f)
    (got,) = HostModel(engine, model).invoke(case.data)
    step = np.abs(case.data[0]).max() / 127
    difference = np.abs(got - tensorflow(model, case.data[0]))
    assert (difference <= 0.51 * step * case.magnitudes() + 1e-4).all()
