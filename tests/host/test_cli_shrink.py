"""`arenite shrink`: which channels it takes away, that nothing else changes, and when it writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite import repack
from arenite.engine import Engine, HostModel
from arenite.errors import UserError
from arenite.model import Model, model_of
from arenite.oracle import Oracle
from arenite.shrink import shrink
from arenite.verify import random_inputs
from builder import SAME, VALID, Op, Tensor, build, options, single
from command import arenite, assert_refuses
from conftest import reference_model

RELU = 1
LOW = -128  # zero points: what RELU leaves of negative sums
QUIET = Console(quiet=True)
Cuts = dict[int, tuple[int, int]]  # operator: channels before and after


class Network:
    """A network as it grows, its weights seeded; every method adds an operator and gives its output."""

    def __init__(self, seed: int = 1, *, per_tensor: bool = False) -> None:
        self.rng = np.random.default_rng(seed)
        self.per_tensor = per_tensor
        self.ops: list[Op] = []

    def input(self, *shape: int) -> Tensor:
        """An input of the model."""
        return Tensor(shape, "int8", 0.05, 3)

    def conv(self, x: Tensor, outputs: int, kernel: int = 1, **more: int) -> Tensor:
        """CONV_2D with RELU."""
        shape = [outputs, kernel, kernel, x.shape[-1]]
        return self._window("CONV_2D", "Conv2D", x, self._weights(shape, 0), **more)

    def depthwise(self, x: Tensor, kernel: int = 3, **more: int) -> Tensor:
        """DEPTHWISE_CONV_2D with RELU."""
        weights = self._weights([1, kernel, kernel, x.shape[-1]], 3)
        return self._window("DEPTHWISE_CONV_2D", "DepthwiseConv2D", x, weights, depthMultiplier=1, **more)

    def dense(self, x: Tensor, outputs: int) -> Tensor:
        """FULLY_CONNECTED."""
        w = self._weights([outputs, x.shape[-1]], 0)
        return self._add("FULLY_CONNECTED", [x, w, self._bias(x, w)], self._output(x, w, 5), options("FullyConnected"))

    def pool(self, x: Tensor, name: str = "AVERAGE_POOL_2D", size: int = 2, padding: int = VALID) -> Tensor:
        """AVERAGE_POOL_2D or MAX_POOL_2D of whole windows, or one step apart with padding."""
        step = 1 if padding == SAME else size
        made = options("Pool2D", padding=padding, strideH=step, strideW=step, filterHeight=size, filterWidth=size)
        shape = [x.shape[0], x.shape[1] // step, x.shape[2] // step, x.shape[3]]
        return self._add(name, [x], Tensor(shape, "int8", x.scale, x.zero_point), made)

    def mean(self, x: Tensor) -> Tensor:
        """MEAN over height and width."""
        y = Tensor([x.shape[0], x.shape[3]], "int8", x.scale * 0.7, 5)
        return self._add("MEAN", [x, Tensor.constant([1, 2])], y, options("Reducer", keepDims=False))

    def reshape(self, x: Tensor, *shape: int) -> Tensor:
        """RESHAPE, the shape both as a tensor and as an option."""
        y = Tensor(shape, "int8", x.scale, x.zero_point)
        return self._add("RESHAPE", [x, Tensor.constant(list(shape))], y, options("Reshape", newShape=list(shape)))

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        """ADD."""
        return self._add("ADD", [a, b], Tensor(a.shape, "int8", a.scale * 1.5, 0), options("Add"))

    def kill(self, y: Tensor, channels: Sequence[int], bias: int = 0) -> None:
        """Make output channels of what gives y constant: no weights but this bias."""
        op = next(op for op in self.ops if op.outputs[0] is y)
        weights, b = op.inputs[1], op.inputs[2]
        index = channels if op.name != "DEPTHWISE_CONV_2D" else (..., channels)
        weights.data[index] = 0
        if b is not None:
            b.data[list(channels)] = bias

    def ignore(self, y: Tensor, channels: Sequence[int]) -> None:
        """Make what gives y give no weight to these input channels."""
        op = next(op for op in self.ops if op.outputs[0] is y)
        op.inputs[1].data[..., channels] = 0

    def model(self) -> bytes:
        """The file."""
        return build(self.ops)

    def _add(self, name: str, inputs: list[Tensor | None], y: Tensor, made: object) -> Tensor:
        self.ops.append(Op(name, inputs, [y], made))
        return y

    def _weights(self, shape: list[int], axis: int) -> Tensor:
        scales = 0.01 if self.per_tensor else self.rng.uniform(0.005, 0.02, shape[axis])
        return Tensor(shape, "int8", scales, 0, self.rng.integers(-127, 128, shape, np.int8), axis)

    def _bias(self, x: Tensor, w: Tensor) -> Tensor:
        channels = w.shape[w.axis]
        scales = np.float32(x.scale) * np.asarray(w.scale, np.float32)
        return Tensor([channels], "int32", scales, 0, self.rng.integers(-3000, 3000, channels).astype(np.int32))

    def _output(self, x: Tensor, w: Tensor, zero_point: int) -> Tensor:
        """So that sums of random inputs go far over the range, and some beyond it."""
        met = w.data.size // w.shape[w.axis]
        return Tensor([*x.shape[:-1], w.shape[w.axis]], "int8", x.scale * 0.5 * met**0.5, zero_point)

    def _window(self, op: str, kind: str, x: Tensor, w: Tensor, *, padding: int = SAME, **more: int) -> Tensor:
        y = self._output(x, w, LOW)
        if padding == VALID:
            y.shape = [x.shape[0], x.shape[1] - w.shape[1] + 1, x.shape[2] - w.shape[2] + 1, y.shape[3]]
        made = options(kind, padding=padding, strideH=1, strideW=1, fusedActivationFunction=RELU, **more)
        return self._add(op, [x, w, self._bias(x, w)], y, made)


def read(data: bytes) -> Model:
    """The model of these bytes."""
    return model_of(Path("model.tflite"), data)


def check(engine: Engine, data: bytes, expected: Cuts) -> bytes:
    """The model loses these channels and no others, has equal outputs on both interpreters, and then loses no more."""
    shrunk = shrink(read(data), 1000, QUIET)
    assert {cut.operator.index: (cut.before, cut.after) for cut in shrunk.cuts} == expected
    before, after = HostModel(engine, data), HostModel(engine, shrunk.model.data)
    seen = set()
    for row in random_inputs(read(data), 50, seed=5):
        images = [np.frombuffer(one, t.dtype).reshape(t.shape) for one, t in zip(row, read(data).inputs, strict=True)]
        right = b"".join(y.tobytes() for y in before.invoke(images))
        assert b"".join(y.tobytes() for y in after.invoke(images)) == right
        seen.add(right)
    assert len(seen) > 25, "the outputs hardly depend on the input: equality says nothing"
    assert not shrink(shrunk.model, 1000, QUIET).cuts
    if shrunk.cuts:  # else the file stays as builder made it
        assert_constants_are_aligned(shrunk.model.data)
    return shrunk.model.data


def assert_constants_are_aligned(data: bytes) -> None:
    """Every buffer's data lies at a multiple of 16 bytes."""
    model = schema.Model.GetRootAs(data)
    for index in range(model.BuffersLength()):
        table = model.Buffers(index)._tab
        offset = table.Offset(4)
        assert not offset or table.Vector(offset) % 16 == 0


