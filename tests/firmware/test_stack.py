"""The stack that the engine takes, by the compiler's own figures, and what the module and the docs say of it."""

import re
from io import StringIO

import pytest
from rich.console import Console

from arenite.boards import ROOT, find_board
from arenite.build import build
from arenite.stack import measure

BINDING = (ROOT / "usermod" / "arenite" / "binding" / "binding.h").read_text()
FLAT, CALLS = (int(n) for n in re.findall(r"#define ARENITE_STACK(?:_CALLS)? \((\d+)\)", BINDING))


@pytest.mark.parametrize("name", ["MPS2_M0", "MPS2_AN500", "MPS3_AN547"])
def test_bounds(name: str) -> None:
    """Catches a function that takes more of the stack than the module makes sure of before it calls the engine."""
    board = find_board(name)
    build(board, Console(file=StringIO()))
    flat, nested = measure(board, 0), measure(board)
    for entry in ("ar_load", "ar_load_shared", "ar_measure", "ar_invoke", "ar_reset", "ar_tensor", "ar_op_output"):
        assert 0 < flat[entry].bytes <= FLAT, flat[entry]
        assert flat[entry].bytes <= nested[entry].bytes <= FLAT + CALLS, nested[entry]
    assert nested["ar_invoke"].way.count("eval_while") == 4
    assert nested["ar_load"].way.count("ar_loader_operators") == 5


def test_the_docs_say_it() -> None:
    """Catches docs whose figures are not the module's."""
    text = (ROOT / "docs" / "engine.md").read_text()
    assert f"{FLAT:,} bytes" in text
    assert f"{FLAT + CALLS:,} bytes" in text
