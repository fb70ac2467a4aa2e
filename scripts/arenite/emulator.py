"""One emulated board: QEMU with a firmware and a ROMFS image, for as long as a `with` block lasts."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from arenite import romfs
from arenite.boards import Board
from arenite.errors import BoardError, UserError

QEMU = "qemu-system-arm"
# 2**7 ns of virtual time an instruction: the board's 20 or 25 MHz counter, read around a piece of code, then gives its
# number of instructions exactly. Smaller shifts leave it ambiguous.
ICOUNT = ("-icount", "shift=7")
BOOT_SECONDS = 10
LOG_TAIL = 10  # lines
FAULT = re.compile(rb"^\W*(FAULT\b[^\r\n]*)", re.MULTILINE)


class Running(ABC):
    """An emulated board, whichever program it runs in, for as long as a `with` block lasts.

    Args:
        board: the board to be.

    Attributes:
        address: what pyserial and mpremote connect to, known once the block is entered.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.address = ""
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _start(self, folder: Path) -> None:
        """Start the emulator with its files in a folder, and return when the board can be talked to.

        Raises:
            BoardError: it did not start.
        """

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="arenite-")
        self._log = Path(self._folder.name) / "said.log"
        try:
            self._start(Path(self._folder.name))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def output(self) -> bytes:
        """Everything that it has said since it was started."""
        return self._log.read_bytes() if self._log.exists() else b""

    def close(self) -> None:
        """End the emulator and remove its files. Harmless when repeated."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def ended(self, within: float = 1.0) -> bool:
        """Whether the emulator ends, or has ended, within so many seconds: its socket closes a little before it."""
        assert self._process is not None
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_output(self) -> str:
        """The last lines that it has said."""
        return "\n".join(self.output().decode(errors="replace").splitlines()[-LOG_TAIL:])

    def death(self) -> BoardError:
        """Why the emulator is no longer there, in words for the user."""
        assert self._process is not None
        status = self._process.wait()
        if fault := FAULT.search(self.output()):
            return BoardError(f"{self.board.name}: {fault[1].decode(errors='replace')}")
        reason = f"the emulator ended with status {status}; its last output:\n{self.last_output()}"
        return BoardError(f"{self.board.name}: {reason}")

    def _run(self, command: list[str], output: Path, pass_fds: tuple[int, ...] = ()) -> None:
        """Start a command, its output into a file. The kernel ends it when this process ends, however it ends."""
        with output.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=pass_fds,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the emulator
            )


class Emulator(Running):
    """QEMU, running a board's firmware.

    Args:
        board: the board to be.
        files: what lies in the board's ROMFS, by path.
        firmware: the ELF file to boot instead of the board's own.
        terminal: offer the board's UART as a pseudo-terminal, which every serial program can open, in place of a
            socket, which is there at once and loses nothing when QEMU ends.

    Raises:
        UserError: QEMU or the firmware is missing, or the files do not fit the board's region.
        BoardError: QEMU did not start.
    """

    def __init__(
        self,
        board: Board,
        files: Mapping[str, bytes] | None = None,
        *,
        firmware: Path | None = None,
        terminal: bool = False,
    ) -> None:
        super().__init__(board)
        self.image = image_for(board, files or {})
        self.firmware = firmware or board.firmware
        self.terminal = terminal
        if not shutil.which(QEMU):
            raise UserError(f"not installed: {QEMU}; scripts/setup installs it")
        if not self.firmware.exists():
            raise UserError(f"{board.name} has no firmware yet: arenite build {board.name}")

    def _start(self, folder: Path) -> None:
        self._errors, image = folder / "qemu.log", folder / "romfs.img"
        image.write_bytes(self.image)
        loader = f"loader,file={image},addr={self.board.romfs_base:#x},force-raw=on"
        command = [QEMU, "-machine", self.board.machine]
        command += [*self.board.qemu_args, "-nographic", "-monitor", "none", "-semihosting"]
        command += [*(ICOUNT if self.board.icount else ()), "-kernel", str(self.firmware), "-device", loader]
        start = self._start_on_terminal if self.terminal else self._start_on_socket
        start([*command, "-serial", "chardev:uart", "-chardev"])

    def _with_uart(self, uart: str) -> str:
        return f"{uart},id=uart,logfile={self._log}"

    def _start_on_socket(self, command: list[str]) -> None:
        # QEMU is handed a socket that listens already: no port can be taken in between, and no wait is needed.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.address = f"socket://127.0.0.1:{listener.getsockname()[1]}"
            uart = f"socket,fd={listener.fileno()},server=on,wait=off"
            self._run([*command, self._with_uart(uart)], self._errors, (listener.fileno(),))
        self._wait_for_banner()

    def _wait_for_banner(self) -> None:
        """Wait for the board's first words. QEMU holds what comes before the board listens back for a whole second."""
        for _ in range(BOOT_SECONDS * 100):
            if self.output():
                return
            if self.ended(within=0.01):
                raise self._not_started()

    def _not_started(self) -> BoardError:
        said = self._errors.read_text(errors="replace").strip()
        return BoardError(f"{QEMU} did not start: {said}") if said else self.death()

    def _start_on_terminal(self, command: list[str]) -> None:
        self._run([*command, self._with_uart("pty")], self._errors)
        for _ in range(BOOT_SECONDS * 100):
            if found := re.search(r"redirected to (/dev/\S+)", self._errors.read_text()):
                self.address = found[1]
                return
            if self.ended(within=0.01):
                break
        raise self._not_started()


def image_for(board: Board, files: Mapping[str, bytes]) -> bytes:
    """The ROMFS image of these files.

    Raises:
        UserError: it is larger than the board's region; the message says by how much.
    """
    image = romfs.pack(files)
    if len(image) > board.romfs_size:
        raise UserError(
            f"{board.name} has {board.romfs_size} bytes of ROMFS, the image of these files needs {len(image)}"
        )
    return image


def end_on_termination() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, so that `with` blocks clean up."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def has_device(port: str) -> bool:
    """Whether a serial port can be there: a URL of pyserial's, or a file."""
    return "://" in port or os.path.exists(port)