@pytest.mark.parametrize("per_tensor", [False, True])
def test_depthwise_passes_zeros_on(engine: Engine, per_tensor: bool) -> None:
    """Catches channels at the zero point that stay, and scales, biases or weights of the wrong ones that go."""
    net = Network(per_tensor=per_tensor)
    a = net.conv(net.input(1, 6, 6, 3), 8, 3)
    b = net.depthwise(a)
    net.kill(a, [2, 5])
    net.conv(b, 4)
    data = check(engine, net.model(), {0: (8, 6), 1: (8, 6)})
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0)).subgraphs[0]
    weights = [graph.tensors[operator.inputs[1]] for operator in graph.operators]
    assert [list(w.shape) for w in weights] == [[6, 3, 3, 3], [1, 3, 3, 6], [4, 1, 1, 6]]
    assert [len(w.quantization.scale) for w in weights] == ([1, 1, 1] if per_tensor else [6, 6, 4])


@pytest.mark.parametrize("bias", [-500, 0, 9000])
def test_constant_of_depthwise_is_folded(engine: Engine, bias: int) -> None:
    """Catches a depthwise bias that is forgotten where it alone makes the constant, here added to the next bias."""
    net = Network()
    a = net.conv(net.input(1, 5, 5, 3), 6)
    b = net.depthwise(a)
    c = net.conv(b, 4)
    net.kill(a, [0, 4])
    net.ops[1].inputs[2].data[[0, 4]] = bias
    before = net.ops[2].inputs[2].data
    data = check(engine, net.model(), {0: (6, 4), 1: (6, 4)})
    after = biases(data)[2]
    assert (list(after) == list(before)) == (bias <= 0)
    assert list(c.shape) == [1, 5, 5, 4]


