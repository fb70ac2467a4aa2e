"""`arenite ops`, `arenite build --for`, the page of operators, and what all of it costs in flash."""

import json
import re
from pathlib import Path

import flatbuffers
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite import operators
from arenite.boards import ROOT, find_board
from arenite.engine import Engine
from arenite.model import read_model
from builder import Tensor, single
from command import arenite, assert_refuses
from conftest import REFERENCE

SINE = ROOT / "models" / "sine" / "sine.tflite"
BOARD = "MPS2_AN386"
FEWEST = 20


def test_page_is_what_the_command_writes() -> None:
    """Catches a page that was changed by hand, or written from other counts than docs/operators.json."""
    assert operators.PAGE.read_text() == operators.page(operators.documented())


def test_page_has_every_operator_with_enough_cases() -> None:
    """Catches an operator that no case compares, or hardly any of one of its types."""
    counts = operators.documented()
    lacking = [f"{op} {key}: {n}" for op, types in counts.items() for key, n in types.items() if n < FEWEST]
    lacking += [f"{op}: none" for op in operators.entry_points() if not counts.get(op)]
    assert not lacking, f"fewer than {FEWEST} cases, after ./scripts/test and arenite ops --write: {lacking}"


def test_table_is_read_as_the_compiler_reads_it() -> None:
    """Catches a line of ops/table.h that the host tools overlook."""
    assert list(operators.entry_points()) == Engine().ops()


def test_counts_of_all_workers_are_added(tmp_path: Path) -> None:
    """Catches counts of one process that replace those of another."""
    (tmp_path / "counts-gw0.json").write_text('{"ADD": {"int8": 3}, "MUL": {"int8": 1}}')
    (tmp_path / "counts-gw1.json").write_text('{"ADD": {"int8": 4, "float32": 1}}')
    assert operators.kept_counts(tmp_path) == {"ADD": {"float32": 1, "int8": 7}, "MUL": {"int8": 1}}


def test_ops_lists_operators_and_types() -> None:
    """Catches a table that leaves operators out, or types."""
    done = arenite("ops")
    assert done.returncode == 0, done.stderr
    for op in operators.entry_points():
        assert f" {op} " in done.stdout
    assert "float32, int8" in done.stdout


@pytest.fixture(scope="module")
def on_board() -> dict:
    """`arenite ops --json` for the Cortex-M4."""
    done = arenite("ops", "--board", BOARD, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def on_small_board() -> dict:
    """The same of its firmware of few bytes of flash, which is built for this."""
    done = arenite("ops", "--board", BOARD, "--small", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_everything_is_small(on_board: dict, on_small_board: dict) -> None:
    """Catches growth past what the project promises: 100 kB for everything with every operator and portable kernels,
    where it is built for few bytes; 11.5 kB for the engine alone, without what only operators call; and, where it is
    built for speed, no more than 12 kB more for the kernels of a core."""
    flash, small = on_board["flash"], on_small_board["flash"]
    for found in (flash, small):
        assert found["total"] == sum(found[room] for room in ("engine", "ops", "kernels", "binding"))
        assert 4_000 < found["engine_alone"] < found["engine"] < 20_200
    assert len(on_small_board["operators"]) == len(on_board["operators"])
    assert 3_000 < small["kernels"] < flash["kernels"] < small["kernels"] + 12_000
    assert 30_000 < small["total"] < 100_000
    assert flash["engine_alone"] < 11_000


@pytest.mark.skipif(not REFERENCE.exists(), reason="no reference models")
@pytest.mark.parametrize(("more", "most"), [([], 38_400), (["--whole"], 29_600)])
def test_one_model_is_small(more: list[str], most: int) -> None:
    """Catches what comes into firmware for one model without being needed: engine, operators and kernels of a keyword
    spotter, built for speed."""
    done = arenite("build", BOARD, *more, "--for", REFERENCE / "kws_ref_model.tflite")
    assert done.returncode == 0, done.stderr
    rooms = {room: int(size.replace(",", "")) for room, size in re.findall(r"(\w+) ([\d,]+)(?=[,)])", done.stdout)}
    assert most - 1_000 < sum(rooms[room] for room in ("engine", "ops", "kernels")) < most


def test_whole_is_for_models() -> None:
    """Catches --whole that is ignored."""
    assert_refuses("--whole goes with --for", "build", BOARD, "--whole")


def test_every_operator_has_its_bytes(on_board: dict) -> None:
    """Catches sections that are not found: every operator has code of its own or that it shares, none has all of it."""
    operators_there = {entry["op"]: entry for entry in on_board["operators"]}
    assert list(operators_there) == list(operators.entry_points())
    flash = on_board["flash"]
    for op, entry in operators_there.items():
        assert 0 < entry["own"] + entry["shared"] < 36_000, op  # with the names of all operators
    assert sum(entry["own"] for entry in operators_there.values()) < flash["ops"] + flash["kernels"]
    assert operators_there["SOFTMAX"]["own"] > 500  # a file of its own
    assert operators_there["FLOOR"]["own"] < 300 < operators_there["FLOOR"]["shared"]  # a name in a family


def test_model_needs_operators_of_all_subgraphs(tmp_path: Path) -> None:
    """Catches a firmware that lacks what only the branch of an IF needs."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(SINE.read_bytes(), 0))
    other = schema.ModelT.InitFromObj(schema.Model.GetRootAs(single("CEIL", [Tensor([1])], Tensor([1])), 0))
    other.subgraphs[0].operators[0].opcodeIndex = len(model.operatorCodes)
    model.operatorCodes += other.operatorCodes
    model.subgraphs += other.subgraphs
    path = tmp_path / "two.tflite"
    path.write_bytes(packed(model))
    made = operators.variant(find_board(BOARD), [read_model(path)])
    assert made.operators == ("CEIL", "FULLY_CONNECTED")
    assert made.build_folder.name == f"{BOARD}-for-two"


def packed(model: schema.ModelT) -> bytes:
    """A model's bytes."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_build_for_refuses(tmp_path: Path) -> None:
    """Catches firmware that is built although a model could never run on it."""
    path = tmp_path / "odd.tflite"
    path.write_bytes(single("LSH_PROJECTION", [Tensor([1])], Tensor([1])))
    assert_refuses("needs LSH_PROJECTION, which Arenite does not have", "build", BOARD, "--for", path)
    assert_refuses("No such file", "build", BOARD, "--for", tmp_path / "none.tflite")
