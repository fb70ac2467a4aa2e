"""Damaged models under AddressSanitizer and UndefinedBehaviorSanitizer: refused or run, nothing else.

ARENITE_FULL=1 changes every byte of every small model and 20,000 of each large one; without it large ones are sampled.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from arenite import repack
from arenite.engine import Engine, EngineError, HostModel
from arenite.errors import UserError
from arenite.fuzz import TARGET, build_fuzzer
from arenite.saved_plan import with_plan
from conftest import REFERENCE, ROOT
from test_rows import network

FULL = bool(os.environ.get("ARENITE_FULL"))
SMALL = 20_000  # bytes: of these every byte
MODELS = sorted([*(ROOT / "models").rglob("*.tflite"), *REFERENCE.glob("*.tflite")])
FOUND = sorted((TARGET / "found").iterdir())


def change(program: Path, model: Path, count: int, seed: int) -> tuple[int, int]:
    """Change bytes of a model, one at a time, and load and run it; how often it was refused, how often it ran.

    Args:
        program: the fixture change_bytes.
        model: the file.
        count: how many changes.
        seed: of what is changed and to what; 0: each byte in turn, 0xff added.
    """
    command = [str(program), str(model), str(count), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{model.name}: {done.stderr[-3000:]}"
    refused, ran = map(int, re.findall(r"\d+", done.stdout))
    return refused, ran


@pytest.mark.skipif(not REFERENCE.exists(), reason=f"no {REFERENCE} (set ARENITE_REFERENCE_MODELS)")
def test_the_reference_models_are_there() -> None:
    """Catches one-byte changes of nothing, where the folder is there but empty."""
    assert len(MODELS) >= 20


@pytest.mark.parametrize("path", MODELS, ids=[path.stem for path in MODELS])
def test_one_byte_changes(change_bytes: Path, path: Path) -> None:
    """Catches a field that load does not check and invoke trusts: tflite-micro dies of 32 in 600 of these."""
    size = path.stat().st_size
    rounds = [(size, 0), (min(size, 20_000), 1)] if size <= SMALL else [(20_000 if FULL else 600, 1)]
    for count, seed in rounds:
        refused, ran = change(change_bytes, path, count, seed)
        assert refused > 0
        assert ran > 0
        assert refused + ran <= count


def test_one_byte_changes_of_a_saved_plan(change_bytes: Path, engine: Engine, tmp_path: Path) -> None:
    """Catches a plan in the metadata that is trusted, whatever byte of it or of its model is another."""
    path = tmp_path / "planned.tflite"
    data, _ = network(3)
    plan = engine.lives(data, engine.arena_needed(data)).cuts
    assert len(plan) > 2
    path.write_bytes(with_plan(repack.unpack(data), plan))
    for seed in range(3):  # 0: each byte in turn
        _, ran = change(change_bytes, path, min(path.stat().st_size, 20_000), seed)
        assert ran > 0


@pytest.mark.parametrize("path", FOUND, ids=[path.stem for path in FOUND])
@pytest.mark.parametrize("bits", [64, 32])
def test_what_fuzzing_has_found(path: Path, bits: int) -> None:
    """Catches a finding of the fuzzer's that comes back: each file made the engine leave its memory, or never end."""
    try:
        target = build_fuzzer(bits)
    except UserError as error:
        if bits == 32:
            pytest.skip(f"no 32-bit programs on this machine: {str(error)[-200:]}")
        raise
    done = subprocess.run([str(target), "-timeout=60", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_truncation_is_refused(engine: Engine) -> None:
    """Catches a read past the end of a file that was cut short, and a half model that loads."""
    data = (ROOT / "models" / "sine" / "sine.tflite").read_bytes()
    for length in range(0, len(data) - 16, 7):
        with pytest.raises(EngineError, match="model: "):
            HostModel(engine, data[:length])
