"""`arenite curve` as a process: instructions against bytes of arena."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from command import arenite
from conftest import ROOT

DIGITS = ROOT / "models" / "digits" / "digits.tflite"


def test_curve(tmp_path: Path) -> None:
    """Catches points out of order, an arena that is not the smallest, bytes that buy nothing, and a broken picture."""
    picture = tmp_path / "curve.svg"
    done = arenite("curve", str(DIGITS), "--board", "MPS2_AN386", "--json", "-o", str(picture))
    assert done.returncode == 0, done.stderr
    [made] = json.loads(done.stdout)
    arenas, counts = zip(*made["points"], strict=True)
    assert made["model"] == "digits"
    assert len(arenas) >= 3
    assert list(arenas) == sorted(set(arenas))
    assert counts[-1] < counts[0]
    assert arenas[-1] > 1.2 * arenas[0]
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
