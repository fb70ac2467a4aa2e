"""`arenite plan`: what it says of a model's arena is what the engine does."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from arenite.boards import ROOT
from arenite.engine import Engine, HostModel
from builder import Op, Tensor, build, options, single
from command import arenite, assert_refuses
from conftest import reference_model

NAMES = ("micro_speech_quantized", "person_detect", "pretrainedResnet_quant", "kws_ref_model", "ad01_int8")
DIGITS = ROOT / "models" / "digits" / "digits.tflite"
SVG = "{http://www.w3.org/2000/svg}"
Facts = dict[str, Any]


def plan(path: Path, *arguments: object) -> Facts:
    """What `arenite plan --json` says."""
    done = arenite("plan", path, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert isinstance(made, dict)
    return made


def written(tmp_path: Path, name: str) -> Path:
    """A reference model, or this project's own, as a file."""
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(DIGITS.read_bytes() if name == "digits" else reference_model(name))
    return path


def with_state() -> bytes:
    """SVDF, whose state lasts from one invoke to the next, between a RESHAPE, which is a view, and a RELU in place."""
    x, view = Tensor([4, 1]), Tensor([1, 4])
    features, times = Tensor.constant([[0.5] * 4] * 2, "float32"), Tensor.constant([[1.0, 2.0]] * 2, "float32")
    state, y, z = Tensor([1, 4], variable=True), Tensor([1, 2]), Tensor([1, 2])
    shape = Tensor.constant([1, 4])
    return build(
        [
            Op("RESHAPE", [x, shape], [view], options("Reshape", newShape=[1, 4])),
            Op("SVDF", [view, features, times, None, state], [y], options("SVDF", rank=1)),
            Op("RELU", [y], [z]),
        ]
    )


def shared_bytes(a: Facts, b: Facts) -> int:
    """Bytes that two boxes have in common while both are needed."""
    if a["first"] > b["last"] or b["first"] > a["last"]:
        return 0
    return max(0, min(a["offset"] + a["bytes"], b["offset"] + b["bytes"]) - max(a["offset"], b["offset"]))


