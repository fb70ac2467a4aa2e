"""`arenite build`, `boards`, `run` and `emulate`, on the emulator."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from arenite import build
from arenite.boards import all_boards, find_board
from command import arenite, assert_refuses, emulate

BOARD = "MPS2_AN500"


@pytest.fixture
def script(tmp_path: Path):
    """Writes a program and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


def emulators_of(pid: int) -> list[int]:
    """The QEMU processes that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if "qemu" in Path(f"/proc/{child}/comm").read_text()]


def test_boards_lists_every_board() -> None:
    """Catches a board.json that cannot be read, or a board that the list leaves out."""
    done = arenite("boards")
    assert done.returncode == 0, done.stderr
    assert len(all_boards()) >= 6
    for board in all_boards():
        assert board.name in done.stdout


def test_build_does_nothing_twice() -> None:
    """Catches a build that runs make, or rewrites the firmware, though nothing has changed."""
    assert arenite("build", BOARD).returncode == 0
    before = find_board(BOARD).firmware.stat().st_mtime_ns
    start = time.monotonic()
    done = arenite("build", BOARD.lower())
    assert done.returncode == 0
    assert done.stdout.strip() == str(find_board(BOARD).firmware)
    assert done.stderr == ""
    assert find_board(BOARD).firmware.stat().st_mtime_ns == before
    assert time.monotonic() - start < 5


def test_build_notices_changes(monkeypatch, tmp_path: Path) -> None:
    """Catches firmware that is stale: a source changed, added or renamed is make's work, a change of a makefile or of
    any of a board's files starts from nothing; and a build directory that is thrown away for a source."""
    usermod, board = tmp_path / "usermod", find_board(BOARD)
    source, makefile = usermod / "x.c", usermod / "x.mk"
    usermod.mkdir()
    source.write_text("1")
    makefile.write_text("1")
    monkeypatch.setattr(build, "USERMOD", usermod)
    monkeypatch.setattr(build, "ROOT", Path("/"))
    seen = [build._fingerprints(board)]
    source.write_text("2")
    seen.append(build._fingerprints(board))
    source.rename(usermod / "y.c")
    seen.append(build._fingerprints(board))
    makefile.write_text("2")
    seen.append(build._fingerprints(board))
    assert seen[-1] == build._fingerprints(board)
    configurations, sources = zip(*seen, strict=True)
    assert configurations[0] == configurations[1] == configurations[2] != configurations[3]
    assert len(set(sources)) == 3
    assert sources[2] == sources[3]


def test_run_shows_output_and_succeeds(script) -> None:
    """Catches lost, doubled or translated output: line ends, bytes beyond ASCII, a last line without an end."""
    text = "print('one')\nprint('zwölf ✓')\nprint('\\r|', end='')"
    done = arenite("run", script(text), "--board", BOARD)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "one\nzwölf ✓\n\r|".replace("\r", "\n"), "text mode reads a lone CR as a line end"


def test_run_fails_with_the_boards_traceback(script) -> None:
    """Catches exit status 0 for a program that failed, or a failure whose reason is not shown."""
    done = arenite("run", script("print('before')\ndef f():\n    return 1 // 0\nf()\n"), "--board", BOARD)
    assert done.returncode == 1
    assert done.stdout == "before\n"
    assert 'line 4, in <module>\n  File "<stdin>", line 3, in f\nZeroDivisionError' in done.stderr
    assert "raise" not in done.stderr


def test_run_streams(script) -> None:
    """Catches output that only appears when the program has ended."""
    path = script("print('first')\nwhile True:\n    pass\n")
    command = [sys.executable, "-m", "arenite", "run", str(path), "--board", BOARD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "first\n"
        finally:
            process.kill()


def test_rom_files_lie_in_flash(script, tmp_path: Path) -> None:
    """Catches files that are missing from /rom, not aligned, or copied to RAM when opened."""
    (tmp_path / "a.bin").write_bytes(b"odd")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    board = find_board(BOARD)
    first, last = board.romfs_base, board.romfs_base + board.romfs_size
    text = f"""
from uctypes import addressof
for name in ("/rom/a.bin", "/rom/sub/c.bin"):
    view = memoryview(open(name, "rb"))
    address = addressof(view)
    print(bytes(view[:3]), len(view), address % 16, {first} <= address < {last})
"""
    roms = ["--rom", tmp_path / "a.bin", "--rom", f"sub/c.bin={tmp_path / 'b.bin'}"]
    done = arenite("run", script(text), "--board", BOARD, *roms)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "b'odd' 3 0 True\nb'\\x00\\x01\\x02' 256 0 True\n"


def test_run_says_when_the_emulator_ends(script) -> None:
    """Catches a client that waits for ever for a board that is gone."""
    done = arenite("run", script("print('x')\nimport machine\nmachine.reset()\n"), "--board", BOARD, timeout=60)
    assert done.returncode == 1
    assert "the emulator ended" in done.stderr


def test_user_errors_are_one_line(script, tmp_path: Path) -> None:
    """Catches tracebacks of ours, and exit status 0 or 1, where the user has made a mistake."""
    path = script("print(1)")
    assert_refuses("no board 'nope'; there are: ", "run", path, "--board", "nope")
    assert_refuses("no such file", "run", path, "--board", BOARD, "--rom", tmp_path / "none")
    assert_refuses("No such file", "run", tmp_path / "none", "--board", BOARD)
    assert_refuses("--port", "run", path)
    assert_refuses("--port", "run", path, "--board", BOARD, "--port", "/dev/null")
    assert_refuses("no serial port /dev/no_such", "run", path, "--port", "/dev/no_such")
    assert_refuses("no board 'nope'", "build", "nope")
    assert_refuses("no board 'nope'", "emulate", "nope")


def test_emulate_offers_a_board_and_ends(script, tmp_path: Path) -> None:
    """Catches a printed device that does not work, a board that is not reset for the next program, files that are not
    at /rom, `--port` not working, and an emulator that outlives the command."""
    (tmp_path / "x.txt").write_text("in flash")
    with emulate(BOARD, "--rom", tmp_path / "x.txt") as (process, device):
        (emulator,) = emulators_of(process.pid)
        for _ in range(2):
            path = script("print('y' in globals(), open('/rom/x.txt').read())\ny = 1\n")
            done = arenite("run", path, "--port", device)
            assert (done.returncode, done.stdout) == (0, "False in flash\n"), done.stderr
        mpremote = [sys.executable, "-m", "mpremote", "connect", device, "eval", "6 * 7"]
        assert subprocess.run(mpremote, capture_output=True, text=True, check=True).stdout.strip() == "42"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        with pytest.raises(ProcessLookupError):
            os.kill(emulator, 0)


def test_run_on_a_port_deploys_rom_files(script, tmp_path: Path) -> None:
    """Catches `--rom` being ignored on a real board: it is written to the board's ROMFS region by mpremote."""
    (tmp_path / "x.txt").write_text("deployed")
    with emulate(BOARD) as (_, device):
        path = script("print(open('/rom/x.txt').read())")
        done = arenite("run", path, "--port", device, "--rom", tmp_path / "x.txt")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("deployed\n")


def test_emulator_ends_with_a_killed_command() -> None:
    """Catches emulators left behind by a command that had no chance to clean up."""
    with emulate(BOARD) as (process, device):
        (emulator,) = emulators_of(process.pid)
        transport = SerialTransport(device, timeout=5)
        transport.enter_raw_repl()
        process.kill()
        process.wait(10)
        for _ in range(100):
            if not Path(f"/proc/{emulator}").exists():
                break
            time.sleep(0.1)
        else:
            pytest.fail("QEMU still runs")
