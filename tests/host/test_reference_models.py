"""Public models against tflite-micro's reference kernels, operator by operator."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.engine import Engine, EngineError, HostModel
from conftest import reference_model

INTEGER = [
    "hello_world_int8",
    "micro_speech_quantized",
    "kws_ref_model",
    "person_detect",
    "vww_96_int8",
    "pretrainedResnet_quant",
    "ad01_int8",
]


def random_input(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    """All bytes alike for int8, a few units about 0 for float32."""
    if like.dtype == np.float32:
        return rng.uniform(-4, 4, like.shape).astype(np.float32)
    return rng.integers(-128, 128, like.shape).astype(like.dtype)


@pytest.mark.parametrize("name", INTEGER)
def test_outputs_equal(engine: Engine, name: str) -> None:
    """Catches any bit of the final outputs that differs, on ten seeded inputs."""
    data = reference_model(name)
    model, oracle = HostModel(engine, data), runtime.Interpreter.from_bytes(data)
    rng = np.random.default_rng(2026)
    for _ in range(10):
        x = random_input(rng, model.input(0))
        oracle.set_input(x, 0)
        oracle.invoke()
        for i, got in enumerate(model.invoke([x])):
            np.testing.assert_array_equal(got, oracle.get_output(i))


@pytest.mark.parametrize("name", INTEGER)
def test_every_intermediate_tensor_equals(engine: Engine, name: str) -> None:
    """Catches a plan that lets one live tensor overwrite another, and errors that later layers would hide."""
    data = reference_model(name)
    model = HostModel(engine, data)
    oracle = runtime.Interpreter.from_bytes(data, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)
    x = random_input(np.random.default_rng(7), model.input(0))
    oracle.set_input(x, 0)
    oracle.invoke()
    each: list[list[np.ndarray]] = []
    model.invoke([x], each)
    assert len(each) == model.model.main.n_ops
    for k, index in enumerate(output_tensors(data)):
        reference = oracle.GetTensor(index, 0)["tensor_data"]
        assert np.array_equal(each[k][0], reference), f"op {k} {model.op_name(k)}: differs"


def output_tensors(data: bytes) -> list[int]:
    """Index of each operator's first output tensor."""
    graph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    return [int(graph.Operators(k).Outputs(0)) for k in range(graph.OperatorsLength())]


def test_float_model_close(engine: Engine) -> None:
    """Catches float kernels off by more than another order of summation: 2e-6 of outputs near 1."""
    data = reference_model("hello_world_float")
    model, oracle = HostModel(engine, data), runtime.Interpreter.from_bytes(data)
    rng = np.random.default_rng(3)
    for _ in range(10):
        x = rng.uniform(0, 6.28, (1, 1)).astype(np.float32)
        oracle.set_input(x, 0)
        oracle.invoke()
        np.testing.assert_allclose(model.invoke([x])[0], oracle.get_output(0), atol=2e-6, rtol=0)


@pytest.mark.parametrize("name", INTEGER)
def test_arena_needed_is_exact(engine: Engine, name: str) -> None:
    """Catches a figure that is too low or too high: at it the model loads, at one word less it is refused."""
    data = reference_model(name)
    needed = engine.arena_needed(data)
    assert HostModel(engine, data, needed).model.arena_used == needed
    with pytest.raises(EngineError, match="arena: too small"):
        HostModel(engine, data, needed - 8)


def test_planner_reaches_the_liveness_bound(engine: Engine) -> None:
    """Catches a planner as greedy as tflite-micro's, which needs 73,728 bytes for vww_96 where 55,296 are alive."""
    bounds = {
        "person_detect": 55296,
        "vww_96_int8": 55296,
        "pretrainedResnet_quant": 49152,
        "kws_ref_model": 16000,
        "ad01_int8": 768,
    }
    for name, bound in bounds.items():
        model = HostModel(engine, reference_model(name))
        # Scratch of a channel's factors comes on top where the largest layer has it.
        assert model.model.activations <= bound + 8 * 128, name
