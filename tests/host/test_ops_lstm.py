"""UNIDIRECTIONAL_SEQUENCE_LSTM against tflite-micro, run after run: the states live on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tflite_micro import runtime

import draw
from arenite.engine import Engine, HostModel
from builder import Array, Tensor, options, single
from reference import Rejected, compared, reference, refusal

TYPES = ["float32", "int8", "int16"]
TANH = 4
WEIGHTS, BIASES, STATE, CELL = range(1, 9), range(12, 16), 18, 19


class Layer:
    """One LSTM, drawn at random."""

    def __init__(self, seed: int, dtype: str) -> None:
        rng = self.rng = np.random.default_rng(seed)
        self.dtype = dtype
        self.batches, self.steps = int(rng.choice([1, 1, 2, 3])), int(rng.integers(1, 6))
        self.n_in, self.units = int(rng.integers(1, 12)), int(rng.integers(1, 14))
        self.time_major = bool(rng.integers(2))
        outer = [self.steps, self.batches] if self.time_major else [self.batches, self.steps]
        self.inputs: list[Tensor | None] = [None] * 24
        self.x = self.inputs[0] = self.activation([*outer, self.n_in], 2.0 ** rng.uniform(-6, -2))
        scale = 1 / (self.x.high + 1) if dtype != "float32" else 1.0
        self.y = self.activation([*outer, self.units], scale * 2.0 ** float(rng.choice([0, 0, -1])))
        self.h = self.inputs[STATE] = self.state(dtype, self.y.scale, self.y.zero_point)
        cell_scale = 2.0 ** -int(rng.integers(8, 16))
        self.cell = self.inputs[CELL] = self.state(*("float32", None) if dtype == "float32" else ("int16", cell_scale))
        for i in WEIGHTS:
            self.inputs[i] = self.weights([self.units, self.n_in if i < 5 else self.units])
        for i in BIASES:
            self.inputs[i] = self.bias(self.inputs[i - 11])
        self.fields: dict[str, Any] = {"fusedActivationFunction": TANH, "timeMajor": self.time_major}
        if rng.random() < 0.4:
            self.fields["cellClip"] = float(2.0 ** rng.uniform(-4, 3))

    def activation(self, shape: list[int], scale: float) -> Tensor:
        """Input or output."""
        if self.dtype == "float32":
            return Tensor(shape)
        zero = draw.zero_point(self.rng, "int8") if self.dtype == "int8" else 0
        scale = scale if self.dtype == "int8" or scale < 1e-4 else scale / 256
        return Tensor(shape, self.dtype, float(np.float32(scale)), zero)

    def state(self, dtype: str, scale: Any, zero_point: Any = 0) -> Tensor:
        """A variable."""
        return Tensor([self.batches, self.units], dtype, scale, zero_point, variable=True)

    def weights(self, shape: list[int]) -> Tensor:
        """Constant weights, with which a gate is neither always open nor always shut."""
        t = Tensor(shape) if self.dtype == "float32" else Tensor(shape, "int8", float(2.0 ** self.rng.uniform(-10, -5)))
        t.data = draw.values(self.rng, t, 2)
        return t

    def bias(self, w: Tensor | None) -> Tensor:
        """The bias of a gate with these weights."""
        if self.dtype == "float32" or w is None:
            return Tensor([self.units], data=self.rng.uniform(-1, 1, self.units).astype(np.float32))
        scale = np.float32(self.x.scale) * np.float32(w.scale)
        data = self.rng.uniform(-2, 2, self.units) / scale
        name = "int32" if self.dtype == "int8" else "int64"
        return Tensor([self.units], name, float(scale), 0, data.astype(name))

    def model(self) -> bytes:
        """The file."""
        fields = options("UnidirectionalSequenceLSTM", **self.fields)
        return single("UNIDIRECTIONAL_SEQUENCE_LSTM", self.inputs, self.y, fields)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("dtype", TYPES)
def test_sequences(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a gate mixed up with another, a state that is read after it is written, lost, or not put back by a reset,
    batch and time mixed up; factors, clips and tanh of another scale."""
    layer = Layer(seed, dtype)
    model = layer.model()
    host = HostModel(engine, model)
    sequence = [draw.values(layer.rng, layer.x, 3) for _ in range(3)]
    for again in range(2):
        oracle = runtime.Interpreter.from_bytes(model)
        for i, x in enumerate(sequence):
            oracle.set_input(x, 0)
            oracle.invoke()
            (got,) = host.invoke([x])
            wanted = oracle.get_output(0)
            if i == 0 and not again:
                compared(model, [x], [wanted], rtol=1e-5, atol=1e-5)
            assert got.dtype == wanted.dtype
            if dtype == "float32":
                np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
            else:
                np.testing.assert_array_equal(got, wanted)
        host.reset()


