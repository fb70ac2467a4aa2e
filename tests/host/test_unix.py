"""The module in MicroPython's unix port, under AddressSanitizer and UndefinedBehaviorSanitizer.

Faults that no board can be given at will: memory that fails at any allocation, files that fail, threads.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from pathlib import Path

import pytest

from arenite.build import MICROPYTHON
from arenite.engine import ROOT

PROGRAMS = Path(__file__).resolve().parent / "unix"
FOLDER = ROOT / "build" / "unix"
# MicroPython's own C is not clean of these; the engine is tested with all of them in test_sanitizers.py.
MICROPYTHONS = "alignment,pointer-overflow,shift,nonnull-attribute,bounds"
LEFT_OUT = [
    "PY_SSL=0", "SSL_MBEDTLS=0", "PY_BTREE=0", "PY_FFI=0", "PY_BLUETOOTH=0", "VFS_LFS1=0", "PY_SOCKET=0", "PY_JNI=0",
]  # fmt: skip


@pytest.fixture(scope="session")
def unix() -> Path:
    """MicroPython for this machine with the module in it, built where something has changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    flags = f"-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize={MICROPYTHONS}"
    make = [
        "make", "-C", str(MICROPYTHON / "ports" / "unix"), f"-j{os.cpu_count()}", f"BUILD={FOLDER}", "VARIANT=standard",
        "FROZEN_MANIFEST=", "MICROPY_MPYCROSS=mpy-cross", "MICROPY_MPYCROSS_DEPENDENCY=",
        f"USER_C_MODULES={ROOT / 'usermod'}", f"CFLAGS_EXTRA={flags}", "LDFLAGS_EXTRA=-fsanitize=address,undefined",
        *(f"MICROPY_{name}" for name in LEFT_OUT),
    ]  # fmt: skip
    with (FOLDER.parent / "unix.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(make, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return FOLDER / "micropython"


def run(unix: Path, name: str, *arguments: object, heap: str = "4M") -> str:
    """Run one of the programs and return what it printed; the first finding of a sanitizer ends it."""
    env = os.environ | {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1"}
    command = [str(unix), "-X", f"heapsize={heap}", str(PROGRAMS / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


# What each part allocates at the least: a hole of so many 32-byte blocks was too small that often.
FAILURES = {
    "path": 100, "buffer": 100, "arena": 100, "size": 100, "needed": 10, "block": 50, "profile": 30, "repr": 1,
    "dequantize": 50, "ops": 50, "facts": 0,
}  # fmt: skip


def test_no_memory_at_any_allocation(unix: Path) -> None:
    """Catches an allocation whose failure is not looked for, a part of an arena that is not given back, and memory that
    stays with a load that failed: the heap is full but for a hole, which grows block by block until all works."""
    rows = re.findall(r"^(\w+) (\d+) (\d+) (-?\d+)$", run(unix, "no_memory", heap="400000"), re.MULTILINE)
    assert {name for name, *_ in rows} == FAILURES.keys()
    for name, failed, worked, grown in rows:
        assert int(failed) >= FAILURES[name], name
        assert int(worked) == 5, name
        assert int(grown) < 20_000, name


def test_files_that_fail(unix: Path) -> None:
    """Catches a file that is not closed, a count that is believed, a half model, and a buffer that is freed while the
    filesystem still has it: it shrinks, fails half-way, reads short, lies, answers nonsense."""
    assert run(unix, "files") == "fine\n"


def test_threads(unix: Path) -> None:
    """Catches two runs of one model at once, which this port's threads, with no global lock, come to at the same
    time, and state that models share."""
    for _ in range(3):
        assert run(unix, "threads", heap="16M").startswith("fine")


@pytest.mark.parametrize("model", ["sine/sine", "zoo/if_while", "zoo/streaming"])
def test_an_arena_that_is_written_to(unix: Path, model: str) -> None:
    """Catches a run on records that a script has written over: they hold addresses, of functions too."""
    words = run(unix, "arenas", f"models/{model}.tflite").split()
    assert words[0] == "fine"
    assert min(map(int, words[1:])) > 1000


@pytest.mark.parametrize(
    ("model", "step"),
    [
        ("sine/sine", 1), ("zoo/if_while", 2), ("zoo/streaming", 2), ("zoo/int4", 2), ("zoo/lstm_fused_int8", 7),
        ("digits/digits", 61), ("zoo/lstm_float", 37), ("zoo/gru_int8", 53),
    ],
)  # fmt: skip
def test_a_model_that_changes_while_it_runs(unix: Path, model: str, step: int) -> None:
    """Catches what the engine reads again and believes: a bytearray's bytes are changed after each operator of a run,
    and everything the module offers is used on what is left."""
    assert run(unix, "changes", f"models/{model}.tflite", step).startswith("fine")
