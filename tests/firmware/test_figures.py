"""A guard on speed and memory: the committed figures may not rise unnoticed. They are exact, so this does not flake."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from arenite import figures
from arenite.bench import bench
from arenite.boards import find_board
from arenite.errors import UserError
from arenite.model import read_model
from arenite.saved_plan import save_plan
from builder import Op, Tensor, build
from command import arenite

COMMITTED = json.loads(figures.FIGURES.read_text())
# The emulator of the RP2040 runs 6 million cycles a second: ARENITE_ALL_FIGURES=1 measures also what takes it long.
MANY_CYCLES = 30_000_000


def quick(row: dict[str, int | str]) -> bool:
    """Whether a row is measured in every run of the suite."""
    slow = find_board(str(row["board"])).cycles_per_tick and int(row["instructions_smallest"]) > MANY_CYCLES
    return not slow or bool(os.environ.get("ARENITE_ALL_FIGURES"))


@pytest.mark.parametrize(
    "row", list(filter(quick, COMMITTED["rows"])), ids=lambda row: f"{row['board']}-{row['model']}"
)
def test_no_figure_rises(row: dict[str, int | str]) -> None:
    """Catches a change that costs more than 1 % of instructions, or a byte of arena, or changes an answer.

    A change that is meant to: run `arenite figures` and commit what it writes.
    """
    try:
        figures.reference_folder()
    except UserError as missing:
        pytest.skip(str(missing))
    if figures.compiler_version() != COMMITTED["compiler"]:
        pytest.skip(f"the figures are for gcc {COMMITTED['compiler']}")
    board = find_board(str(row["board"]))
    now = figures.measure(str(row["model"]), board, Console(stderr=True))
    assert now["checksum"] == row["checksum"]
    assert now["arena"] <= row["arena"]
    assert now.get("arena_fed", 0) <= row.get("arena_fed", now.get("arena_fed", 0))
    for count in ("instructions", "instructions_smallest", "load_instructions"):
        ticks = 4 * board.cycles_per_tick  # an interrupt of the USB, and where in a microsecond it starts
        assert now[count] <= 1.01 * row[count] + ticks, f"{count}: {row[count]:,} before, {now[count]:,} now"


@pytest.mark.parametrize("name", ["MPS2_AN386", "MPS2_AN385", "MPS2_M0", "MPS3_AN547"])
def test_an_operator_costs_little_beside_its_work(name: str, tmp_path: Path) -> None:
    """Catches an interpreter that takes more than 150 instructions an operator, the change of one sign included."""
    board = find_board(name)
    counts = []
    for length in (4, 20):
        tensors = [Tensor([1]) for _ in range(length + 1)]
        path = tmp_path / f"{length}.tflite"
        path.write_bytes(build([Op("NEG", [x], [y]) for x, y in pairwise(tensors)], [tensors[-1]], [tensors[0]]))
        counts.append(bench(read_model(path), board, None, Console(stderr=True))["instructions"] or 0)
    assert 0 < counts[1] - counts[0] <= 16 * 150


def test_a_saved_plan_saves_the_search(tmp_path: Path) -> None:
    """Catches a plan in a model that a board does not take, or that costs it bytes or another answer."""
    try:
        model = read_model(figures.reference_folder() / "person_detect.tflite")
    except UserError as missing:
        pytest.skip(str(missing))
    board, console = find_board("MPS2_AN386"), Console(stderr=True)
    saved = save_plan(model, console).model
    without, made = (bench(one, board, None, console) for one in (model, saved))
    assert made["checksum"] == without["checksum"]
    assert made["arena"] <= without["arena"]
    assert made["instructions"] == without["instructions"]
    assert 0 < (made["load_instructions"] or 0) <= 0.6 * (without["load_instructions"] or 0)
    roomy = [bench(one, board, 100_000, console) for one in (model, saved)]
    assert roomy[0]["instructions"] == roomy[1]["instructions"]
    path, out = tmp_path / "model.tflite", tmp_path / "saved.tflite"
    path.write_bytes(model.data)
    done = arenite("plan", path, "--save", "-o", out, "--board", board.name)
    assert done.returncode == 0, done.stderr
    words = f"MPS2_AN386: arena {made['arena']:,} bytes, loading {made['load_instructions']:,} instructions"
    assert words in done.stdout
    assert out.read_bytes() == saved.data


def test_the_pages_show_the_committed_figures() -> None:
    """Catches a table edited by hand, or figures committed without their pages."""
    assert figures.PAGE.read_text() == figures.page(COMMITTED)
    assert "\n".join(figures.readme_table(COMMITTED)) in figures.README.read_text()
    assert "\n".join(figures.pico_table(COMMITTED)) in figures.README.read_text()


def test_every_answer_is_the_peers() -> None:
    """Catches a committed checksum that is not tflite-micro's."""
    known = figures.peers()["checksum"]
    assert all(row["checksum"] == known[row["model"]] for row in COMMITTED["rows"])
