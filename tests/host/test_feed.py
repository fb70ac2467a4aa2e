"""Models that are fed by rows: random networks in random pieces, in every size of arena, and what can not be fed.

As in test_rows.py, every row of every tensor equals tflite-micro's, though the arena is filled with rubbish before.
"""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

import draw
from arenite.engine import _HOOK, STOPPED, Engine, EngineError, HostModel
from builder import SAME, VALID, Array, Op, Tensor, build, options
from conftest import reference_model
from test_rows import ALIGN, GRAPHS, MODELS, Network, network, tensors

LOAD = "takes no rows of the input as they come: load without stream"


def pieces(rng: draw.Rng, rows: int) -> list[int]:
    """How many rows come at a time: one, or several."""
    made: list[int] = []
    while (left := rows - sum(made)) > 0:
        made.append(1 if rng.random() < 0.5 else int(rng.integers(1, left + 1)))
    return made


def feed(model: HostModel, x: Array, sizes: list[int], each: list[list[Array]] | None = None) -> list[Array]:
    """Feed x in pieces of so many rows; nothing comes out before the last."""
    _, row = model.wants()
    raw, at = x.view(np.uint8).reshape(-1, row), 0
    for n in sizes[:-1]:
        assert model.feed(raw[at : at + n], each) is None
        at += n
    got = model.feed(raw[at:], each)
    assert got is not None
    return got


def check(model: HostModel, x: Array, expected: list[Array], seed: int) -> None:
    """Feed twice in an arena full of rubbish, and compare every row that is made, and the outputs."""
    rng = np.random.default_rng([7, seed])
    for value in (0xA5, 0x3C):
        model.poison(value)
        each: list[list[Array]] = []
        rows, _ = model.wants()
        got = feed(model, x, pieces(rng, rows), each)
        np.testing.assert_array_equal(got[0], expected[-1])
        for k, (outputs, reference) in enumerate(zip(each, expected, strict=True)):
            made = model.rows_made(k)
            if not outputs:
                assert model.op_name(k) in ("RESHAPE", "PAD")  # of what is fed, or left to the operator behind
                continue
            have, want = outputs[0].reshape(reference.shape), reference
            if made is not None:
                have, want = have[0][:made], want[0][:made]
            np.testing.assert_array_equal(have, want, f"op {k} {model.op_name(k)}")


