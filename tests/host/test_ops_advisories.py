"""What crashed other interpreters: the cases of TensorFlow Lite's security advisories, one by one.

Each is refused at load, or runs and fails with a word, or runs. test_sanitizers.py runs this file again on an engine
with sanitizers, which see what is read or written outside.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.engine import _HOOK, STOPPED, Engine, EngineError, HostModel, _Error
from arenite.repack import pack, unpack
from builder import SAME, VALID, Graph, Op, Tensor, build, options, single
from reference import refusal

LOW, HIGH = -(1 << 31), (1 << 31) - 1
OUTSIDE = [2, 3, -3, -4, 127, HIGH, LOW]


def q(*shape: int, dtype: str = "int8") -> Tensor:
    """An activation of int8."""
    return Tensor(shape, dtype, 0.5)


def weights(*shape: int) -> Tensor:
    """Constant int8 weights."""
    return Tensor(shape, "int8", 0.1, data=np.ones(shape, np.int8))


def window(name: str, height: int, width: int, dilation: int = 1) -> bytes:
    """A convolution or pooling of a 4x4 image of two channels with these strides."""
    strides = {"strideH": height, "strideW": width}
    dilations = {"dilationHFactor": dilation, "dilationWFactor": dilation}
    x, y = q(1, 4, 4, 2), q(1, 4, 4, 2)
    if name == "CONV_2D":
        return single(name, [x, weights(2, 1, 1, 2)], y, options("Conv2D", padding=SAME, **strides, **dilations))
    if name == "DEPTHWISE_CONV_2D":
        fields = options("DepthwiseConv2D", padding=SAME, depthMultiplier=1, **strides, **dilations)
        return single(name, [x, weights(1, 1, 1, 2)], y, fields)
    if name == "TRANSPOSE_CONV":
        shape = Tensor.constant([1, 4, 4, 2])
        return single(name, [shape, weights(2, 1, 1, 2), x], y, options("TransposeConv", padding=SAME, **strides))
    size = {"filterHeight": 1, "filterWidth": 1}
    if name == "L2_POOL_2D":
        x, y = Tensor([1, 4, 4, 2]), Tensor([1, 4, 4, 2])
    return single(name, [x], y, options("Pool2D", padding=SAME, **size, **strides))


POOLS = ["AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"]
SLIDING = ["CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", *POOLS]


@pytest.mark.parametrize("strides", [(0, 1), (1, 0), (0, 0), (-1, 1), (1, LOW)])
@pytest.mark.parametrize("name", SLIDING)
def test_strides(engine: Engine, name: str, strides: tuple[int, int]) -> None:
    """Catches a division by a stride of 0 (CVE-2021-29585, CVE-2021-29586)."""
    HostModel(engine, window(name, 1, 1)).invoke()
    assert "stride" in refusal(engine, window(name, *strides))


@pytest.mark.parametrize("dilation", [0, -1, LOW])
@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_dilations(engine: Engine, name: str, dilation: int) -> None:
    """Catches a kernel of no or of negative extent."""
    assert "dilation" in refusal(engine, window(name, 1, 1, dilation))


@pytest.mark.parametrize("block", [0, -1, -2, LOW, HIGH])
def test_block_sizes(engine: Engine, block: int) -> None:
    """Catches a division by a block size of 0 (SPACE_TO_DEPTH: CVE-2021-29587, BATCH_TO_SPACE: CVE-2021-29593)."""
    big, small = [1, 2, 2, 1], [1, 1, 1, 4]
    for name, kind, x, y in (
        ("SPACE_TO_DEPTH", "SpaceToDepth", big, small),
        ("DEPTH_TO_SPACE", "DepthToSpace", small, big),
    ):
        assert f"op 0 {name}: " in refusal(engine, single(name, [q(*x)], q(*y), options(kind, blockSize=block)))
    none = Tensor.constant([[0, 0], [0, 0]])
    for name, kind, x, y in (
        ("SPACE_TO_BATCH_ND", "SpaceToBatchND", [1, 2, 2, 1], [4, 1, 1, 1]),
        ("BATCH_TO_SPACE_ND", "BatchToSpaceND", [4, 1, 1, 1], [1, 2, 2, 1]),
    ):
        for blocks in ([block, 2], [2, block]):
            model = single(name, [q(*x), Tensor.constant(blocks), none], q(*y), options(kind))
            assert f"op 0 {name}: " in refusal(engine, model)


@pytest.mark.parametrize(("channels", "outputs", "multiplier"), [(0, 2, 1), (0, 0, 1), (2, 0, 1), (0, 0, 0)])
def test_depthwise_without_channels(engine: Engine, channels: int, outputs: int, multiplier: int) -> None:
    """Catches a division by the number of input channels (CVE-2021-29602)."""
    fields = options("DepthwiseConv2D", padding=VALID, strideH=1, strideW=1, depthMultiplier=multiplier)
    ins = [q(1, 2, 2, channels), weights(1, 1, 1, outputs)]
    assert "op 0 DEPTHWISE_CONV_2D: " in refusal(engine, single("DEPTHWISE_CONV_2D", ins, q(1, 2, 2, outputs), fields))


def axis_model(name: str, axis: int) -> bytes:
    """An operator along an axis of a tensor of 2 by 2."""
    x, at = Tensor([2, 2]), Tensor.constant([axis])
    further = {2: 3, -3: -4}.get(axis, axis)  # where the output has one dimension more
    made: dict[str, tuple[list[Any], list[Tensor], Any]] = {
        "CONCATENATION": ([x, Tensor([2, 2])], [Tensor([4, 2])], options("Concatenation", axis=axis)),
        "SPLIT": ([Tensor.constant(axis), x], [Tensor([1, 2]), Tensor([1, 2])], options("Split", numSplits=2)),
        "SPLIT_V": (
            [x, Tensor.constant([1, 1]), Tensor.constant(axis)], [Tensor([1, 2]), Tensor([1, 2])],
            options("SplitV", numSplits=2),
        ),
        "ARG_MAX": ([x, at], [Tensor([2], "int32")], options("ArgMax", outputType=2)),
        "ARG_MIN": ([x, at], [Tensor([2], "int32")], options("ArgMin", outputType=2)),
        "EXPAND_DIMS": ([x, Tensor.constant([further])], [Tensor([1, 2, 2])], None),
        "GATHER": ([x, Tensor.constant([0, 1])], [Tensor([2, 2])], options("Gather", axis=axis)),
        "PACK": ([x, Tensor([2, 2])], [Tensor([2, 2, 2])], options("Pack", axis=further, valuesCount=2)),
        "UNPACK": ([x], [Tensor([2]), Tensor([2])], options("Unpack", axis=axis, num=2)),
        "CUMSUM": ([x, Tensor.constant(axis)], [Tensor([2, 2])], options("Cumsum")),
        "REVERSE_V2": ([x, at], [Tensor([2, 2])], options("ReverseV2")),
        "MEAN": ([x, at], [Tensor([2])], options("Reducer")),
        "SUM": ([x, at], [Tensor([2])], options("Reducer")),
        "REDUCE_MAX": ([x, at], [Tensor([2])], options("Reducer")),
    }  # fmt: skip
    ins, outs, fields = made[name]
    return single(name, ins, outs, fields)


ALONG = ["CONCATENATION", "SPLIT", "SPLIT_V", "ARG_MAX", "ARG_MIN", "EXPAND_DIMS", "GATHER", "PACK", "UNPACK", "CUMSUM"]
ALONG += ["REVERSE_V2", "MEAN", "SUM", "REDUCE_MAX"]


@pytest.mark.parametrize("axis", OUTSIDE)
@pytest.mark.parametrize("name", ALONG)
def test_axes(engine: Engine, name: str, axis: int) -> None:
    """Catches an axis outside the shape (CONCATENATION: CVE-2021-29601, SPLIT_V: CVE-2021-29606, ARG_MAX:
    CVE-2021-29603, EXPAND_DIMS, GATHER)."""
    assert f"op 0 {name}: " in refusal(engine, axis_model(name, axis))
    HostModel(engine, axis_model(name, 0)).invoke()


@pytest.mark.parametrize("wrong", [-1, 3, HIGH, LOW])
def test_indices_that_are_computed(engine: Engine, wrong: int) -> None:
    """Catches an index from data, known only as the model runs, that reads or writes elsewhere (CVE-2021-37687)."""
    x = np.ones([3, 2], np.float32)
    for name, kind, at, y in (
        ("GATHER", "Gather", [2], [2, 2]),
        ("GATHER_ND", "GatherNd", [2, 1], [2, 2]),
        ("EMBEDDING_LOOKUP", "EmbeddingLookup", [2], [2, 2]),
    ):
        index, data = Tensor(at, "int32"), Tensor([3, 2])
        ins = [index, data] if name == "EMBEDDING_LOOKUP" else [data, index]
        fields = options(kind) if hasattr(schema, f"{kind}OptionsT") else None
        host = HostModel(engine, single(name, ins, Tensor(y), fields))
        for bad in (True, False):
            values = np.int32([0, wrong if bad else 2]).reshape(at)
            given = [values, x] if name == "EMBEDDING_LOOKUP" else [x, values]
            if bad:
                with pytest.raises(EngineError, match=f"op 0 {name}: "):
                    host.invoke(given)
            else:
                host.invoke(given)


@pytest.mark.parametrize("name", ["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ALL", "ARG_MAX", "SOFTMAX"])
@pytest.mark.parametrize("shape", [[0], [0, 3], [3, 0]])
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_reductions_of_nothing(engine: Engine, name: str, shape: list[int], dtype: str) -> None:
    """Catches a division by a count of 0 and a first element that is not there."""
    dtype = "bool" if name == "REDUCE_ALL" else dtype
    scale = 0.5 if dtype == "int8" else None
    x, less = Tensor(shape, dtype, scale), shape[1:]
    if name == "SOFTMAX":
        out = Tensor(shape, dtype, 1 / 256 if scale else None, -128 if scale else 0)
        model = single(name, [x], out, options("Softmax", beta=1.0))
    elif name == "ARG_MAX":
        model = single(name, [x, Tensor.constant([0])], Tensor(less, "int32"), options("ArgMax", outputType=2))
    else:
        model = single(name, [x, Tensor.constant([0])], Tensor(less, dtype, scale), options("Reducer"))
    refused = ""
    try:
        HostModel(engine, model).invoke()
    except EngineError as error:
        refused = str(error)
    assert refused == "" or f"op 0 {name}: " in refused


@pytest.mark.parametrize(("name", "dtype"), [("DIV", "int32"), ("FLOOR_DIV", "int32"), ("FLOOR_MOD", "int32")])
def test_divisors_of_zeros(engine: Engine, name: str, dtype: str) -> None:
    """Catches the processor's trap on a division by 0, from data and from a constant."""
    kind = {"DIV": "Div", "FLOOR_DIV": "FloorDiv", "FLOOR_MOD": "FloorMod"}[name]
    given = HostModel(engine, single(name, [Tensor([4], dtype), Tensor([4], dtype)], Tensor([4], dtype), options(kind)))
    zeros = Tensor.constant(np.zeros(4), dtype)
    with pytest.raises(EngineError, match=f"op 0 {name}: "):
        given.invoke([np.ones(4, dtype), np.zeros(4, dtype)])
    with pytest.raises(EngineError, match=f"op 0 {name}: "):
        HostModel(engine, single(name, [Tensor([4], dtype), zeros], Tensor([4], dtype), options(kind))).invoke()


