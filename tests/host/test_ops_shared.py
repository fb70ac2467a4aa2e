"""Several models in one block of memory: `ar_load_shared`, which an arenite.Arena calls."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from arenite.boards import ROOT
from arenite.engine import NO_MEMORY, Engine, EngineError, HostModel, Needs, Shared, aligned
from builder import Graph, Op, Tensor, build, options

MODELS = ROOT / "models"
DIGITS = (MODELS / "digits" / "digits.tflite").read_bytes()
MLP = (MODELS / "digits_mlp" / "digits_mlp.tflite").read_bytes()
SINE = (MODELS / "sine" / "sine.tflite").read_bytes()


def summing() -> bytes:
    """A variable, which CALL_ONCE sets, and an SVDF's state."""

    def variable() -> tuple[Tensor, Op]:
        handle = Tensor([1], "resource")
        return handle, Op("VAR_HANDLE", [], [handle], options("VarHandle", container=b"", sharedName=b"s"))

    first, make_first = variable()
    start = Op("ASSIGN_VARIABLE", [first, Tensor.constant([[1.0, 2.0, 3.0]], "float32")], [], options("AssignVariable"))
    handle, make = variable()
    x, kept, y, z, state = Tensor([1, 3]), Tensor([1, 3]), Tensor([1, 3]), Tensor([1, 2]), Tensor([1, 6], variable=True)
    features, times = Tensor.constant([[0.5] * 3] * 2, "float32"), Tensor.constant([[1.0, 2.0, 4.0]] * 2, "float32")
    ops = [
        Op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1)),
        make,
        Op("READ_VARIABLE", [handle], [kept], options("ReadVariable")),
        Op("ADD", [x, kept], [y], options("Add")),
        Op("ASSIGN_VARIABLE", [handle, y], [], options("AssignVariable")),
        Op("SVDF", [y, features, times, None, state], [z], options("SVDF", rank=1)),
    ]
    return build(ops, [y, z], [x], [Graph([make_first, start], [], [])])


class SharedModel(HostModel):
    """A model whose own bytes lie in one array and its activations at the end of another, or of the same."""

    def __init__(self, engine: Engine, data: bytes, own: np.ndarray, shared: np.ndarray, taken: int) -> None:
        super().__init__(engine, data)
        place = Shared(own.ctypes.data, own.nbytes, shared.ctypes.data, shared.nbytes, taken)
        self.memory = own, shared
        engine.load_shared(self.model, self.source, len(data), place)
        assert self.model.arena_used == self.model.own + self.model.activations


def steps(model: HostModel, count: int = 4) -> list[bytes]:
    """Outputs of a model, run after run."""
    return [step(model, k) for k in range(count)]


def step(model: HostModel, k: int) -> bytes:
    """Outputs of a run on the k-th inputs."""
    x = model.input(0)
    values = (np.arange(x.size) * 7 + k * 5) % 100
    return b"".join(y.tobytes() for y in model.invoke([values.reshape(x.shape).astype(x.dtype)]))


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
def test_models_share(engine: Engine, order: tuple[int, ...]) -> None:
    """Catches a part that another's load or run writes over, a write past the block, and a sum of what ar_measure says
    that is too small for models that are loaded in any order."""
    files = [DIGITS, MLP, SINE, summing()]
    needs = [engine.needs(data) for data in files]
    assert all(n.arena >= n.own + n.activations and n.shared >= n.activations for n in needs)
    size = sum(n.own for n in needs) + max(n.shared for n in needs)
    block, guard = aligned(bytes(size + 64)), np.arange(64, dtype=np.uint8)
    block[:] = 0xA5
    block[size : size + 64] = guard
    models: dict[int, SharedModel] = {}
    start = taken = 0
    for i in order:
        rest = block[start:size]
        models[i] = SharedModel(engine, files[i], rest, rest, taken)
        assert models[i].model.own == needs[i].own
        assert models[i].model.arena == rest.ctypes.data
        start += needs[i].own
        taken = max(taken, models[i].model.activations)
    assert start + taken <= size
    expected = [steps(HostModel(engine, data)) for data in files]
    for k in range(4):
        for i in order:
            assert step(models[i], k) == expected[i][k], (i, k)
    np.testing.assert_array_equal(block[size : size + 64], guard)
    for i in order:
        models[i].reset()
    assert all(step(models[i], 0) == expected[i][0] for i in order)


def test_a_part_elsewhere(engine: Engine) -> None:
    """Catches records or state beside the part that they were given, and a part one byte too small that is taken."""
    for data in (SINE, summing(), MLP):
        needs: Needs = engine.needs(data)
        expected = steps(HostModel(engine, data))
        room = -(-needs.shared // 16) * 16
        block = aligned(bytes(needs.own + 16 + 16 + room + 32))
        block[:] = 0x5A
        part, shared = block[: needs.own + 16], block[needs.own + 16 :]
        inside = shared[16 : 16 + room]
        model = SharedModel(engine, data, part[: needs.own], inside, 0)
        assert steps(model) == expected
        assert set(part[needs.own :]) == set(shared[:16]) == set(shared[16 + room :]) == {0x5A}
        for own, few in ((needs.own - 16, room), (needs.own, room - 16)):
            with pytest.raises(EngineError, match="arena: too small") as caught:
                SharedModel(engine, data, part[:own], inside[:few], 0)
            assert caught.value.status == NO_MEMORY
        with pytest.raises(EngineError, match="arena: too small"):
            SharedModel(engine, data, part[: needs.own], inside, room + 16)


def test_activations_that_others_take_are_used(engine: Engine) -> None:
    """Catches a model that takes more than it needs, or does not take what is there for others anyway."""
    needs = engine.needs(DIGITS)
    block = aligned(bytes(60000))
    few = SharedModel(engine, DIGITS, block, block, 0)
    assert few.model.activations == needs.activations
    assert SharedModel(engine, DIGITS, block, block, needs.activations - 16).model.activations == needs.activations
    many = SharedModel(engine, DIGITS, block, block, 40000)
    assert needs.activations < many.model.activations <= 40000
    assert steps(many) == steps(HostModel(engine, DIGITS))


def test_only_own_bytes_last(engine: Engine) -> None:
    """Catches state among what is shared: all of it is written over before each run."""
    data = summing()
    needs = engine.needs(data)
    block = aligned(bytes(needs.own + needs.shared))
    part, shared = block[: needs.own], block[needs.own :]
    model = SharedModel(engine, data, part, shared, 0)
    expected = steps(HostModel(engine, data), 6)
    for k in range(6):
        shared[:] = 17 * k + 1
        assert step(model, k) == expected[k]