def sizes(engine: Engine, data: bytes) -> list[int]:
    """Arenas from the smallest to one in which nothing but the input is in want of room."""
    least = engine.arena_needed(data, stream=True)
    most = HostModel(engine, data, 1 << 21, stream=True).model.arena_used
    return sorted({least, *(least + max(0, most - least) * i // 2 // ALIGN * ALIGN for i in (1, 2))})


@pytest.mark.parametrize("first", range(0, GRAPHS, 10))
def test_networks(engine: Engine, first: int) -> None:
    """Catches a ring of the input that is too short, a row taken twice or never, a run that goes on from the wrong
    place, a size that is not the smallest."""
    for seed in range(first, first + 10):
        data, x = network(seed)
        expected = tensors(data, x)
        for arena in sizes(engine, data):
            check(HostModel(engine, data, arena, stream=True), x, expected, seed)
        with pytest.raises(EngineError):
            HostModel(engine, data, engine.arena_needed(data, stream=True) - ALIGN, stream=True)


@pytest.mark.parametrize("name", MODELS)
def test_models(engine: Engine, name: str) -> None:
    """Catches the same in networks of a real size, one of which sees its input through a RESHAPE."""
    data = reference_model(name)
    x = HostModel(engine, data).input(0)
    values = np.random.default_rng(5).integers(-128, 128, x.shape).astype(np.int8)
    expected = tensors(data, values)
    for arena in sizes(engine, data):
        check(HostModel(engine, data, arena, stream=True), values, expected, 6)
    with pytest.raises(EngineError):
        HostModel(engine, data, engine.arena_needed(data, stream=True) - ALIGN, stream=True)


@pytest.mark.parametrize("name", MODELS)
def test_the_input_is_never_whole(engine: Engine, name: str) -> None:
    """Catches an arena with room for all that holds the input whole all the same, and one that is fed and larger."""
    data = reference_model(name)
    fed = schema.Model.GetRootAs(data, 0).Subgraphs(0).Inputs(0)
    for arena in (engine.arena_needed(data, stream=True), 1 << 20):
        places = engine.lives(data, arena, stream=True).places
        ring = places[next(p for p in places if p.index == fed).root]
        assert 1 <= ring.held < ring.rows
    saved = {"micro_speech_quantized": 1400, "vww_96_int8": 12000}.get(name, 200)
    assert engine.arena_needed(data, stream=True) <= engine.arena_needed(data) - saved


def conv(x: Tensor, y: Tensor, kernel: int, stride: int = 1, padding: int = SAME) -> Op:
    """A convolution with weights of 1."""
    channels = y.shape[3]
    w = Tensor.constant(np.ones([channels, kernel, kernel, x.shape[3]]), "int8", scale=0.5)
    b = Tensor.constant(np.zeros(channels), "int32", scale=0.5 * float(np.float32(x.scale)))  # type: ignore[arg-type]
    fields = {"padding": padding, "strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}
    return Op("CONV_2D", [x, w, b], [y], options("Conv2D", fusedActivationFunction=0, **fields))


def image(h: int, w: int = 5, c: int = 2) -> Tensor:
    """An int8 image."""
    return Tensor([1, h, w, c], "int8", 0.5, 3)


def test_rows_that_nothing_needs(engine: Engine) -> None:
    """Catches outputs before the last row, where the last rows are outside of all windows."""
    x, y = image(11), image(2, 1)
    data = build([conv(x, y, 4, 5, VALID)])
    values = draw.values(np.random.default_rng(1), x)
    check(HostModel(engine, data, stream=True), values, tensors(data, values), 2)
    model = HostModel(engine, data, stream=True)
    assert [model.feed(values[:, k]) is None for k in range(11)] == [True] * 10 + [False]


def test_a_skip_from_the_input(engine: Engine) -> None:
    """Catches rows of the input that the second of its readers still needs."""
    x, y, z, s = image(12), image(12), image(12), image(12)
    add = options("Add", fusedActivationFunction=0)
    data = build([conv(x, y, 3), conv(y, z, 3), Op("ADD", [x, z], [s], add)])
    values = draw.values(np.random.default_rng(3), x)
    for arena in sizes(engine, data):
        check(HostModel(engine, data, arena, stream=True), values, tensors(data, values), 4)


def test_a_run_is_dropped(engine: Engine) -> None:
    """Catches rows of a run that the hook or reset has ended that are taken for those of the next."""
    data, x = network(3)
    expected = tensors(data, x)[-1]
    model = HostModel(engine, data, stream=True)
    rows, row = model.wants()
    raw = x.view(np.uint8).reshape(rows, row)
    model.feed(raw[: rows - 1])
    assert model.wants() == (1, row)
    model.reset()
    assert model.wants() == (rows, row)
    np.testing.assert_array_equal(feed(model, x, [rows])[0], expected)
    model.feed(raw[:2])
    stop = _HOOK(lambda _, k: False)
    model._hook = lambda each: stop  # type: ignore[method-assign]
    with pytest.raises(EngineError) as refused:
        model.feed(raw[2:])
    assert refused.value.status == STOPPED
    del model._hook  # type: ignore[method-assign]
    assert model.wants() == (rows, row)
    np.testing.assert_array_equal(feed(model, x, [1] * rows)[0], expected)


def test_the_mark_leaves_out_what_is_fed(engine: Engine) -> None:
    """Catches a sum over a model's records that changes with each row, so that one in a caller's buffer would be
    refused, and one that does not see where the input's record was written over."""
    data, x = network(3)
    model = HostModel(engine, data, stream=True)
    lib, m = engine.lib, ctypes.byref(model.model)
    lib.ar_mark.restype = lib.ar_kept.restype = ctypes.c_uint32
    kept = lib.ar_kept(m)
    mark = lib.ar_mark(m, kept)
    model.feed(x.reshape(x.shape[1], -1)[:3])
    assert lib.ar_mark(m, kept) == mark
    record = (ctypes.c_uint8 * 24).from_address(model.model.feed)
    record[0] ^= 1
    assert lib.ar_mark(m, kept) != mark


def dense(x: Tensor) -> Op:
    """A fully connected layer over all of x."""
    w = Tensor.constant(np.ones([3, int(np.prod(x.shape))]), "int8", scale=0.5)
    return Op("FULLY_CONNECTED", [x, w, None], [Tensor([1, 3], "int8", 0.5, 0)], options("FullyConnected"))


def reshape(x: Tensor, y: Tensor) -> Op:
    """A view."""
    return Op("RESHAPE", [x, Tensor.constant(y.shape)], [y], options("Reshape", newShape=list(y.shape)))


def two_views() -> bytes:
    """Two images of different height in the same bytes."""
    x, a, b = Tensor([1, 80], "int8", 0.5, 3), image(8), image(4, 10)
    c, d = image(8), image(4, 10)
    return build([reshape(x, a), reshape(x, b), conv(a, c, 3), conv(b, d, 3)])


def behind_another() -> bytes:
    """The input is read whole, then by rows."""
    x, y, z = image(8), image(8), image(8)
    return build([Op("SPACE_TO_DEPTH", [x], [y], options("SpaceToDepth", blockSize=1)), conv(x, z, 3)])


def two_inputs() -> bytes:
    """A sum."""
    return build([Op("ADD", [image(8), image(8)], [image(8)], options("Add", fusedActivationFunction=0))])


def far_apart() -> bytes:
    """The second reader of the input lies behind more operators than a segment has."""
    x = image(8)
    at, ops = x, []
    for _ in range(30):
        y = image(8)
        ops.append(conv(at, y, 1))
        at = y
    return build([*ops, Op("ADD", [at, x], [image(8)], options("Add", fusedActivationFunction=0))])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (build([dense(Tensor([1, 80], "int8", 0.5, 3))]), "op 0 FULLY_CONNECTED: "),
        (two_views(), "op 3 CONV_2D: "),
        (behind_another(), "op 1 CONV_2D: "),
        (far_apart(), "op 30 ADD: "),
    ],
)
def test_refusals(engine: Engine, data: bytes, words: str) -> None:
    """Catches an input that somebody reads whole, or as rows of another height, and that is fed by rows all the same:
    he would read what is not there."""
    engine.arena_needed(data)
    with pytest.raises(EngineError) as refused:
        engine.arena_needed(data, stream=True)
    assert str(refused.value) == words + LOAD
    with pytest.raises(EngineError) as loading:
        HostModel(engine, data, 1 << 20, stream=True)
    assert str(loading.value) == words + LOAD


def test_refusal_of_two_inputs(engine: Engine) -> None:
    """Catches a second input of which nobody would give rows."""
    with pytest.raises(EngineError, match="has subgraphs, or more than one input: load without stream"):
        HostModel(engine, two_inputs(), stream=True)


def test_a_layer_over_all_rows(engine: Engine) -> None:
    """Catches a fully connected layer behind the input itself that is not summed as its rows come."""
    x = image(9, 4, 3)
    data = build([dense(x)])
    values = draw.values(np.random.default_rng(8), x)
    check(HostModel(engine, data, stream=True), values, tensors(data, values), 9)


def test_no_network_is_refused(engine: Engine) -> None:
    """Catches networks of images that are said to take no rows."""
    for seed in range(50):
        net = Network(np.random.default_rng(seed))
        net.add_conv()
        assert engine.arena_needed(build(net.ops), stream=True)
