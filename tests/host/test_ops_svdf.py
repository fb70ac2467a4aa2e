"""SVDF against tflite-micro, over several invokes: what one leaves in the state, the next reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tflite_micro import runtime

import draw
from arenite.engine import Engine, HostModel
from builder import Array, Tensor, options, single
from reference import Rejected, compared, reference, refusal

# int8: state and time weights of int8; int16: of int16, between activations of int8.
TYPES = ["float32", "int8", "int16"]


@dataclass
class Layer:
    """One SVDF, drawn at random."""

    rng: draw.Rng
    kept: str = "float32"

    def __post_init__(self) -> None:
        """Draw the shapes and make the tensors."""
        rng = self.rng
        self.rank, units = int(rng.integers(1, 4)), int(rng.integers(1, 8))
        self.batches, self.n_in, self.memory = (
            int(rng.choice([1, 1, 2, 3])),
            int(rng.integers(1, 20)),
            int(rng.choice([1, 2, rng.integers(3, 11)])),
        )
        filters = units * self.rank
        type_ = "float32" if self.kept == "float32" else "int8"
        self.x = draw.tensor(rng, [self.batches, self.n_in], type_)
        self.features = self.weights([filters, self.n_in], type_)
        self.time = self.weights([filters, self.memory], self.kept)
        self.state = Tensor([self.batches, filters * self.memory], self.kept, variable=True)
        self.bias = Tensor([units], "float32" if type_ == "float32" else "int32")
        self.bias.data = rng.integers(-3000, 3000, units).astype(self.bias.dtype)
        self.y = Tensor([self.batches, units], type_)
        if type_ == "int8":
            self.quantize()

    def weights(self, shape: list[int], dtype: str) -> Tensor:
        """Constant weights."""
        t = Tensor(shape, dtype, None if dtype == "float32" else draw.scale(self.rng, -14, -6))
        t.data = draw.values(self.rng, t, 2)
        return t

    def quantize(self) -> None:
        """Scales that let state and output spread over their ranges, or saturate, or vanish."""
        rng, spread = self.rng, 2.0 ** self.rng.uniform(-4, 3)
        reach = float(self.x.scale * self.features.scale * 128 * 74 * np.sqrt(self.n_in))
        self.state.zero_point = int(rng.choice([0, 0, self.state.low // 2, self.state.high // 3]))
        if self.state.zero_point:
            # The wheel adds the zero point after it has clamped, and wraps; later versions of tflite-micro do not.
            reach, spread = float(self.x.scale * self.features.scale * 255 * 128 * self.n_in), 2.1
        self.state.scale = float(np.float32(reach / self.state.high * spread))
        self.bias.scale = float(np.float32(self.state.scale) * np.float32(self.time.scale))
        sums = self.bias.scale * self.state.high * self.time.high * np.sqrt(self.memory * self.rank)
        self.bias.data = rng.integers(-1000, 1000, self.bias.shape[0]) * int(sums / self.bias.scale / 3000 + 1)
        self.bias.data = self.bias.data.astype(np.int32)
        self.y.scale = float(np.float32(sums / 128 * 2.0 ** rng.uniform(-5, 2)))
        self.y.zero_point = draw.zero_point(rng, "int8")

    def inputs(self) -> list[Tensor | None]:
        """In the schema's order."""
        return [self.x, self.features, self.time, self.bias, self.state]

    def model(self, **changes: Any) -> bytes:
        """The file; changes: of the options."""
        fields = {"rank": self.rank, "fusedActivationFunction": int(self.rng.choice(draw.FUSED))} | changes
        return single("SVDF", self.inputs(), self.y, options("SVDF", **fields))


def check(engine: Engine, model: bytes, sequence: list[Array]) -> None:
    """Each output of a sequence equals tflite-micro's; and again after a reset.

    Raises:
        AssertionError: one differs.
        RuntimeError: tflite-micro does not take the model.
    """
    host = HostModel(engine, model)
    for again in range(2):
        oracle = runtime.Interpreter.from_bytes(model)
        for i, x in enumerate(sequence):
            oracle.set_input(x, 0)
            oracle.invoke()
            (got,) = host.invoke([x])
            wanted = oracle.get_output(0)
            if i == 0 and not again:
                compared(model, [x], [wanted], rtol=1e-5, atol=1e-2)
            assert got.dtype == wanted.dtype
            if got.dtype == np.float32:
                np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-2)
            else:
                np.testing.assert_array_equal(got, wanted)
        host.reset()


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kept", TYPES)
def test_sequences(engine: Engine, kept: str, seed: int) -> None:
    """Catches a state that is not moved on, moved across batches, of another zero point, or not put back by a reset; a
    factor, rank, bias or clamp that is wrong."""
    layer = Layer(np.random.default_rng(seed), kept)
    check(engine, layer.model(), [draw.values(layer.rng, layer.x) for _ in range(layer.memory + 3)])


