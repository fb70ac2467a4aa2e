"""MicroPython with Arenite on this computer: the unix port's REPL, with models at /rom as on a board."""

import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from arenite import romfs
from arenite.boards import find_board
from arenite.build import build

BOARD = "UNIX"
# Runs before the REPL. The image is aligned as in flash: blocks of MicroPython's heap are.
PROGRAM = """\
import vfs
vfs.mount(vfs.VfsRom(open({image!r}, "rb").read()), "/rom")
del vfs
print("At /rom:", ", ".join({names!r}) or "nothing", "- any other path is this computer's. Try: import arenite")
"""


def shell(files: Mapping[str, bytes], console: Console) -> int:
    """Start the REPL on this terminal and wait for its end.

    Args:
        files: what lies at /rom, by path.

    Returns:
        the exit status of MicroPython.

    Raises:
        UserError: the unix port cannot be built.
    """
    board = find_board(BOARD)
    program = build(board, console)
    image = romfs.pack(files)
    with tempfile.TemporaryDirectory(prefix="arenite-") as folder:
        rom, start = Path(folder) / "rom.img", Path(folder) / "start.py"
        rom.write_bytes(image)
        start.write_text(PROGRAM.format(image=str(rom), names=sorted(files)))
        heap = f"heapsize={board.ram_heap + len(image)}"
        before = signal.signal(signal.SIGINT, lambda number, frame: None)  # Ctrl-C is for the REPL
        try:
            return subprocess.run([str(program), "-X", heap, "-i", str(start)], check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)
