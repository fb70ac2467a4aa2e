"""The demonstration, as a user runs it."""

import re

from command import arenite


def test_demo_is_accurate_and_exact() -> None:
    """Catches a demonstration that does not run, misreads the digits, or whose answers are not tflite-micro's."""
    done = arenite("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    right, count = map(int, re.search(r"(\d+) of (\d+) held-out", done.stdout).groups())
    assert right >= 0.97 * count
    assert count >= 200
    assert f"{count} of {count} outputs are equal" in done.stdout
    assert done.stdout.count("answer ") >= 6
    assert re.search(r"arena +[\d,]+ bytes", done.stdout)
    assert re.search(r"[\d,]{5,} instructions", done.stdout)