@pytest.mark.parametrize(("zero_point", "kept"), [(100, 127), (-100, 54), (-128, 26), (0, 127), (127, 127)])
def test_state_saturates(engine: Engine, zero_point: int, kept: int) -> None:
    """Catches a zero point of the state that is added after the clamp, and wraps."""
    x, y = Tensor([1, 2], "int8", 1.0, 0), Tensor([1, 1], "int8", 1.0, 0)
    features, time = Tensor.constant([[1, 1]], "int8", scale=1.0), Tensor.constant([[0, 1]], "int8", scale=1.0)
    state = Tensor([1, 2], "int8", 1.0, zero_point, variable=True)
    model = single("SVDF", [x, features, time, None, state], y, options("SVDF", rank=1))
    (got,) = HostModel(engine, model).invoke([np.array([[100, 54]], np.int8)])
    assert got.item() == min(127, kept - zero_point)


@pytest.mark.parametrize("seed", range(5))
def test_tanh(engine: Engine, seed: int) -> None:
    """Catches a fused tanh that clamps."""
    layer = Layer(np.random.default_rng(seed))
    layer.time.data = layer.time.data / 100
    layer.bias.data = layer.bias.data / 3000
    check(engine, layer.model(fusedActivationFunction=4), [draw.values(layer.rng, layer.x) for _ in range(4)])


@pytest.mark.parametrize("kept", TYPES)
def test_no_bias(engine: Engine, kept: str) -> None:
    """Catches a bias that is left out and read all the same: the answer is that of zeros."""
    layer = Layer(np.random.default_rng(7), kept)
    layer.bias.data = layer.bias.data * 0
    with_zeros = layer.model(fusedActivationFunction=0)
    without = [layer.x, layer.features, layer.time, None, layer.state]
    model = single("SVDF", without, layer.y, options("SVDF", rank=layer.rank))
    x = [draw.values(layer.rng, layer.x)]
    np.testing.assert_array_equal(HostModel(engine, model).invoke(x), HostModel(engine, with_zeros).invoke(x))


def test_two_layers_keep_apart(engine: Engine) -> None:
    """Catches states that lie in one place: two models of the same file, run in turns."""
    layer = Layer(np.random.default_rng(3), "int16")
    model = layer.model()
    a, b = HostModel(engine, model), HostModel(engine, model)
    xs = [draw.values(layer.rng, layer.x) for _ in range(6)]
    alone = [HostModel(engine, model).invoke([xs[0]])[0]]
    first = [a.invoke([x])[0] for x in xs[:3]]
    np.testing.assert_array_equal(first[0], alone[0])
    np.testing.assert_array_equal(b.invoke([xs[0]])[0], alone[0])


@pytest.mark.parametrize(
    ("part", "attribute", "value", "says"),
    [
        ("state", "variable", False, ""),
        ("state", "scale", None, "input 4"),
        ("state", "dtype", "int32", "int32"),
        ("time", "dtype", "int8", "int8"),
        ("state", "shape", [1, 7], "do not fit"),
        ("y", "shape", [9, 9], "do not fit"),
        ("y", "dtype", "int16", "int16"),
        ("y", "scale", float("nan"), "scale"),
        ("y", "zero_point", 128, "scale"),
        ("features", "zero_point", 1, "zero points of 0"),
        ("x", "zero_point", -129, "input 0"),
        ("bias", "scale", 1e3, "scale of state"),
        ("bias", "dtype", "float32", "bias of float32"),
    ],
)
def test_refuses(engine: Engine, part: str, attribute: str, value: object, says: str) -> None:
    """Catches a field that is trusted; tflite-micro rejects most of them, and runs past a tensor with the others."""
    layer = Layer(np.random.default_rng(11), "int16")
    setattr(getattr(layer, part), attribute, value)
    tensor = getattr(layer, part)
    if tensor.data is not None and attribute == "dtype":
        tensor.data = tensor.data.astype(value)
    assert says in refusal(engine, layer.model())


@pytest.mark.parametrize("rank", [0, -1, 5, 1 << 30, -(1 << 31)])
def test_refuses_ranks(engine: Engine, rank: int) -> None:
    """Catches a division by zero, and filters that are left over."""
    layer = Layer(np.random.default_rng(11))
    assert "rank" in refusal(engine, layer.model(rank=rank))
    if rank > 0:
        with pytest.raises(Rejected):
            reference(layer.model(rank=rank), [draw.values(layer.rng, layer.x)])


def test_refuses_a_missing_state(engine: Engine) -> None:
    """Catches a state that is left out and written all the same."""
    layer = Layer(np.random.default_rng(2))
    fields = options("SVDF", rank=layer.rank)
    for inputs in (layer.inputs()[:4], [*layer.inputs()[:4], None]):
        assert "state" in refusal(engine, single("SVDF", inputs, layer.y, fields))
    layer.state.data = np.zeros(layer.state.shape, np.float32)
    assert "variable" in refusal(engine, layer.model())
