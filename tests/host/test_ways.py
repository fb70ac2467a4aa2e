"""What firmware for some models leaves out: which ways a model takes, and that the engine refuses it without them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from arenite.engine import UNSUPPORTED, Engine, EngineError, HostModel
from arenite.model import model_of
from arenite.ways import TAKES, all_ways, left_out
from builder import SAME, VALID, Array, Graph, Op, Tensor, build, options, single
from conftest import REFERENCE

# Without these a model runs all the same, in more time or memory.
SPARED = {"PAIRS", "COLUMNS", "FEW", "WIDE", "DENSE_ROWS", "DEAD", "ROWS", "PLAN", "NAMES"}
REFUSED = re.compile(r"is not compiled in: build for this model$")


def kind_of(dtype: str) -> str:
    """The type of weights that goes with activations of a type, most often."""
    return "float32" if dtype == "float32" else "int8"


def weights(shape: list[int], kind: str, channels: int, axis: int = 0, data: Array | None = None) -> Tensor:
    """Constant weights, none of them 0 unless said otherwise."""
    made = np.arange(np.prod(shape)).reshape(shape) % 7 + 1 if data is None else data
    scales = None if kind == "float32" else [0.01 * (1 + i % 3) for i in range(channels)]
    return Tensor(shape, kind, scales, data=made.astype(kind_of(kind)), axis=axis)


def activation(shape: list[int], dtype: str = "int8", scale: float = 0.5) -> Tensor:
    """An input or output."""
    return Tensor(shape, dtype, None if dtype == "float32" else scale)


def conv(
    kernel: int = 3,
    *,
    channels: int = 8,
    dtype: str = "int8",
    kind: str = "",
    dilation: int = 1,
    depth: int = 0,
    data: Array | None = None,
) -> bytes:
    """CONV_2D on an image of so many channels."""
    x, y = activation([1, 6, 6, channels], dtype), activation([1, 6, 6, 8], dtype)
    w = weights([8, kernel, kernel, depth or channels], kind or kind_of(dtype), 8, data=data)
    fields = options("Conv2D", padding=SAME, strideH=1, strideW=1, dilationHFactor=dilation, dilationWFactor=dilation)
    return single("CONV_2D", [x, w], y, fields)


def depthwise(kernel: list[int], channels: int = 8, multiplier: int = 1, dtype: str = "int8", stride: int = 1) -> bytes:
    """DEPTHWISE_CONV_2D on an image of so many channels."""
    out = channels * multiplier
    x, y = activation([1, 12, 12, channels], dtype), activation([1, 12, -(-12 // stride), out], dtype)
    fields = options("DepthwiseConv2D", padding=SAME, strideH=1, strideW=stride, depthMultiplier=multiplier)
    return single("DEPTHWISE_CONV_2D", [x, weights([1, *kernel, out], kind_of(dtype), out, 3)], y, fields)


def dense(shape: list[int], dtype: str = "int8", kind: str = "", channels: int = 1, outputs: int = 4) -> bytes:
    """FULLY_CONNECTED."""
    w = weights([outputs, int(np.prod(shape[1:]))], kind or kind_of(dtype), channels)
    return single(
        "FULLY_CONNECTED", [activation(shape, dtype), w], activation([1, outputs], dtype), options("FullyConnected")
    )


def pool(op: str, dtype: str) -> bytes:
    """A pool of 2x2."""
    fields = options("Pool2D", padding=VALID, strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    return single(op, [activation([1, 4, 4, 5], dtype)], activation([1, 2, 2, 5], dtype), fields)


def softmax(dtype: str, out: str) -> bytes:
    """SOFTMAX of 10 numbers."""
    y = {
        "int8": (1 / 256, -128),
        "int16": (1 / 65536, -32768) if dtype == "int8" else (1 / 32768, 0),
        "float32": (None, 0),
    }[out]
    return single("SOFTMAX", [activation([1, 10], dtype, 0.1)], Tensor([1, 10], out, *y), options("Softmax", beta=1.0))


def dead() -> bytes:
    """CONV_2D with a channel without weights."""
    data = np.ones([8, 3, 3, 8], np.int8)
    data[3] = 0
    return conv(data=data)


def variable() -> bytes:
    """A variable tensor that is added to."""
    x, kept, y = (Tensor([1, 4], "int8", 0.5, variable=name == "kept") for name in ("x", "kept", "y"))
    return build([Op("ADD", [x, kept], [y], options("Add"))])


def two_graphs() -> bytes:
    """A subgraph that nothing calls."""
    a, b, c, d = (activation([1, 4]) for _ in range(4))
    other = Graph([Op("RESHAPE", [c], [d], options("Reshape"))], inputs=[c])
    return build([Op("RESHAPE", [a], [b], options("Reshape"))], others=[other])


MODELS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "conv": (lambda: conv(1), {"FEW"}),
    "conv, 3x3": (conv, {"COLUMNS", "FEW"}),
    "conv, 3x3, few channels": (lambda: conv(channels=3), {"FEW"}),
    "conv, float32": (lambda: conv(dtype="float32"), {"FLOAT32"}),
    "conv, hybrid": (lambda: conv(dtype="float32", kind="int8"), {"FLOAT32", "HYBRID"}),
    "conv, int16": (lambda: conv(dtype="int16"), {"INT16"}),
    "conv, groups": (lambda: conv(depth=2), {"GROUPS", "FEW"}),
    "conv, dilation": (lambda: conv(dilation=2), {"DILATION", "COLUMNS", "FEW"}),
    "conv, dead": (dead, {"DEAD", "COLUMNS", "FEW"}),
    "depthwise, 3x3": (lambda: depthwise([3, 3]), set()),
    "depthwise, 3x3, strides": (lambda: depthwise([3, 3], stride=2), set()),
    "depthwise, 5x5": (lambda: depthwise([5, 5]), {"DEPTHWISE_ANY"}),
    "depthwise, multiplier": (lambda: depthwise([3, 3], multiplier=2), {"DEPTHWISE_ANY"}),
    "depthwise, few channels": (lambda: depthwise([3, 3], channels=2), {"DEPTHWISE_ANY"}),
    "depthwise, int16": (lambda: depthwise([3, 3], dtype="int16"), {"DEPTHWISE_ANY", "INT16"}),
    "depthwise, one channel": (lambda: depthwise([4, 4], channels=1, multiplier=8), {"DEPTHWISE_ONE", "FEW"}),
    "depthwise, pairs": (lambda: depthwise([8, 8], channels=1, multiplier=8), {"DEPTHWISE_ONE", "PAIRS", "FEW"}),
    "dense": (lambda: dense([1, 32]), set()),
    "dense, many outputs": (lambda: dense([1, 32], outputs=16), {"WIDE"}),
    "dense, image": (lambda: dense([1, 4, 4, 8]), {"DENSE_ROWS"}),
    "dense, channels": (lambda: dense([1, 32], channels=4), {"DENSE_CHANNELS"}),
    "dense, float32": (lambda: dense([1, 32], "float32"), {"FLOAT32"}),
    "dense, hybrid": (lambda: dense([1, 32], "float32", "int8"), {"FLOAT32", "HYBRID"}),
    "dense, int4": (lambda: dense([1, 32], kind="int4"), {"INT4"}),
    "average, int8": (lambda: pool("AVERAGE_POOL_2D", "int8"), set()),
    "average, int16": (lambda: pool("AVERAGE_POOL_2D", "int16"), {"INT16"}),
    "max, float32": (lambda: pool("MAX_POOL_2D", "float32"), {"FLOAT32"}),
    "softmax, int8": (lambda: softmax("int8", "int8"), set()),
    "softmax, to int16": (lambda: softmax("int8", "int16"), {"INT16"}),
    "softmax, float32": (lambda: softmax("float32", "float32"), {"FLOAT32"}),
    "variable": (variable, {"STATE"}),
    "two graphs": (two_graphs, {"SUBGRAPHS"}),
}


@pytest.fixture(scope="module")
def whole() -> Engine:
    """The engine with all ways."""
    return Engine()


@pytest.fixture(scope="module", params=["all", "even", "odd"])
def without(request: pytest.FixtureRequest) -> tuple[Engine, set[str]]:
    """An engine that lacks all ways, or one half of them, and which those are."""
    ways = all_ways()[{"all": slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}[request.param]]
    return Engine(without=ways), set(ways)


def outputs(engine: Engine, model: bytes) -> list[Array]:
    """Of an input of mixed numbers."""
    loaded = HostModel(engine, model)
    inputs = []
    for tensor in model_of(Path("model"), model).inputs:
        data = np.random.default_rng(1).integers(-100, 100, tensor.shape)
        inputs.append(data.astype(tensor.dtype))
    return loaded.invoke(inputs)


def test_ways_are_those_of_the_header() -> None:
    """Catches a way that only one side knows of, which `arenite build --for` would leave out for ever or never."""
    assert set(TAKES) == set(all_ways())
    assert len(set(all_ways())) == len(all_ways()) > 10


@pytest.mark.parametrize("name", MODELS)
def test_ways_of_a_model(name: str) -> None:
    """Catches a way that is left out although a model takes it, or kept although none does."""
    make, taken = MODELS[name]
    model = model_of(Path("model"), make())
    assert set(all_ways()) - set(left_out([model])) == taken | {"ROWS"}
    assert set(all_ways()) - set(left_out([model], whole=True)) == taken - {"DENSE_ROWS", "FEW"}


def test_ways_of_several_models() -> None:
    """Catches firmware that is built for the last of its models alone, or the first."""
    models = [model_of(Path(name), MODELS[name][0]()) for name in ("conv, groups", "conv", "dense, int4")]
    assert set(all_ways()) - set(left_out(models)) == {"GROUPS", "INT4", "FEW", "ROWS"}


@pytest.mark.parametrize("name", MODELS)
def test_what_is_left_out_is_refused(whole: Engine, without: tuple[Engine, set[str]], name: str) -> None:
    """Catches a way that is taken though it is not there, a refusal without its cure, one of what is there, and other
    bits than those of the whole engine."""
    engine, lacking = without
    make, taken = MODELS[name]
    if (taken & lacking) - SPARED:
        with pytest.raises(EngineError) as refused:
            HostModel(engine, make())
        assert refused.value.status == UNSUPPORTED
        assert REFUSED.search(str(refused.value)), refused.value
        return
    for expected, got in zip(outputs(whole, make()), outputs(engine, make()), strict=True):
        assert np.array_equal(expected, got)


def test_operators_have_their_names(whole: Engine, without: tuple[Engine, set[str]]) -> None:
    """Catches names that are another operator's where the list of all is left out, and a refusal without the number."""
    engine, lacking = without
    assert engine.ops() == whole.ops()
    model = single("LSH_PROJECTION", [Tensor([1])], Tensor([1]))
    with pytest.raises(
        EngineError, match="operator 15 is not.*: build" if "NAMES" in lacking else "operator LSH_PROJECTION is"
    ):
        HostModel(engine, model)


def test_stream_needs_rows(without: tuple[Engine, set[str]]) -> None:
    """Catches a model that is fed by rows where there is nothing that runs them."""
    engine, lacking = without
    says = "stream is not compiled in: build without --whole" if "ROWS" in lacking else "takes no rows"
    with pytest.raises(EngineError, match=says):
        engine.arena_needed(MODELS["dense"][0](), stream=True)


@pytest.mark.skipif(not REFERENCE.exists(), reason="no reference models")
@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant", "ad01_int8"])
def test_reference_model(whole: Engine, name: str) -> None:
    """Catches ways that a whole network of int8 misses, or other bits, in firmware that has nothing else."""
    data = (REFERENCE / f"{name}.tflite").read_bytes()
    lean = Engine(without=left_out([model_of(Path(name), data)], whole=True))
    for expected, got in zip(outputs(whole, data), outputs(lean, data), strict=True):
        assert np.array_equal(expected, got)
