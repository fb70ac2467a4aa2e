"""A guard on speed and memory: the committed figures may not rise unnoticed. They are exact, so this does not flake."""

import json

import pytest
from rich.console import Console

from arenite import figures
from arenite.boards import find_board
from arenite.errors import UserError

COMMITTED = json.loads(figures.FIGURES.read_text())


@pytest.mark.parametrize("row", COMMITTED["rows"], ids=lambda row: f"{row['board']}-{row['model']}")
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
    now = figures.measure(str(row["model"]), find_board(str(row["board"])), Console(stderr=True))
    assert now["checksum"] == row["checksum"]
    assert now["arena"] <= row["arena"]
    for count in ("instructions", "instructions_smallest", "load_instructions"):
        assert now[count] <= 1.01 * row[count], f"{count}: {row[count]:,} before, {now[count]:,} now"


def test_the_pages_show_the_committed_figures() -> None:
    """Catches a table edited by hand, or figures committed without their pages."""
    assert figures.PAGE.read_text() == figures.page(COMMITTED)
    assert "\n".join(figures.readme_table(COMMITTED)) in figures.README.read_text()


def test_every_answer_is_the_peers() -> None:
    """Catches a committed checksum that is not tflite-micro's."""
    known = figures.peers()["checksum"]
    assert all(row["checksum"] == known[row["model"]] for row in COMMITTED["rows"])
