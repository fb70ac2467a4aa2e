"""The README's sessions, typed into the REPL of a board."""

import doctest
import re

import pytest
from mpremote.transport_serial import SerialTransport

from arenite.boards import ROOT
from arenite.engine import Engine
from firmware.conftest import Session

PROMPT = b"\r\n>>> "
SESSIONS = re.findall(r"^```python\n(>>> .*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def typed(transport: SerialTransport, line: str) -> str:
    """What the REPL shows after a line."""
    transport.serial.write(line.encode() + b"\r")
    shown = transport.read_until(1, PROMPT, timeout=20).decode()
    echo, _, rest = shown.removesuffix(PROMPT.decode()).partition("\r\n")
    assert echo == line
    return rest.replace("\r\n", "\n")


@pytest.mark.parametrize("number", range(len(SESSIONS)))
def test_session(board: Session, number: int) -> None:
    """Catches a README that shows what the firmware does not do."""
    transport = board.transport
    transport.exit_raw_repl()
    transport.read_until(1, PROMPT, timeout=10)
    for example in doctest.DocTestParser().get_examples(SESSIONS[number]):
        line = example.source.rstrip()
        assert "\n" not in line, "the REPL indents by itself: one line at a time"
        expected = re.sub(r"\s+#.*", "", example.want).rstrip("\n")
        assert typed(transport, line) == expected, line
    transport.enter_raw_repl()


def test_there_is_a_session() -> None:
    """Catches a README whose session is no longer found, and so no longer tested."""
    assert any("Model(" in session and "invoke" in session for session in SESSIONS)


def test_every_operator_is_listed() -> None:
    """Catches an operator that was added without telling anyone."""
    listed = set(re.findall(r"\b[A-Z][A-Za-z0-9_]+\b", (ROOT / "README.md").read_text().partition("## Operators")[2]))
    missing = set(Engine().ops()) - listed
    assert not missing
