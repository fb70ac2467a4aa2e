"""A plan in the model's metadata: it is taken where it fits, and whatever it says, the answers are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite import repack
from arenite.engine import Engine, HostModel
from arenite.model import PLAN
from arenite.saved_plan import with_plan
from builder import Op, Tensor, build
from command import arenite, assert_refuses
from conftest import reference_model
from draw import Rng
from test_rows import check, network, sizes, tensors

ORDERS = 8  # in which the planner places tensors
LONGEST = 24  # operators that take turns


def saved(data: bytes, plan: bytes) -> bytes:
    """The model with this plan."""
    return with_plan(repack.unpack(data), plan)


def other_cut(rng: Rng, plan: bytes) -> bytes:
    """Another that may be made of the same chains: segments parted or joined, what trails, the order of placing."""
    segments = [(cut & 0x7F, cut >> 7) for cut in plan[1:]]
    for _ in range(int(rng.integers(1, 6))):
        i = int(rng.integers(len(segments)))
        length, trails = segments[i]
        if rng.random() < 0.4 and length > 1:
            first = int(rng.integers(1, length))
            segments[i : i + 1] = [(first, int(rng.integers(2))), (length - first, trails)]
        elif rng.random() < 0.6 and i + 1 < len(segments):
            segments[i : i + 2] = [(length + segments[i + 1][0], segments[i + 1][1])]
        else:
            segments[i] = (length, 1 - trails)
    return bytes([int(rng.integers(ORDERS)), *(length | trails << 7 for length, trails in segments)])


def rowing(first: int, count: int) -> list[tuple[bytes, np.ndarray]]:
    """Random networks, and an input of each."""
    return [network(seed) for seed in range(first, first + count)]


@pytest.mark.parametrize("first", range(0, 30, 10))
def test_any_cut_gives_the_same_answers(engine: Engine, first: int) -> None:
    """Catches a cut that the search would not make, and that is run without the rings or the room that it takes."""
    taken, rng = 0, np.random.default_rng([13, first])
    for data, x in rowing(first, 10):
        plan = engine.lives(data, engine.arena_needed(data)).cuts
        if not plan:
            continue
        expected = tensors(data, x)
        for cut in (plan, *(other_cut(rng, plan) for _ in range(3))):
            with_it = saved(data, cut)
            needed = engine.arena_needed(with_it)
            for arena in (needed, sizes(engine, with_it)[1]):
                check(engine, with_it, x, arena, expected)
            made = engine.lives(with_it, needed).cuts
            taken += made[1:] == cut[1:]
            if cut == plan:
                assert made == plan
                assert needed == engine.arena_needed(data)
            with pytest.raises(Exception, match="arena"):
                HostModel(engine, with_it, needed - 16)
    assert taken > 10


@pytest.mark.parametrize("seed", range(8))
def test_a_wrong_plan_is_none(engine: Engine, seed: int) -> None:
    """Catches bytes that are trusted: too few, too many, another model's, and any at all."""
    rng = np.random.default_rng([14, seed])
    data, x = network(seed)
    needed = engine.arena_needed(data)
    plan = engine.lives(data, needed).cuts or bytes([0, 1])
    longest = bytes([0, *[LONGEST + 1] * 3])
    wrong = [b"\0", plan[:-1], plan + b"\1", plan + plan[1:], plan[:1] + b"\0" + plan[1:], longest, b"\0\x7f" * 9]
    wrong += [rng.integers(0, 256, int(rng.integers(1, 40))).astype(np.uint8).tobytes() for _ in range(20)]
    expected = tensors(data, x)
    for k, cut in enumerate(wrong):
        with_it = saved(data, cut)
        if k < 5:
            assert engine.arena_needed(with_it) == needed, cut
        check(engine, with_it, x, engine.arena_needed(with_it), expected)


def test_metadata_that_lead_nowhere(engine: Engine) -> None:
    """Catches a buffer that is not there, or a name that runs past the file."""
    data, _ = network(3)
    needed = engine.arena_needed(data)
    for buffer in (0, 1, 10_000, 0xFFFFFFFF):
        unpacked = repack.unpack(data)
        entry = schema.MetadataT()
        entry.name, entry.buffer = PLAN, buffer
        unpacked.metadata = [entry]
        assert engine.arena_needed(repack.pack(unpacked)) == needed
    whole = saved(data, bytes([0, 1, 1]))
    at = whole.index(PLAN.encode()) - 4
    for length in (0, 11, 13, len(whole), 0x7FFFFFFF, 0xFFFFFFFF):
        assert engine.arena_needed(whole[:at] + length.to_bytes(4, "little") + whole[at + 4 :]) == needed


def test_a_roomy_arena_needs_no_plan(engine: Engine) -> None:
    """Catches rows where tensors fit whole."""
    data = reference_model("person_detect")
    plan = engine.lives(data, engine.arena_needed(data)).cuts
    assert not engine.lives(saved(data, plan), 1 << 20).cuts
    assert engine.lives(saved(data, plan), 40_000).cuts == plan


@pytest.mark.parametrize("name", ["person_detect", "pretrainedResnet_quant"])
def test_save(engine: Engine, name: str, tmp_path: Path) -> None:
    """Catches a file without the plan, or with anything else changed, and one that grows when it is saved again."""
    path, out = tmp_path / "model.tflite", tmp_path / "saved.tflite"
    path.write_bytes(reference_model(name))
    done = arenite("plan", path, "--save", "-o", out)
    assert done.returncode == 0, done.stderr
    needed = engine.arena_needed(path.read_bytes())
    assert f"an arena of {needed:,}; equal outputs" in done.stdout
    before, after = (repack.unpack(file.read_bytes()) for file in (path, out))
    (entry,) = [entry for entry in after.metadata if entry.name == PLAN.encode()]
    plan = bytes(after.buffers[entry.buffer].data)
    assert plan == engine.lives(path.read_bytes(), needed).cuts
    assert engine.arena_needed(out.read_bytes()) == needed
    for a, b in zip(before.subgraphs[0].tensors, after.subgraphs[0].tensors, strict=True):
        assert (a.name, list(a.shape), a.type) == (b.name, list(b.shape), b.type)
        one, other = before.buffers[a.buffer].data, after.buffers[b.buffer].data
        assert (one is None and other is None) or bytes(one) == bytes(other)
    once = out.read_bytes()
    assert arenite("plan", out, "--save").returncode == 0  # in its place
    assert out.read_bytes() == once


def test_save_refuses(tmp_path: Path) -> None:
    """Catches a plan for a model that needs none, and options that do not go together."""
    path = tmp_path / "small.tflite"
    path.write_bytes(build([Op("RELU", [Tensor([4], "int8", 0.5)], [Tensor([4], "int8", 0.5)])]))
    assert_refuses("no plan to save", "plan", path, "--save")
    assert_refuses("--save goes with none", "plan", path, "--save", "--stream")
    assert_refuses("--save goes with none", "plan", path, "--save", "--arena", 100_000)
    path.write_bytes(reference_model("person_detect"))
    assert_refuses("No such file", "plan", path, "--save", "-o", tmp_path / "none" / "out.tflite")
