"""The tests of operators once more, on an engine built with AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def runtime_library(name: str) -> str:
    """Where the compiler keeps a library."""
    command = ["gcc", f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_operators_under_sanitizers() -> None:
    """Catches reads and writes past the arena and the model, shifts out of range and sums that overflow.

    Python itself is not built with sanitizers, so their libraries are loaded before it. The first report ends the run.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    env["LD_PRELOAD"] = f"{runtime_library('libasan.so')} {runtime_library('libubsan.so')}"
    env["ASAN_OPTIONS"] = "detect_leaks=0"
    env["ARENITE_SANITIZE"] = "1"
    tests = sorted(map(str, HERE.glob("test_ops_*.py")))
    assert tests
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=short", *tests]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
