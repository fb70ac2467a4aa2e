"""The tests of operators once more, on an engine built with AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arenite.errors import UserError
from arenite.fuzz import TARGET, fuzz
from conftest import ROOT

HERE = Path(__file__).resolve().parent


def runtime_library(name: str) -> str:
    """Where the compiler keeps a library."""
    command = ["gcc", f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """How the run ended, and the folder of the models that the engine took meanwhile.

    Python itself is not built with sanitizers, so their libraries are loaded before it. The first report ends the run.
    """
    folder = tmp_path_factory.mktemp("models")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_") and k != "ARENITE_KEEP_CASES"}
    env["LD_PRELOAD"] = f"{runtime_library('libasan.so')} {runtime_library('libubsan.so')}"
    env["ASAN_OPTIONS"] = "detect_leaks=0"
    env |= {"ARENITE_SANITIZE": "1", "ARENITE_KEEP_MODELS": str(folder)}
    tests = sorted(
        map(
            str,
            [
                *HERE.glob("test_ops_*.py"),
                HERE / "test_in_place.py",
                HERE / "test_saved_plan.py",
                HERE / "test_rows.py",
                HERE / "test_feed.py",
            ],
        )
    )
    assert tests
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=short", *tests]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False), folder


def test_operators_under_sanitizers(models: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Catches reads and writes past the arena and the model, shifts out of range and sums that overflow."""
    done, _ = models
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_one_byte_changes_of_every_operator(
    change_bytes: Path, models: tuple[subprocess.CompletedProcess[str], Path]
) -> None:
    """Catches a shape, index, option or scale that an operator trusts: each byte in turn, then 1000 at random."""
    files = sorted(models[1].iterdir())
    kinds = {path.name.split(".of.")[0] for path in files}
    assert len(kinds) >= 15
    for path in files:
        for count, seed in ((path.stat().st_size, 0), (1000, 1)):
            done = subprocess.run(
                [str(change_bytes), str(path), str(count), str(seed)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{path.name}: {done.stderr[-3000:]}"
            refused, ran = map(int, re.findall(r"\d+", done.stdout))
            assert refused > 0, path.name
            assert ran > 0, path.name


@pytest.mark.parametrize(("bits", "seconds"), [(64, 40), (32, 20)])
def test_a_minute_of_fuzzing(
    bits: int, seconds: int, models: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    """Catches what nobody thought of: models of every operator, changed where it hurts, loaded, run, and run again
    while their bytes change. `arenite fuzz` does the same for as long as one likes."""
    zoo = ROOT / "models" / "zoo"
    folders = [models[1], TARGET / "found", zoo]
    try:
        result = fuzz(folders, tmp_path / "corpus", seconds, bits=bits, findings=tmp_path / "found")
    except UserError as error:
        if bits == 32 and "does not compile" in str(error):
            pytest.skip(f"no 32-bit programs on this machine: {str(error)[-200:]}")
        raise
    assert not result.found, result.words
    assert result.ran > len(list(models[1].iterdir()))
