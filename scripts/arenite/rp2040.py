"""One emulated Pico: rp2040py with a firmware and a ROMFS image in its flash, for as long as a `with` block lasts.

It runs the real firmware with the chip's own boot ROM, USB and all: what mpremote connects to is the board's USB serial
port. The Pico's clock runs at 125 MHz of emulated cycles, so microseconds on the board count cycles. They are a lower
bound: reads that miss the flash cache, and bus contention, take no time there.
"""

import importlib.util
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from arenite import uf2
from arenite.boards import Board
from arenite.emulator import LOG_TAIL, image_for
from arenite.errors import BoardError, UserError

PACKAGE = "rp2040py"
BOOT_SECONDS = 60
LISTENING = re.compile(r"listening on (/dev/\S+)")


class Rp2040:
    """rp2040py, running a board's firmware.

    Args:
        board: the board to be.
        files: what lies in the board's ROMFS, by path.
        extra: a UF2 file to load after the firmware, as if it were dropped on the boot drive, in place of files.

    Attributes:
        address: the pseudo-terminal that pyserial and mpremote connect to, known once the block is entered.

    Raises:
        UserError: the emulator or the firmware is missing, or the files do not fit the board's region.
        BoardError: the emulator did not start.
    """

    def __init__(self, board: Board, files: Mapping[str, bytes] | None = None, *, extra: bytes = b"") -> None:
        self.board = board
        self.extra = extra or uf2.models(image_for(board, files or {}), board)
        self.address = ""
        self._process: subprocess.Popen[bytes] | None = None
        if not importlib.util.find_spec(PACKAGE):
            raise UserError(f"{board.name} is emulated by {PACKAGE}, which is not installed: scripts/setup test")
        if not board.product.exists():
            raise UserError(f"{board.name} has no firmware yet: arenite build {board.name}")

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="arenite-")
        self._log = Path(self._folder.name) / "emulator.log"
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the emulator and remove its files. Harmless when repeated."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def ended(self, within: float = 1.0) -> bool:
        """Whether the emulator ends, or has ended, within so many seconds."""
        assert self._process is not None
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_output(self) -> str:
        """The last lines that the emulator has said."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-LOG_TAIL:])

    def death(self) -> BoardError:
        """Why the emulator is no longer there, in words for the user."""
        assert self._process is not None
        status = self._process.wait()
        return BoardError(
            f"{self.board.name}: the emulator ended with status {status}; its last output:\n{self.last_output()}"
        )

    def _start(self) -> None:
        image = Path(self._folder.name) / "flash.uf2"
        image.write_bytes(self.board.product.read_bytes() + self.extra)
        # The kernel ends the emulator when this process ends, however it ends.
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", PACKAGE, "micropython"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--image", str(image), "--pty"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the emulator
            )
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
