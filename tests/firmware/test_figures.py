"""A guard on speed and memory: the committed figures may not rise unnoticed. They are exact, so this does not flake."""

import json
import os

import pytest
from rich.console import Console

from arenite import figures
from arenite.boards import find_board
from arenite.errors import UserError

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


def test_the_pages_show_the_committed_figures() -> None:
    """Catches a table edited by hand, or figures committed without their pages."""
    assert figures.PAGE.read_text() == figures.page(COMMITTED)
    assert "\n".join(figures.readme_table(COMMITTED)) in figures.README.read_text()
    assert "\n".join(figures.pico_table(COMMITTED)) in figures.README.read_text()


def test_every_answer_is_the_peers() -> None:
    """Catches a committed checksum that is not tflite-micro's."""
    known = figures.peers()["checksum"]
    assert all(row["checksum"] == known[row["model"]] for row in COMMITTED["rows"])
