"""One emulated Pico: rp2040py with a firmware and a ROMFS image in its flash, for as long as a `with` block lasts.

It runs the real firmware with the chip's own boot ROM, USB and all: what mpremote connects to is the board's USB serial
port. The Pico's clock runs at 125 MHz of emulated cycles, so microseconds on the board count cycles. They are a lower
bound: reads that miss the flash cache, and bus contention, take no time there.
"""

import importlib.util
import os
import re
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from arenite import uf2
from arenite.boards import Board
from arenite.emulator import Running, image_for
from arenite.errors import BoardError, UserError

PACKAGE = "rp2040py"
BOOT_SECONDS = 60
LISTENING = re.compile(r"listening on (/dev/\S+)")


class Rp2040(Running):
    """rp2040py, running a board's firmware.

    Args:
        board: the board to be.
        files: what lies in the board's ROMFS, by path.
        extra: a UF2 file to load after the firmware, as if it were dropped on the boot drive, in place of files.

    Raises:
        UserError: the emulator or the firmware is missing, or the files do not fit the board's region.
        BoardError: the emulator did not start.
    """

    def __init__(self, board: Board, files: Mapping[str, bytes] | None = None, *, extra: bytes = b"") -> None:
        super().__init__(board)
        self.extra = extra or uf2.models(image_for(board, files or {}), board)
        if not importlib.util.find_spec(PACKAGE):
            raise UserError(f"{board.name} is emulated by {PACKAGE}, which is not installed: scripts/setup test")
        if not board.product.exists():
            raise UserError(f"{board.name} has no firmware yet: arenite build {board.name}")

    def _start(self, folder: Path) -> None:
        image = folder / "flash.uf2"
        image.write_bytes(self.board.product.read_bytes() + self.extra)
        self._run([sys.executable, "-m", PACKAGE, "micropython", "--image", str(image), "--pty"], self._log)
        deadline = time.monotonic() + BOOT_SECONDS
        while not (found := LISTENING.search(self.last_output())):
            if self.ended(within=0.05):
                raise self.death()
            if time.monotonic() > deadline:
                raise BoardError(f"{self.board.name}: the emulator did not start:\n{self.last_output()}")
        self.address = found[1]
        self._wait_for_prompt(deadline)

    def _wait_for_prompt(self, deadline: float) -> None:
        """Wait for the board's first words, without reading them: what is sent to it before its USB is up is lost."""
        terminal = os.open(self.address, os.O_RDWR | os.O_NOCTTY)
        try:
            while not select.select([terminal], [], [], 0.1)[0]:
                if self.ended(within=0):
                    raise self.death()
                if time.monotonic() > deadline:
                    raise BoardError(f"{self.board.name}: no word from its USB serial port after {BOOT_SECONDS} s")
        finally:
            os.close(terminal)
