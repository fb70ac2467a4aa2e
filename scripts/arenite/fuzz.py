"""Fuzzing the engine on this machine: libFuzzer changes models, loads and runs them under sanitizers.

The target is tests/fuzz/load_and_invoke.c, the mutator that knows a model's fields tests/fuzz/mutate.c. What is found
lies in build/fuzz/found; a file that was found once and mended is kept in tests/fuzz/found, among the seeds.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from arenite.engine import ROOT, SANITIZERS, SOURCE, sources
from arenite.errors import UserError

TARGET = ROOT / "tests" / "fuzz"
FOLDER = ROOT / "build" / "fuzz"
CASES = ROOT / "build" / "cases"
LONGEST = 8192  # bytes of a model: short ones are quick, and have all operators
ARENA = 1 << 16  # bytes; models that need more are loaded but not run
ROUND = 500_000  # executions, after which libFuzzer starts anew with another seed
EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
RAN = re.compile(r"^(\d+) refused, (\d+) ran", re.MULTILINE)


@dataclass
class Fuzzed:
    """What a run of the fuzzer came to.

    Attributes:
        executions: models that were made.
        ran: of these, those that loaded and ran.
        found: files that ended it: a sanitizer's report, a run without an end, too much memory.
        words: what the sanitizer said of the last.
    """

    executions: int = 0
    ran: int = 0
    found: list[Path] = field(default_factory=list)
    words: str = ""


def build_fuzzer(bits: int = 64) -> Path:
    """Compile the target with clang, where something it is made of has changed; where it lies.

    Args:
        bits: of a pointer. 32, as on the boards, needs Debian's lib32stdc++-12-dev and libc6-dev-i386.

    Raises:
        UserError: clang is missing or refuses.
    """
    if not shutil.which("clang"):
        raise UserError("not installed: clang; scripts/setup installs it")
    files = [*sorted(TARGET.glob("*.c")), *sources()]
    flags = ["-std=gnu99", "-O1", f"-m{bits}", *SANITIZERS, "-fsanitize=fuzzer", f"-DLARGEST_ARENA={ARENA}"]
    key = hashlib.sha256(" ".join(flags).encode())
    for path in [*files, *sorted(SOURCE.rglob("*.h"))]:
        key.update(path.read_bytes())
    out = FOLDER / f"fuzz{bits}-{key.hexdigest()[:16]}"
    if not out.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        part = out.with_suffix(f".{os.getpid()}")
        command = ["clang", *flags, "-I", str(SOURCE), "-o", str(part), *map(str, files), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"the fuzz target does not compile:\n{done.stderr}")
        part.rename(out)
    return out


def write_seeds(folder: Path) -> int:
    """Fill a folder with what to start from; how many files.

    They are the models of this checkout that are short enough, what was found before, and, where the tests have left
    their cases in build/cases, up to eight of each combination of operators there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = [path.read_bytes() for path in sorted((ROOT / "models").rglob("*.tflite"))]
    found += [path.read_bytes() for path in sorted((TARGET / "found").iterdir())]
    kinds: dict[str, int] = {}
    for path in sorted(CASES.glob("*.npz")):
        with np.load(path) as case:
            kind, data = str(case["kinds"].tolist()), case["model"].tobytes()
        if len(data) <= LONGEST and kinds.get(kind, 0) < 8:
            kinds[kind] = kinds.get(kind, 0) + 1
            found.append(data)
    for data in found:
        if len(data) <= LONGEST:
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return len(list(folder.iterdir()))


def fuzz(
    seeds: Iterable[Path], corpus: Path, seconds: float, *, bits: int = 64, first: int = 1, findings: Path | None = None
) -> Fuzzed:
    """Run the fuzzer in rounds, each with a seed of its own, until the time is over or something is found.

    Args:
        seeds: folders of models to start from.
        corpus: a folder for what turned out to be new; what it holds is a start too.
        seconds: how long.
        bits: of a pointer.
        first: the first round's seed.
        findings: a folder for what is found; None: build/fuzz/found.

    Raises:
        UserError: clang is missing or refuses.
    """
    target = build_fuzzer(bits)
    kept = findings or FOLDER / "found"
    for folder in (corpus, kept):
        folder.mkdir(parents=True, exist_ok=True)
    result = Fuzzed()
    before = set(kept.iterdir())
    end = time.monotonic() + seconds
    while not result.found and (left := int(end - time.monotonic())) > 0:
        command = [str(target), f"-max_len={LONGEST}", f"-runs={ROUND}", f"-seed={first}", "-timeout=25"]
        command += [f"-max_total_time={left}", "-print_final_stats=1", f"-artifact_prefix={kept}/"]
        command += [str(corpus), *map(str, seeds)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        result.executions += sum(map(int, EXECUTIONS.findall(done.stderr)))
        result.ran += sum(int(ran) for _, ran in RAN.findall(done.stderr))
        result.found = sorted(set(kept.iterdir()) - before)
        result.words = done.stderr[-6000:] if done.returncode else ""
        if done.returncode and not result.found:
            raise UserError(f"the fuzzer ended with status {done.returncode}:\n{done.stderr[-2000:]}")
        first += 1
    return result
