"""Shared by the host tests: the engine as a library, and where the reference models are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arenite.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("ARENITE_REFERENCE_MODELS", ROOT.parent / "shared" / "models"))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine, compiled once a session; with sanitizers where a test runs the others under them."""
    return Engine(sanitize=bool(os.environ.get("ARENITE_SANITIZE")))


def reference_model(name: str) -> bytes:
    """A public reference model, or the test is skipped, saying so."""
    path = REFERENCE / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {REFERENCE} (set ARENITE_REFERENCE_MODELS)")
    return path.read_bytes()
