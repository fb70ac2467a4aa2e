"""MicroPython's own test suite on the firmware: what its qemu port runs.

Left out is what needs modules frozen into the firmware (ports/qemu, and what imports unittest), and a test to which a
module time without time.time() is an error: these boards know no date. The qemu port has no such module and skips it.
"""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from arenite.boards import ROOT, find_board
from arenite.build import build
from arenite.emulator import Emulator

TESTS = ROOT / "micropython" / "tests"
PARTS = ["basics", "extmod", "float", "inlineasm/thumb", "micropython", "misc", "stress"]
NEEDS_A_DATE = "time_res.py"


@pytest.mark.parametrize("part", PARTS)
def test_micropythons_own_tests(part: str, tmp_path: Path) -> None:
    """Catches firmware whose MicroPython is not what it should be: the heap, the scheduler, floats, strings."""
    board = find_board("MPS2_AN500")
    build(board, Console(file=StringIO()))
    unittest = [path.name for path in (TESTS / part).glob("*.py") if "import unittest" in path.read_text()]
    left_out = [word for name in [*unittest, NEEDS_A_DATE] for word in ("-e", f"/{name}$")]
    with Emulator(board, {}, terminal=True) as emulator:
        command = [sys.executable, "run-tests.py", "-t", emulator.address, "-r", str(tmp_path), *left_out, "-d", part]
        env = os.environ | {"MICROPY_CPYTHON3": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=TESTS, env=env, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " tests passed" in done.stdout