def biases(data: bytes) -> list[np.ndarray]:
    """The biases of each operator that has one."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    buffers = [graph.tensors[operator.inputs[2]].buffer for operator in graph.operators if len(operator.inputs) == 3]
    return [np.frombuffer(model.buffers[buffer].data.tobytes(), np.int32) for buffer in buffers]


@pytest.mark.parametrize("kind", ["conv", "depthwise"])
@pytest.mark.parametrize(("kernel", "padding", "goes"), [(3, SAME, False), (3, VALID, True), (1, SAME, True)])
def test_constant_beside_the_zero_point(engine: Engine, kind: str, kernel: int, padding: int, goes: bool) -> None:
    """Catches a constant that padding shows through at the borders, and one that is kept where nothing is padded."""
    net = Network(3)
    a = net.conv(net.input(1, 5, 5, 3), 6)
    net.kill(a, [1, 3], bias=7000)
    b = net.conv(a, 5, kernel, padding=padding) if kind == "conv" else net.depthwise(a, kernel, padding=padding)
    net.conv(b, 3)
    through = {1: (6, 4)} if kind == "depthwise" else {}
    check(engine, net.model(), {0: (6, 4), **through} if goes else {})


def test_constant_whose_borders_do_not_show(engine: Engine) -> None:
    """Catches a channel that stays because padding might show at its borders, although RELU leaves none of it."""
    net = Network(3)
    a = net.conv(net.input(1, 5, 5, 3), 6)
    net.kill(a, [1, 3], bias=7000)
    b = net.depthwise(a)
    net.ops[1].inputs[2].data[3] = -(10**6)
    net.conv(b, 3, 3)
    check(engine, net.model(), {0: (6, 5), 1: (6, 5)})


def flat(net: Network, x: Tensor) -> Tensor:
    """Averaged, then flattened."""
    return net.reshape(net.pool(x, size=4), 1, x.shape[3])


def largest(net: Network, x: Tensor) -> Tensor:
    """The largest, then flattened, the size left to be found out."""
    y = net.reshape(net.pool(x, "MAX_POOL_2D", 4), 1, x.shape[3])
    net.ops[-1].inputs[1].data[:] = [1, -1]
    net.ops[-1].options.newShape = [1, -1]
    return y


def padded(net: Network, x: Tensor) -> Tensor:
    """Averaged with less at the borders, then as flat()."""
    return flat(net, net.pool(x, size=3, padding=SAME))


@pytest.mark.parametrize("bias", [0, 6000])
@pytest.mark.parametrize(("through", "passing"), [(flat, 2), (largest, 2), (padded, 3), (Network.mean, 1)])
def test_constants_go_through_pools_to_dense(
    engine: Engine, through: Callable[[Network, Tensor], Tensor], passing: int, bias: int
) -> None:
    """Catches pools, RESHAPE and MEAN that stop a constant, or change its value on the way."""
    net = Network(4)
    a = net.conv(net.input(1, 4, 4, 2), 9, 3)
    net.kill(a, [0, 7, 8], bias)
    net.dense(through(net, a), 4)
    check(engine, net.model(), dict.fromkeys(range(passing + 1), (9, 6)))


def test_reshape_that_moves_channels_keeps_them(engine: Engine) -> None:
    """Catches a flattening of several places that loses whole channels as though it were of one."""
    net = Network()
    a = net.conv(net.input(1, 2, 2, 3), 4)
    net.kill(a, [1])
    net.dense(net.reshape(a, 1, 16), 3)
    check(engine, net.model(), {})


def test_branches_that_are_added_keep_theirs(engine: Engine) -> None:
    """Catches a channel that is taken from one branch of ADD but not from the other, and one that leaves the model."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    b = net.conv(a, 6, 3)
    net.kill(a, [1, 2])
    net.kill(b, [0, 1])
    c = net.conv(net.add(a, b), 5)
    d = net.conv(c, 4)
    net.kill(c, [3])
    net.kill(d, [2])
    check(engine, net.model(), {3: (5, 4)})