@pytest.mark.parametrize("name", ["digits", *NAMES])
@pytest.mark.parametrize("room", [1, 1.5, 8])
def test_boxes_overlap_only_where_one_trails_the_other(tmp_path: Path, engine: Engine, name: str, room: float) -> None:
    """Catches two live tensors in the same bytes, a trail shorter than its distance, and an arena that is not what the
    boxes add up to or what the engine asks for; in the smallest arena, a little more, and plenty."""
    path = written(tmp_path, name)
    needed = engine.arena_needed(path.read_bytes())
    arena = int(needed * room)
    made = plan(path) if room == 1 else plan(path, "--arena", arena)
    boxes = made["boxes"]
    for i, j in combinations(range(len(boxes)), 2):
        a, b = boxes[i], boxes[j]
        if not shared_bytes(a, b):
            continue
        assert i == b["trails"] or j == a["trails"], (a, b)
        over, source = (a, b) if a["trails"] == j else (b, a)
        assert source["offset"] >= over["offset"] + over["distance"], (over, source)
    start = -(-made["records"] // 16) * 16 + made["state"]
    assert max(-(-(box["offset"] + box["bytes"]) // 16) * 16 for box in boxes) == start + made["activations"]
    assert min(box["offset"] for box in boxes) >= made["records"]
    assert start + made["activations"] <= made["arena"] <= arena
    assert made["arena"] == needed or room > 1


@pytest.mark.parametrize("name", ["digits", *NAMES])
@pytest.mark.parametrize("room", [1, 8])
def test_it_is_the_plan_that_runs(tmp_path: Path, engine: Engine, name: str, room: int) -> None:
    """Catches a picture of another plan: offsets, rings and arena against a model loaded in an arena of that size."""
    path = written(tmp_path, name)
    size = engine.arena_needed(path.read_bytes()) * room
    model, made = HostModel(engine, path.read_bytes(), size), plan(path, "--arena", size)
    assert model.model.arena_used == made["arena"]
    assert model.model.activations == made["activations"]
    places = {
        n: box["offset"] for box in made["boxes"] for n in (box["name"], *box["views"]) if box["kind"] == "tensor"
    }
    rings = {n for box in made["boxes"] if box["rows"] for n in (box["name"], *box["views"])}
    assert len(made["operators"]) == model.model.main.n_ops
    for k, step in enumerate(made["operators"]):
        assert step["op"] == model.op_name(k)
        (output,) = model.op_outputs(k)
        assert (output is None) == (step["name"] in rings)
        if output is not None:
            assert output.ctypes.data - model.model.arena == places[step["name"]], step
    assert bool(rings) == (room == 1 and any(step["turns"] != k for k, step in enumerate(made["operators"])))


def test_rows_take_turns(tmp_path: Path) -> None:
    """Catches rings outside of the operators that take turns, rings that hold nothing or everything, and a plan that
    does not change with the arena's size."""
    path = written(tmp_path, "person_detect")
    small, large = plan(path), plan(path, "--arena", 200_000)
    turns = [step["turns"] for step in small["operators"]]
    rings = [box for box in small["boxes"] if box["rows"]]
    assert rings
    for box in rings:
        assert 0 < box["held"] < box["rows"], box
        assert len(set(turns[box["first"] : box["last"] + 1])) == 1 < box["last"] + 1 - box["first"], box
    assert [step["turns"] for step in large["operators"]] == list(range(len(turns)))
    assert not any(box["rows"] or box["trails"] is not None for box in large["boxes"])
    assert large["activations"] > 3 * small["activations"]


def test_state_and_views(tmp_path: Path) -> None:
    """Catches state among activations, state that does not last, and a view that is drawn as bytes of its own."""
    path = tmp_path / "state.tflite"
    path.write_bytes(with_state())
    made = plan(path)
    (state,) = [box for box in made["boxes"] if box["kind"] == "state"]
    assert (state["bytes"], made["state"], state["first"], state["last"]) == (16, 16, 0, 2)
    assert state["offset"] == -(-made["records"] // 16) * 16
    assert all(box["offset"] >= state["offset"] + 16 for box in made["boxes"] if box is not state)
    viewed, overwritten = sorted((box for box in made["boxes"] if box["views"]), key=lambda box: box["first"])
    assert (viewed["bytes"], len(viewed["views"]), viewed["first"], viewed["last"]) == (16, 1, 0, 1)
    assert (overwritten["bytes"], len(overwritten["views"]), overwritten["first"]) == (8, 1, 1)
    assert [step["op"] for step in made["operators"]] == ["RESHAPE", "SVDF", "RELU"]


def test_pieces(tmp_path: Path) -> None:
    """Catches a piece of what is joined that is drawn as another box, or taken for all of it."""
    path, x = tmp_path / "joined.tflite", Tensor([16], "int8", 0.5, name="x")
    a, b = (Tensor([16], "int8", 0.5, name=name) for name in "ab")
    whole = Tensor([32], "int8", 0.5, name="whole")
    ops = [Op("RELU", [x], [a]), Op("RELU6", [x], [b])]
    path.write_bytes(build([*ops, Op("CONCATENATION", [a, b], [whole], options("Concatenation", axis=0))]))
    made = plan(path)
    (box,) = [box for box in made["boxes"] if box["pieces"]]
    assert (box["name"], box["bytes"], box["pieces"], box["first"], box["last"]) == ("whole", 32, ["a", "b"], 0, 2)
    assert "holds a, b" in " ".join(arenite("plan", path).stdout.split())


def test_picture(tmp_path: Path) -> None:
    """Catches an SVG that is not well-formed, lacks a box, an operator or an overlap, or draws outside of itself."""
    path, output = written(tmp_path, "person_detect"), tmp_path / "plan.svg"
    made = plan(path, "-o", output)
    root = ElementTree.parse(output).getroot()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    rects = list(root.iter(f"{SVG}rect"))
    for rect in rects:
        x, y, w, h = (float(rect.attrib.get(key, 0)) for key in ("x", "y", "width", "height"))
        assert min(x, y) >= 0 < min(w, h), rect.attrib
        assert (x + w <= width, y + h <= height) == (True, True), rect.attrib
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    for box in made["boxes"]:
        assert any(t.startswith(f"{box['kind']} {box['name']}: {box['bytes']:,} bytes") for t in titles), box
    overlapping = [b for b in made["boxes"] if b["trails"] is not None and shared_bytes(b, made["boxes"][b["trails"]])]
    assert overlapping
    assert sum(" bytes" in t and "through" in t for t in titles) == len(overlapping)
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    for k, step in enumerate(made["operators"]):
        assert any(text.startswith(f"{k} {step['op']}") for text in texts), step


def test_terminal(tmp_path: Path) -> None:
    """Catches figures of a 64-bit host passed off as a board's, boxes that the table lacks, and no word on overlaps."""
    path = written(tmp_path, "person_detect")
    made, done = plan(path), arenite("plan", path)
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert f"arena {made['arena']:,} bytes: {made['records']:,} bytes of records" in shown
    assert f"{made['activations']:,} of activations" in shown
    assert "portable kernels and 64-bit pointers" in shown
    assert (made["kernels"], made["pointer_bits"]) == ("portable", 64)
    rows = [line for line in done.stdout.splitlines() if "│ tensor " in line or "│ scratch " in line]
    assert len(rows) == len(made["boxes"])
    assert sum("ring of" in row for row in rows) == sum(box["rows"] > 0 for box in made["boxes"])
    assert "trails" in shown


def test_refuses(tmp_path: Path) -> None:
    """Catches a traceback, or a plan for an arena in which the model does not run."""
    path = written(tmp_path, "digits")
    needed = plan(path)["arena"]
    assert_refuses(f"arena: needs {needed} bytes, has {needed - 1}", "plan", path, "--arena", needed - 1)
    assert_refuses("No such file", "plan", path, "-o", tmp_path / "nowhere" / "plan.svg")
    assert_refuses("No such file", "plan", tmp_path / "none.tflite")
    path.write_bytes(path.read_bytes()[:-700])
    assert_refuses("damaged, or cut short", "plan", path)
    path.write_bytes(single("LSH_PROJECTION", [Tensor([1])], Tensor([1])))
    assert_refuses("operator LSH_PROJECTION is not compiled in", "plan", path)
