"""Shared by the host tests: the engine as a library, and where the reference models are."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.engine import SANITIZERS, SOURCE, Engine, sources
from cases import CASES

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("ARENITE_REFERENCE_MODELS", ROOT.parent / "shared" / "models"))


def pytest_sessionfinish() -> None:
    """Leave the numbers of cases that ran in this process."""
    CASES.write_counts()


class KeepingEngine(Engine):
    """Keeps models that it takes: the first few of each sequence of operators and types, to be damaged later."""

    def __init__(self, folder: Path, *, sanitize: bool) -> None:
        super().__init__(sanitize=sanitize)
        self.folder = folder

    def arena_needed(self, data: bytes, *, stream: bool = False) -> int:
        """As Engine's; a model that is refused is not kept."""
        needed = super().arena_needed(data, stream=stream)
        kind = kind_of(data)
        if len(data) < 4096 and len(list(self.folder.glob(f"{kind}-*"))) < 3:
            name = f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}.tflite"
            (self.folder / name).write_bytes(data)
        return needed


def kind_of(data: bytes) -> str:
    """The operators of a model by their numbers in the schema, and its tensors' types: "3.0.9.2.9"."""
    model = schema.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    codes = [
        model.OperatorCodes(graph.Operators(k).OpcodeIndex()).BuiltinCode() for k in range(graph.OperatorsLength())
    ]
    types = [graph.Tensors(i).Type() for i in range(graph.TensorsLength())]
    return ".".join(map(str, [*codes, "of", *types]))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine, compiled once a session; with sanitizers where a test runs the others under them."""
    sanitize, folder = bool(os.environ.get("ARENITE_SANITIZE")), os.environ.get("ARENITE_KEEP_MODELS")
    return KeepingEngine(Path(folder), sanitize=sanitize) if folder else Engine(sanitize=sanitize)


@pytest.fixture(scope="session")
def change_bytes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that changes bytes of a model, compiled with sanitizers."""
    out = tmp_path_factory.mktemp("fuzz") / "change_bytes"
    driver = ROOT / "tests" / "fuzz" / "load_and_invoke.c"
    command = ["gcc", "-std=gnu99", "-O2", "-DCHANGE_BYTES", *SANITIZERS, "-I", str(SOURCE), "-o", str(out)]
    subprocess.run([*command, str(driver), *map(str, sources()), "-lm"], check=True)
    return out


def reference_model(name: str) -> bytes:
    """A public reference model, or the test is skipped, saying so."""
    path = REFERENCE / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {REFERENCE} (set ARENITE_REFERENCE_MODELS)")
    return path.read_bytes()