def calling(op: str, *inner: str) -> bytes:
    """A model whose operator calls subgraph 1, each subgraph the next, and the last the first."""

    def call(name: str, target: int) -> tuple[list[Op], list[Tensor], list[Tensor]]:
        flag, x, y = Tensor([1], "bool"), Tensor([1], "bool"), Tensor([1], "bool")
        if name == "CALL_ONCE":
            return [Op(name, [], [], options("CallOnce", initSubgraphIndex=target))], [], []
        if name == "WHILE":
            fields = options("While", condSubgraphIndex=target, bodySubgraphIndex=target)
            return [Op(name, [x], [y], fields)], [x], [y]
        fields = options("If", thenSubgraphIndex=target, elseSubgraphIndex=target)
        return [Op(name, [flag, x], [y], fields)], [flag, x], [y]

    names = [op, *inner]
    graphs = []
    for k, name in enumerate(names):
        ops, ins, outs = call(name, (k + 1) if k + 1 < len(names) else 1)
        graphs.append(Graph(ops, outs, ins))
    return build(graphs[0].ops, graphs[0].outputs, graphs[0].inputs, graphs[1:])


@pytest.mark.parametrize(
    "names", [("WHILE", "WHILE"), ("CALL_ONCE", "CALL_ONCE"), ("WHILE", "WHILE", "WHILE"), ("CALL_ONCE",) * 3]
)
def test_subgraphs_that_call_themselves(engine: Engine, names: tuple[str, ...]) -> None:
    """Catches a load or a run that recurses until the stack is used up (CVE-2021-29591), directly or round a ring."""
    assert "calls itself" in refusal(engine, calling(*names))


