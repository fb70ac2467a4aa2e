"""The command line as a process of its own, as a user runs it."""

import subprocess
import sys


def arenite(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run `arenite` with these arguments to its end."""
    command = [sys.executable, "-m", "arenite", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def assert_refuses(reason: str, *arguments: object) -> None:
    """The command ends with status 2 and one line on standard error that holds the reason; no traceback."""
    done = arenite(*arguments)
    assert done.returncode == 2, done
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
