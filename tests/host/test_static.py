"""What can be said of the C without running it: cppcheck, and the compilers' warnings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from arenite.engine import ROOT, SOURCE, WARNINGS, sources
from arenite.ways import all_ways

CPPCHECK = [
    "cppcheck", "--quiet", "--error-exitcode=1", "--std=c99", "--enable=warning,performance,portability",
    f"--suppressions-list={ROOT / 'tests' / 'cppcheck-suppressions.txt'}", "-DMP_NORETURN=__attribute__((noreturn))",
    "-DMICROPY_PY_BUILTINS_FLOAT=1", "-DBOARD_TIMER_HZ=20000000", "-Iusermod/arenite", "-Iusermod/arenite/binding",
]  # fmt: skip
STRICT = [*WARNINGS, "-Wsign-conversion", "-Wstrict-prototypes", "-Wvla"]


def cppcheck(*paths: object) -> subprocess.CompletedProcess[str]:
    """Run cppcheck from the checkout's root."""
    command = [*CPPCHECK, *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not shutil.which("cppcheck"), reason="cppcheck is not installed (scripts/setup installs it)")
def test_cppcheck_is_clean() -> None:
    """Catches what cppcheck sees: null pointers, leaks, indices outside, uninitialized variables."""
    done = cppcheck("usermod/arenite", "boards/common", "tests/fuzz")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("cppcheck"), reason="cppcheck is not installed (scripts/setup installs it)")
def test_cppcheck_would_see(tmp_path: Path) -> None:
    """Catches suppressions that leave nothing to be seen."""
    bad = tmp_path / "bad.c"
    bad.write_text("int f(void) {\n    int a[4];\n    return a[4];\n}\n")
    done = cppcheck(bad)
    assert done.returncode == 1
    assert "arrayIndexOutOfBounds" in done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("bits", [64, 32])
def test_no_warnings(compiler: str, bits: int) -> None:
    """Catches conversions that lose bits or signs, shadowed names, doubles on cores that have none; on 32 bits what the
    boards' sizes of int and pointer make of it; and what is unused in firmware for some models, without all ways."""
    probe = [compiler, f"-m{bits}", "-fsyntax-only", "-include", "string.h", "-xc", "/dev/null"]
    if bits == 32 and subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no headers for 32-bit programs on this machine")
    command = [compiler, "-std=gnu99", f"-m{bits}", "-O2", *STRICT, "-fsyntax-only", "-I", str(SOURCE)]
    for ways in ([], [f"-DAR_HAS_{way}=0" for way in all_ways()]):
        done = subprocess.run([*command, *ways, *map(str, sources())], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]


def test_phrases_of_errors_are_there() -> None:
    """Catches a capital letter in an error text that stands for nothing, and leaves a hole in what the user reads."""
    said = (SOURCE / "engine" / "error.c").read_text()
    known = set(
        re.findall(r'(?:\\0|")([A-Z])', said[said.index("phrases[] =") : said.index(";", said.index("phrases[] ="))])
    )
    asked = {letter for path in sources() for letter in re.findall(r"%([A-Z])", path.read_text())}
    assert len(known) >= 10
    assert asked == known
