"""`arenite shell`: the unix port as a process, its REPL typed to through a pipe, and through a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import ROOT

DIGITS = ROOT / "models" / "digits" / "digits.tflite"
SINE = ROOT / "models" / "sine" / "sine.tflite"


def typed(lines: list[str], *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Type lines into the shell, up to its end."""
    return subprocess.run(
        [sys.executable, "-m", "arenite", "shell", *map(str, arguments)],
        input="\n".join([*lines, ""]), capture_output=True, text=True, timeout=600, check=False, cwd=cwd,
    )  # fmt: skip


def test_models_are_at_rom(tmp_path: Path) -> None:
    """Catches a shell without the module, without its models, or with a model that is copied from /rom."""
    (tmp_path / "here.tflite").write_bytes(SINE.read_bytes())
    lines = [
        "import arenite, gc",
        "gc.collect(); before = gc.mem_alloc()",
        "m = arenite.Model('/rom/digits.tflite')",
        "print('copied', gc.mem_alloc() - before > m.arena_size + 4000)",
        "m.invoke(bytes(784))",
        "arenite.Model('here.tflite').invoke(bytes(1)).dtype",
    ]
    done = typed(lines, DIGITS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "At /rom: digits.tflite" in done.stdout
    assert "copied False" in done.stdout
    assert "Tensor('digit', shape=(1, 10), dtype='int8', scale=0.00390625, zero_point=-128)" in done.stdout
    assert "'int8'" in done.stdout.splitlines()[-2:][0]


def test_answers_are_the_engines(tmp_path: Path) -> None:
    """Catches a unix port whose compiler or flags give other bits than the engine's library."""
    from arenite.engine import Engine, HostModel  # noqa: PLC0415

    model = HostModel(Engine(), DIGITS.read_bytes())
    image = bytes(n * 31 % 256 for n in range(784))
    model.input(0).reshape(-1).view("uint8")[:] = list(image)
    expected = model.invoke()[0].tobytes()
    program = "m = arenite.Model('/rom/digits.tflite'); m.invoke(bytes(n * 31 % 256 for n in range(784)))"
    lines = ["import arenite", program, "print('is', bytes(memoryview(m.outputs[0])))"]
    assert f"is {expected!r}" in typed(lines, DIGITS, cwd=tmp_path).stdout


def test_ctrl_c_is_the_repls() -> None:
    """Catches a Ctrl-C that ends the shell, or leaves its temporary files, instead of the program that runs in it."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "arenite", "shell", str(SINE)]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as shell:
        os.close(slave)
        try:
            until(master, b">>> ")
            os.write(master, b"while True: print('loop')\r\r\r")
            until(master, b"loop\r\nloop")
            os.killpg(shell.pid, signal.SIGINT)  # as the terminal would: to the shell and to MicroPython
            until(master, b"KeyboardInterrupt", b">>> ")  # what is typed before a prompt may be lost
            os.write(master, b"print('still', 'here')\r")
            until(master, b"still here", b">>> ")
            os.write(master, b"\x04")
            assert shell.wait(30) == 0
        finally:
            shell.kill()
            os.close(master)


def until(master: int, *wanted: bytes) -> None:
    """Read what a terminal shows up to some bytes, one after the other, and perhaps some more."""
    shown, deadline = b"", time.monotonic() + 300
    for part in wanted:
        while part not in shown:
            assert time.monotonic() < deadline, (part, shown[-500:])
            if select.select([master], [], [], 1)[0]:
                shown += os.read(master, 4096)
        shown = shown.split(part, 1)[1]
