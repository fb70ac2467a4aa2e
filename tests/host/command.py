"""The command line as a process of its own, as a user runs it."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Where a shell runs the suite in its background, SIGINT is ignored, and by what the suite starts too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@contextmanager
def emulate(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`arenite emulate` while it runs, and the device it names."""
    command = [sys.executable, "-m", "arenite", "emulate", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"mpremote connect (\S+)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            process.terminate()