def change(layer: Layer, i: int, **fields: object) -> None:
    """Change fields of input i."""
    for name, value in fields.items():
        setattr(layer.inputs[i], name, value)


VARIANTS = [
    (1, None, "coupled"),
    (9, "units", "peepholes"),
    (11, "units", "peepholes"),
    (16, "square", "projection"),
    (17, "units", "projection"),
    (20, "units", "layer normalization"),
    (23, "units", "layer normalization"),
]


@pytest.mark.parametrize(("i", "shape", "says"), VARIANTS)
def test_refuses_variants(engine: Engine, i: int, shape: str | None, says: str) -> None:
    """Catches an input that is ignored, so that the answer would be another network's: tflite-micro rejects it."""
    layer = Layer(1, "float32")
    n = layer.units
    sizes = {"units": [n], "square": [n, n]}
    layer.inputs[i] = Tensor(sizes[shape], data=np.ones(sizes[shape], np.float32)) if shape else None
    assert says in refusal(engine, layer.model())
    with pytest.raises(Rejected):
        reference(layer.model(), [draw.values(layer.rng, layer.x)])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"fusedActivationFunction": 0}, "other than tanh"),
        ({"fusedActivationFunction": 1}, "other than tanh"),
        ({"cellClip": -1.0}, "clip"),
        ({"cellClip": float("nan")}, "clip"),
        ({"diagonalRecurrentTensors": True}, "diagonal"),
    ],
)
def test_refuses_options(engine: Engine, fields: dict[str, Any], says: str) -> None:
    """Catches an option that is ignored."""
    layer = Layer(1, "int8")
    layer.fields |= fields
    assert says in refusal(engine, layer.model())


@pytest.mark.parametrize("i", [2, 5, 8, 12, 15, STATE, CELL])
def test_refuses_missing_inputs(engine: Engine, i: int) -> None:
    """Catches an input that is left out and read all the same."""
    layer = Layer(1, "int8")
    layer.inputs[i] = None
    assert f"input {i} is missing" in refusal(engine, layer.model())
    del layer.inputs[i:]
    assert "is missing" in refusal(engine, layer.model())


@pytest.mark.parametrize(
    ("i", "fields", "says"),
    [
        (0, {"shape": [1, 9]}, "[batch, time, ..]"),
        (0, {"shape": [7, 7, 3]}, "[batch, time, ..]"),
        (0, {"scale": None}, "scale above 0"),
        (0, {"zero_point": 200}, "zero point"),
        (0, {"dtype": "uint8"}, "uint8"),
        (3, {"shape": [1, 99], "data": np.ones([1, 99], np.int8)}, "weights must be"),
        (6, {"zero_point": 1}, "zero point of 0"),
        (6, {"scale": 0.0}, "scale above 0"),
        (13, {"dtype": "int64", "shape": [1], "data": np.zeros(1, np.int64)}, "of int32"),
        (14, {"shape": [99], "data": np.zeros(99, np.int32)}, "bias must be"),
        (STATE, {"variable": False}, "variable"),
        (STATE, {"shape": [1, 99]}, "variable of"),
        (STATE, {"scale": 1.0}, "alike"),
        (CELL, {"dtype": "int8"}, "int16"),
        (CELL, {"scale": 0.3}, "power of two"),
        (CELL, {"scale": 2.0**5}, "power of two"),
        (CELL, {"zero_point": 1}, "zero points of 0"),
    ],
)
def test_refuses_tensors(engine: Engine, i: int, fields: dict[str, Any], says: str) -> None:
    """Catches a shape, type or quantization that is trusted."""
    layer = Layer(1, "int8")
    change(layer, i, **fields)
    assert says in refusal(engine, layer.model())


def test_streams(engine: Engine) -> None:
    """Catches a state that a run of many steps carries on otherwise than as many runs of one step."""
    layer = Layer(5, "int8")
    x = draw.values(layer.rng, Tensor([1, 6, layer.n_in], "int8"))
    results: list[Array] = []
    for steps in (6, 1):
        layer.fields |= {"timeMajor": False}
        for t, n in ((layer.x, layer.n_in), (layer.y, layer.units)):
            t.shape = [1, steps, n]
        layer.h.shape = layer.cell.shape = [1, layer.units]
        host = HostModel(engine, layer.model())
        results.append(np.concatenate([host.invoke([x[:, t : t + steps]])[0] for t in range(0, 6, steps)], axis=1))
    np.testing.assert_array_equal(*results)
