"""Damaged models under AddressSanitizer and UndefinedBehaviorSanitizer: refused or run, nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from arenite.engine import Engine, EngineError, HostModel
from conftest import REFERENCE, ROOT

SMALL = ["hello_world_int8", "hello_world_float", "micro_speech_quantized"]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("seed", [0, 1])
def test_one_byte_changes(change_bytes: Path, name: str, seed: int) -> None:
    """Catches a field that load does not check and invoke trusts: tflite-micro dies of 32 in 600 of these."""
    path = REFERENCE / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {REFERENCE} (set ARENITE_REFERENCE_MODELS)")
    done = subprocess.run(
        [str(change_bytes), str(path), "20000", str(seed)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    refused, ran = map(int, re.findall(r"\d+", done.stdout))
    assert refused > 0
    assert ran > 0
    assert refused + ran <= 20000


def test_every_truncation_is_refused(engine: Engine) -> None:
    """Catches a read past the end of a file that was cut short, and a half model that loads."""
    data = (ROOT / "models" / "sine" / "sine.tflite").read_bytes()
    for length in range(0, len(data) - 16, 7):
        with pytest.raises(EngineError, match="model: "):
            HostModel(engine, data[:length])
