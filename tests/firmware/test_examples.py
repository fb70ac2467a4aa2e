"""The examples, run as their first lines say."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from arenite.boards import ROOT
from arenite.demo import held_out
from command import arenite

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def command_of(example: Path) -> list[str]:
    """The `arenite run` line of an example's comment."""
    (line,) = re.findall(r"^#   arenite (run .*)$", example.read_text(), re.MULTILINE)
    return shlex.split(line)


@pytest.fixture
def digits_bin(tmp_path: Path) -> Path:
    """What examples/digits.py reads: labels and images of 50 held-out digits."""
    images, labels = held_out()
    path = tmp_path / "digits.bin"
    records = zip(labels[:50], images[:50], strict=True)
    path.write_bytes(b"".join(bytes([int(label)]) + image.astype(np.uint8).tobytes() for label, image in records))
    return path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, digits_bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an example that does not run as it says, or ends with an error."""
    monkeypatch.chdir(ROOT)
    arguments = [str(digits_bin) if word == "digits.bin" else word for word in command_of(example)]
    done = arenite(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if example.stem == "digits":
        right, total = map(int, re.findall(r"\d+", done.stdout.splitlines()[-1]))
        assert total == 50
        assert right >= 47
    if example.stem == "sine":
        rows = [tuple(map(float, line.split()[:2])) for line in done.stdout.splitlines()]
        assert len(rows) == 13
        assert max(abs(y - np.sin(x)) for x, y in rows) < 0.15
