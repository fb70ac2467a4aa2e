"""docs/promises.md: every promise has its test."""

from __future__ import annotations

import ast
import re

from arenite.engine import ROOT

TEXT = (ROOT / "docs" / "promises.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:host|firmware)/\w+\.py)::(\w+)`", TEXT)))


def test_every_named_test_exists() -> None:
    """Catches a test that was renamed or lost, while the page still names it."""
    assert len(NAMED) > 30
    for file, name in NAMED:
        tree = ast.parse((ROOT / "tests" / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"


def test_every_promise_has_a_test() -> None:
    """Catches a promise that nothing tries to break."""
    rows = [row for row in TEXT.splitlines() if row.startswith("| ") and not row.startswith("| promise")]
    assert len(rows) > 25
    for row in rows:
        assert re.search(r"`(?:host|firmware)/\w+\.py::\w+`", row), row