def test_every_reader_must_do_without(engine: Engine) -> None:
    """Catches a channel that goes because one of two operators does not read it."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    b, c = net.conv(a, 4), net.depthwise(a)
    d = net.conv(c, 4)
    net.ignore(b, [0, 1, 2])
    net.ignore(d, [1, 2, 5])
    net.add(b, d)
    check(engine, net.model(), {0: (6, 4), 2: (6, 4)})


@pytest.mark.parametrize("last", [Network.conv, lambda net, x, n: net.dense(net.mean(x), n)])
def test_unread_channels_go(engine: Engine, last: Callable[[Network, Tensor, int], Tensor]) -> None:
    """Catches a channel that has weights of its own, but meets none later, and stays; and what only it has read."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 5)
    b = net.conv(a, 6)
    net.ops[1].inputs[1].data[[0, 1, 2, 4, 5], ..., 2] = 0  # channel 2 is for channel 3 alone, which nothing reads
    c = last(net, net.depthwise(b), 3)
    net.ignore(c, [3])
    passing = {3: (6, 5)} if net.ops[-1].name == "FULLY_CONNECTED" else {}
    check(engine, net.model(), {0: (5, 4), 1: (6, 5), 2: (6, 5), **passing})


def test_one_channel_always_stays() -> None:
    """Catches tensors of no channels where all are constant, and outputs that change with what is left."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    b = net.depthwise(a)
    net.kill(a, range(6), bias=0)
    net.dense(net.mean(net.conv(b, 5)), 4)
    shrunk = shrink(read(net.model()), 1000, QUIET)
    assert {c.operator.index: (c.before, c.after) for c in shrunk.cuts} == {i: (6 - i // 2, 1) for i in (0, 1, 2, 3)}


def test_no_bias_to_fold_into(engine: Engine) -> None:
    """Catches a constant that is dropped where no bias can take it over."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    net.kill(a, [1], bias=7000)
    net.kill(a, [4])
    net.conv(a, 4)
    net.ops[-1].inputs[2] = None
    check(engine, net.model(), {0: (6, 5)})


