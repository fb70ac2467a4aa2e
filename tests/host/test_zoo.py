"""The zoo: models as the converter makes them, whole, beside tflite-micro's reference kernels."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models"))

import convert

import zoo_models as zoo
from arenite.engine import Engine, HostModel
from reference import Array, compared, reference, same

RTOL, ATOL = 1e-5, 1e-6
# TensorFlow Lite quantizes the activations of a hybrid model to 8 bits anew in each run, Arenite takes them as they
# are. Outputs reach 0.5; what was seen differs by less than 0.004.
HYBRID_BOUND = 0.01
RUNS = 20  # the fewest cases that docs/operators.md is to show for an operator and type
LARGEST = 20_000  # bytes
ROW = r"^\| (\w+) \| ([\d,]+) bytes: (.*) \|$"

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow: pip install -e .[train]"
)


def near(got: list[Array], expected: list[Array]) -> None:
    """Tell that integers are equal, and floats within the bound."""
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a.ravel(), b.ravel(), rtol=RTOL, atol=ATOL)
        else:
            np.testing.assert_array_equal(a.ravel(), b.ravel())


class Micro:
    """tflite-micro's interpreter of a model, which keeps its state."""

    def __init__(self, data: bytes) -> None:
        self.interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 20)
        self.outputs = schema.Model.GetRootAs(data, 0).Subgraphs(0).OutputsLength()

    def invoke(self, inputs: list[Array]) -> list[Array]:
        """Run it once."""
        for i, x in enumerate(inputs):
            self.interpreter.set_input(x, i)
        self.interpreter.invoke()
        return [self.interpreter.get_output(i) for i in range(self.outputs)]


@pytest.mark.parametrize("name", sorted(set(zoo.NAMES) - zoo.STATEFUL - zoo.HYBRID))
def test_outputs(engine: Engine, name: str) -> None:
    """Catches operators that agree with tflite-micro one by one, but not as the converter strings them together:
    tensors that share memory, subgraphs inside subgraphs, types and options that no hand-made model has."""
    data = zoo.content(name)
    seen = []
    for inputs in zoo.inputs(name, HostModel(engine, data), RUNS):
        seen.append(same(engine, data, inputs, rtol=RTOL, atol=ATOL))
    assert len({b"".join(y.tobytes() for y in outputs) for outputs in seen}) == RUNS, "the inputs do not matter"


def test_both_branches_and_all_ends_of_the_loop(engine: Engine) -> None:
    """Catches inputs that leave a branch of if_while unvisited: test_outputs would then say nothing of it."""
    ends = set()
    for x, count in zoo.inputs("if_while", HostModel(engine, zoo.content("if_while")), RUNS):
        ends.add("else" if x.sum() <= 0 else "no turn" if count <= 0 else "turns")
    assert ends == {"else", "no turn", "turns"}


@pytest.mark.parametrize("total", [0.5, 40.0])
def test_loop_that_a_sum_ends(engine: Engine, total: float) -> None:
    """Catches a WHILE that asks one of its two conditions only."""
    x = np.full((1, 4), total / 4, np.float32)
    one, other = same(engine, zoo.content("if_while"), [x, np.array(1000, np.int32)], rtol=RTOL, atol=ATOL)
    turns = one if one.dtype == np.int32 else other
    assert 0 < turns < 1000


@pytest.mark.parametrize("name", sorted(zoo.STATEFUL))
def test_state(engine: Engine, name: str) -> None:
    """Catches state that is lost between invokes, is written before it is read, begins as something else than the
    model says, or that reset() leaves as it was."""
    data = zoo.content(name)
    model = HostModel(engine, data)
    rounds = []
    for _ in range(2):
        micro = Micro(data)
        inputs = list(zoo.inputs(name, model, RUNS))
        rounds.append([model.invoke(x) for x in inputs])
        for got, x in zip(rounds[-1], inputs, strict=True):
            near(got, micro.invoke(x))
        model.reset()
    for first, again in zip(*rounds, strict=True):
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a, b)
    compared(data, inputs[0], rounds[0][0], rtol=RTOL, atol=ATOL)
    assert any((a != b).any() for a, b in zip(model.invoke(inputs[0]), model.invoke(inputs[0]), strict=True))