def test_a_main_graph_that_is_called(engine: Engine) -> None:
    """Catches recursion through subgraph 0."""
    data = unpack(calling("CALL_ONCE", "CALL_ONCE"))
    data.subgraphs[0].operators[0].builtinOptions.initSubgraphIndex = 0
    assert "no subgraph 0" in refusal(engine, pack(data))


@pytest.mark.parametrize(
    "shape",
    [
        [65536, 65536], [65536] * 4, [HIGH, HIGH], [HIGH], [1 << 30, 4, 0], [0, HIGH, HIGH], [HIGH] * 8, [46341, 46341],
         [3, 1431655766], [1 << 16, 1 << 16, 0], [-1, 4], [LOW, 2],
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "int8", "int64", "bool"])
def test_shapes_that_overflow(engine: Engine, shape: list[int], dtype: str) -> None:
    """Catches a product of dimensions that wraps around to a small size (CVE-2022-23558)."""
    text = refusal(engine, single("RESHAPE", [Tensor(shape, dtype)], Tensor([1], dtype), options("Reshape")))
    assert "is larger than 1 GB" in text or "negative dimension" in text


@pytest.mark.parametrize("inputs", [1, 3, 5, 7])
@pytest.mark.parametrize("outputs", [1, 3])
def test_int4_of_odd_lengths(engine: Engine, inputs: int, outputs: int) -> None:
    """Catches the half byte at the end that is read as a whole, and a buffer that is half a byte short."""
    w = Tensor([outputs, inputs], "int4", 0.1, data=np.ones([outputs, inputs], np.int8))
    data = single("FULLY_CONNECTED", [q(1, inputs), w], q(1, outputs), options("FullyConnected"))
    HostModel(engine, data).invoke([np.ones([1, inputs], np.int8)])
    model = unpack(data)
    buffer = next(b for b in model.buffers if b.data is not None)
    buffer.data = buffer.data[:-1]
    if len(buffer.data):
        assert "data and shape disagree" in refusal(engine, pack(model))