def test_bias_that_would_overflow(engine: Engine) -> None:
    """Catches a bias that wraps: every interpreter would add it, but not all would wrap alike."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    net.kill(a, [1], bias=7000)
    net.conv(a, 4)
    net.ops[-1].inputs[2].data[0] = 2**31 - 1000
    net.ops[-1].inputs[1].data[0, ..., 1] = 127
    net.ops[-1].inputs[1].data[0, ..., [0, 2, 3, 4, 5]] = -128
    check(engine, net.model(), {})


def test_shared_constants_are_cut_for_one_alone(engine: Engine) -> None:
    """Catches weights that two operators share and that shrink for both."""
    net = Network()
    x = net.input(1, 4, 4, 3)
    a, b = net.conv(x, 6), net.conv(x, 6)
    net.kill(a, [1, 2])
    net.ops[1].inputs[1:] = net.ops[0].inputs[1:]
    net.add(net.conv(a, 6), b)
    check(engine, net.model(), {0: (6, 4)})


@pytest.mark.parametrize("seed", range(24))
def test_random_networks(engine: Engine, seed: int) -> None:
    """Catches what the cases above leave out, by drawn chains: shrink() itself compares all their outputs."""
    rng = np.random.default_rng(seed)
    net = Network(seed, per_tensor=bool(seed % 2))
    x = net.input(1, 8, 8, int(rng.integers(1, 5)))
    for _ in range(rng.integers(2, 6)):
        channels, bias = int(rng.integers(2, 9)), int(rng.choice([-900, 0, 7000]))
        kernel, padding = int(rng.choice([1, 1, 2])), int(rng.choice([SAME, VALID]))
        before = x
        x = (
            net.conv(x, channels, kernel, padding=padding)
            if rng.random() < 0.6
            else net.depthwise(x, 2, padding=padding)
        )
        if before.shape[-1] > 2 and net.ops[-1].name == "CONV_2D":
            net.ignore(x, [int(rng.integers(before.shape[-1]))])
        net.kill(x, rng.choice(x.shape[-1], x.shape[-1] // 2, replace=False), bias)
    net.dense(net.mean(x), 3)
    shrunk = shrink(read(net.model()), 1000, QUIET).model.data
    before, after = HostModel(engine, net.model()), HostModel(engine, shrunk)
    for row in random_inputs(read(net.model()), 10):
        image = np.frombuffer(row[0], np.int8).reshape(before.input(0).shape)
        np.testing.assert_array_equal(before.invoke([image])[0], after.invoke([image])[0])


def with_litter() -> bytes:
    """A model with a dead channel, and with what nothing refers to: a tensor, a buffer, an operator code."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    net.kill(a, [1])
    net.conv(a, 4)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(net.model(), 0))
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        tensor.shapeSignature = [-1, *list(tensor.shape)[1:]] if len(tensor.shape) == 4 else None
    litter = schema.TensorT()
    litter.shape, litter.buffer, litter.name = [3], len(model.buffers), b"litter"
    graph.tensors.insert(0, litter)
    for owner in (graph, *graph.operators):
        owner.inputs, owner.outputs = [i + 1 for i in owner.inputs], [i + 1 for i in owner.outputs]
    model.operatorCodes.insert(0, schema.OperatorCodeT(builtinCode=3))
    for operator in graph.operators:
        operator.opcodeIndex += 1
    model.buffers += [schema.BufferT(np.frombuffer(text, np.uint8)) for text in (b"three floats", b"1.5.0", b"1.5.0")]
    last = len(model.buffers) - 1
    model.metadata = [schema.MetadataT(b"min_runtime_version", last - 1), schema.MetadataT(b"again", last)]
    return repack.pack(model)


def test_unused_parts_go(engine: Engine) -> None:
    """Catches unused parts that stay, references to the wrong ones of those left, and metadata that is lost."""
    data = check(engine, with_litter(), {0: (6, 5)})
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    assert len(graph.tensors) == 7
    assert len(model.operatorCodes) == 1
    assert len(model.buffers) == 6  # none; two weights, two biases; one for both metadata
    kept = [(entry.name, model.buffers[entry.buffer].data.tobytes()) for entry in model.metadata]
    assert kept == [(b"min_runtime_version", b"1.5.0"), (b"again", b"1.5.0")]
    middle = graph.tensors[graph.operators[0].outputs[0]]
    assert (list(middle.shape), list(middle.shapeSignature)) == ([1, 4, 4, 5], [-1, 4, 4, 5])