def dequantized(data: bytes) -> bytes:
    """The model with float32 weights that are worth the same; it is all float32 then."""
    model = schema.ModelT.InitFromPackedBuf(data)
    for tensor in model.subgraphs[0].tensors:
        if tensor.type != schema.TensorType.INT8:
            continue
        quantization, buffer = tensor.quantization, model.buffers[tensor.buffer]
        assert not np.any(quantization.zeroPoint)
        along = [1] * len(tensor.shape)
        along[quantization.quantizedDimension] = -1
        scale = np.array(quantization.scale, np.float32).reshape(along if len(quantization.scale) > 1 else [])
        weights = np.array(buffer.data, np.uint8).view(np.int8).reshape(tensor.shape) * scale
        buffer.data = np.frombuffer(weights.astype(np.float32).tobytes(), np.uint8)
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    return convert.packed(model)


def test_dynamic_range(engine: Engine) -> None:
    """Catches int8 weights between float32 activations that count as another scale or channel; the oracle is
    tflite-micro with the weights dequantized, since it takes no such model."""
    data = zoo.content("dynamic_range")
    plain = dequantized(data)
    assert len(plain) > len(data) + 3 * 2048, "the model has int8 weights"
    model = HostModel(engine, data)
    for inputs in zoo.inputs("dynamic_range", model, RUNS):
        expected = reference(plain, inputs)
        near(model.invoke(inputs), expected)
        compared(data, inputs, expected, rtol=RTOL, atol=ATOL)


@needs_tensorflow
def test_dynamic_range_beside_tensorflow_lite(engine: Engine) -> None:
    """Catches a hybrid model that means something else to TensorFlow Lite than dequantized weights."""
    import tensorflow as tf  # noqa: PLC0415

    data = zoo.content("dynamic_range")
    oracle: Any = tf.lite.Interpreter(
        model_content=data, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    oracle.allocate_tensors()
    model = HostModel(engine, data)
    for inputs in zoo.inputs("dynamic_range", model, RUNS):
        oracle.set_tensor(oracle.get_input_details()[0]["index"], inputs[0])
        oracle.invoke()
        (got,) = model.invoke(inputs)
        np.testing.assert_allclose(got, oracle.get_tensor(oracle.get_output_details()[0]["index"]), 0, HYBRID_BOUND)


def types(name: str) -> dict[str, set[int]]:
    """The types of the inputs of each operator, all subgraphs."""
    model = schema.ModelT.InitFromPackedBuf(zoo.content(name))
    found: dict[str, set[int]] = {}
    names = iter(convert.operators_of(zoo.content(name)))
    for graph in model.subgraphs:
        for operator in graph.operators:
            used = operator.inputs if operator.inputs is not None else []
            found.setdefault(next(names), set()).update(graph.tensors[i].type for i in used if i >= 0)
    return found


def test_each_has_what_it_is_for() -> None:
    """Catches a converter of a later TensorFlow that makes the zoo of other operators and types: the tests above
    would then pass without asking what they are there to ask."""
    kinds = schema.TensorType
    assert {"UNPACK", "SPLIT", "LOGISTIC", "TANH", "MUL", "ADD"} <= set(types("lstm_int8"))
    assert {"UNPACK", "SPLIT", "SUB", "STRIDED_SLICE"} <= set(types("gru_int8"))
    for name in ("lstm_int8", "gru_int8"):
        assert not any(kinds.FLOAT32 in used for used in types(name).values()), name
    assert "WHILE" in types("lstm_float")
    assert kinds.INT16 in types("lstm_fused_int8")["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    assert kinds.FLOAT32 in types("lstm_fused_float")["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    assert {"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"} <= set(types("streaming"))
    assert {"IF", "WHILE"} <= set(types("if_while"))
    for name in ("CONV_2D", "FULLY_CONNECTED"):
        assert {kinds.INT16, kinds.INT8} <= types("int16x8")[name]
        assert {kinds.FLOAT32, kinds.INT8} <= types("dynamic_range")[name]
        assert {kinds.INT8, kinds.INT4} <= types("int4")[name]


def test_card() -> None:
    """Catches a card that lists other models, sizes or operators than lie beside it, and a model too large."""
    card = (zoo.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = {name: (int(size.replace(",", "")), ops) for name, size, ops in re.findall(ROW, card, re.MULTILINE)}
    assert sorted(rows) == zoo.NAMES
    for name, row in rows.items():
        data = zoo.content(name)
        assert row == (len(data), ", ".join(dict.fromkeys(convert.operators_of(data))))
        assert len(data) < LARGEST
        assert f"`{name}`" in card.split("<!--")[0]


@needs_tensorflow
def test_made_again(tmp_path: Path) -> None:
    """Catches a script that no longer makes what is committed: int4, of which the converter promises least."""
    script = zoo.FOLDER / "make.py"
    command = [sys.executable, str(script), "int4", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made = (tmp_path / "int4.tflite").read_bytes()
    assert convert.operators_of(made) == convert.operators_of(zoo.content("int4"))
    assert len(made) == len(zoo.content("int4"))