def test_sparse_tensors(engine: Engine) -> None:
    """Catches sparse weights read as if all of them were there."""
    model = unpack(single("FULLY_CONNECTED", [q(1, 3), weights(2, 3)], q(1, 2), options("FullyConnected")))
    sparse = schema.SparsityParametersT()
    sparse.traversalOrder = np.int32([0, 1])
    model.subgraphs[0].tensors[1].sparsity = sparse
    assert "sparse data is not supported" in refusal(engine, pack(model))


@pytest.mark.parametrize("empty", [True, False])
def test_a_loop_without_end_can_be_stopped(engine: Engine, empty: bool) -> None:
    """Catches a WHILE that never asks the hook, which is where Ctrl-C comes in; also one whose subgraphs do nothing."""
    x, y, c, b, out = (Tensor([1], "bool") for _ in range(5))
    body = Graph([], [b], [b]) if empty else Graph([Op("LOGICAL_OR", [b, b], [out])], [out], [b])
    fields = options("While", condSubgraphIndex=1, bodySubgraphIndex=2)
    data = build([Op("WHILE", [x], [y], fields)], [y], [x], [Graph([], [c], [c]), body])
    host = HostModel(engine, data)
    host.input(0)[...] = True
    calls = 0

    def hook(_: int, k: int) -> bool:
        nonlocal calls
        calls += 1
        return calls < 1000

    err = _Error()
    status = engine.lib.ar_invoke(ctypes.byref(host.model), _HOOK(hook), None, ctypes.byref(err))
    assert (status, calls) == (STOPPED, 1000)
    host.input(0)[...] = False
    host.invoke()


def test_an_empty_tensor_that_becomes_a_view_of_itself(engine: Engine) -> None:
    """Catches a load that never ends: RESHAPE from an empty tensor, which nothing has written, to the same one."""
    t, u = Tensor([0]), Tensor([0])
    for ops in ([Op("RESHAPE", [t], [t])], [Op("RESHAPE", [t], [u]), Op("RESHAPE", [u], [t])]):
        assert "written before" in refusal(engine, build(ops, [t], []))


def test_reset_of_a_model_that_was_written_to(engine: Engine) -> None:
    """Catches a variable's size taken from a file that says another one since the load: reset wrote past the arena."""
    x, state, y = Tensor([4], "int8", 0.5), Tensor([4], "int8", 0.5, variable=True), Tensor([4], "int8", 0.5)
    data = single("ADD", [x, state], y, options("Add"))
    host = HostModel(engine, data)
    at = [i for i in range(0, len(data) - 4, 4) if data[i : i + 8] == b"\1\0\0\0\4\0\0\0"]
    assert at, "the shapes [4] of the file"
    for i in at:
        host.source[i + 4 : i + 8] = np.frombuffer(np.int32(1 << 20).tobytes(), np.uint8)
    before = bytes(host.arena.tobytes()[host.model.arena_used :])
    host.reset()
    assert bytes(host.arena.tobytes()[host.model.arena_used :]) == before


def test_a_handle_that_is_an_output(engine: Engine) -> None:
    """Catches the shape of a variable's handle taken for the variable's size: reading the output left the arena."""
    handle = Tensor([9, 2], "resource")
    fields = options("VarHandle", container=b"", sharedName=b"v")
    assert "output 0 is a resource" in refusal(engine, build([Op("VAR_HANDLE", [], [handle], fields)], [handle], []))