def test_nothing_is_written_if_an_output_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a comparison that compares nothing: here the constants are not folded."""
    net = Network()
    a = net.conv(net.input(1, 4, 4, 3), 6)
    net.kill(a, [1], bias=7000)
    net.conv(a, 4)
    monkeypatch.setattr(repack, "sums", lambda layer: 0 * layer.weights.sum(axis=1))
    with pytest.raises(UserError, match="outputs would differ"):
        shrink(read(net.model()), 1000, QUIET)


def test_command(tmp_path: Path) -> None:
    """Catches a command that writes another file than shrink() makes, or says something else of it."""
    model, output = tmp_path / "model.tflite", tmp_path / "out.tflite"
    model.write_bytes(with_litter())
    done = arenite("shrink", model, "-o", output)
    assert done.returncode == 0, done.stderr
    before, after = len(with_litter()), output.stat().st_size
    assert output.read_bytes() == shrink(read(with_litter()), 1000, QUIET).model.data
    assert f"{before:,} bytes before, {after:,} now" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "CONV_2D" in line)
    assert row.split("│")[2:5] == [" CONV_2D  ", " 6        ", " 5   "]


def test_float_model_stays_as_it_is(tmp_path: Path) -> None:
    """Catches a model of floats that is changed, although none of its channels is known to be constant."""
    w = Tensor.constant(np.zeros([4, 3]), "float32")
    model, output = tmp_path / "model.tflite", tmp_path / "out.tflite"
    data = single("FULLY_CONNECTED", [Tensor([1, 3]), w, None], Tensor([1, 4]), options("FullyConnected"))
    tidy = shrink(read(data), 1000, QUIET).model.data  # without the buffers that builder makes
    model.write_bytes(tidy)
    done = arenite("shrink", model, "-o", output)
    assert done.returncode == 0, done.stderr
    assert output.read_bytes() == tidy
    assert "(+0.0%)" in done.stdout


def test_refuses(tmp_path: Path) -> None:
    """Catches a file that is written although the model cannot be read, or run, or has nowhere to go."""
    output = tmp_path / "out.tflite"
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"not a model at all")
    assert_refuses("not a TensorFlow Lite model", "shrink", broken, "-o", output)
    assert_refuses("No such file", "shrink", tmp_path / "none.tflite", "-o", output)
    broken.write_bytes(single("LSH_PROJECTION", [Tensor([1])], Tensor([1])))
    done = arenite("shrink", broken, "-o", output)
    assert done.returncode == 2
    assert "tflite-micro does not take this model" in done.stderr
    assert "Traceback" not in done.stderr
    broken.write_bytes(with_litter())
    assert_refuses("No such file", "shrink", broken, "-o", tmp_path / "nowhere" / "out.tflite")
    for arguments in ([], ["-o", output, "--inputs", 10]):
        done = arenite("shrink", broken, *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == [broken]


def columns_are_among(few: np.ndarray, many: np.ndarray) -> bool:
    """Whether the columns of one are columns of the other, in their order."""
    left = iter(many.T)
    return all(any(np.array_equal(column, other) for other in left) for column in few.T)


def test_reference_model(tmp_path: Path) -> None:
    """Catches a model of the suite, MLPerf Tiny's of persons, that loses less than half, or changes inside."""
    path, output = tmp_path / "vww.tflite", tmp_path / "out.tflite"
    path.write_bytes(reference_model("vww_96_int8"))
    done = arenite("shrink", path, "-o", output)
    assert done.returncode == 0, done.stderr
    assert "equal outputs for 1,000 inputs" in done.stdout
    before, after = read(path.read_bytes()), read(output.read_bytes())
    assert 2 * len(after.data) < len(before.data)
    assert 2 * after.macs < before.macs * 1.05  # 7.49 million to 3.87
    big, small = Oracle(before, keep=True), Oracle(after, keep=True)
    for row in random_inputs(before, 2):
        big.invoke(row)
        small.invoke(row)
        for old, new in zip(before.operators, after.operators, strict=True):
            many, few = (
                np.frombuffer(oracle.outputs_of(op)[0], np.int8).reshape(-1, op.outputs[0].shape[-1])
                for oracle, op in ((big, old), (small, new))
            )
            assert columns_are_among(few, many), new.name
