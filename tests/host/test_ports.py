"""The C of the engine under the flags of MicroPython's ports, also of those that cannot be built here."""

import re
import subprocess
from pathlib import Path

import pytest

from arenite.boards import ROOT

USERMOD = ROOT / "usermod" / "arenite"
PORTS = ROOT / "micropython" / "ports"
HARD_FLOAT = ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
CORES = {
    "stm32": ("-mcpu=cortex-m4", *HARD_FLOAT),
    "nrf": ("-mcpu=cortex-m4", *HARD_FLOAT),
    "mimxrt": ("-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"),
    "samd": ("-mcpu=cortex-m0plus",),
}
FLAG = re.compile(r"(?<!\S)(-W[a-z][a-z=-]*|-std=\S+|-ansi|-f[a-z-]*constant)(?=\s|$)")


def flags_of(port: str) -> list[str]:
    """The warnings and the dialect of a port's Makefile, of its own lines of CFLAGS."""
    text = (PORTS / port / "Makefile").read_text().replace("\\\n", " ")
    lines = re.findall(r"^(?:CFLAGS|CFLAGS_CORTEX_M) \+?= (.*)$", text, re.MULTILINE)
    return FLAG.findall(" ".join(lines))


def module_flags() -> list[str]:
    """The flags that the module adds for its own files, with GCC."""
    text = (USERMOD / "micropython.mk").read_text()
    return re.findall(r"-[Wf][a-z-]+", " ".join(re.findall(r"^ARENITE_FLAGS \+?= (.*)$", text, re.MULTILINE)))


@pytest.mark.parametrize("port", CORES)
def test_no_warning_in_a_port(port: str, tmp_path: Path) -> None:
    """Catches C that a port refuses: another dialect, a promotion to double, constants that lose their precision."""
    flags = [*flags_of(port), *module_flags(), "-Werror", "-fsyntax-only", "-mthumb", *CORES[port], f"-I{USERMOD}"]
    assert {"-Wall", "-Wextra", "-fno-single-precision-constant"} <= set(flags)
    assert any(flag.startswith("-std=") for flag in flags)
    files = sorted(str(path) for room in ("engine", "ops", "kernels") for path in (USERMOD / room).rglob("*.c"))
    assert len(files) > 50
    command = ["arm-none-eabi-gcc", *flags, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
