"""A connection to a board, emulated or real, on mpremote's own transport."""

import ast
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from arenite.emulator import Running, has_device
from arenite.errors import BoardError, UserError

Output = Callable[[bytes], None]
# How long a board may keep silent in the middle of the raw REPL's handshake.
HANDSHAKE_SECONDS = 10


class Connection:
    """A board at its raw REPL, freshly reset, for as long as a `with` block lasts.

    Args:
        address: a serial port, or a URL that pyserial opens.
        emulator: the emulator behind that address, if it is one: to say how it died.

    Raises:
        UserError: there is no such port.
        BoardError: nothing there that speaks MicroPython; later: a program's traceback, or a fault.
    """

    def __init__(self, address: str, emulator: Running | None = None) -> None:
        self.address = address
        self.emulator = emulator
        if not has_device(address):
            raise UserError(f"no serial port {address}")
        try:
            self.transport = SerialTransport(address, timeout=HANDSHAKE_SECONDS)
        except (TransportError, serial.SerialException) as error:
            raise UserError(f"{address}: {error}") from error

    def __enter__(self) -> Self:
        try:
            with redirect_stdout(io.StringIO()):  # mpremote prints what it has read instead of a prompt
                self._guard(self.transport.enter_raw_repl)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the board at its friendly REPL, which a real board's next user expects, and hang up."""
        with suppress(OSError, serial.SerialException):
            if self.emulator is None:
                self.transport.serial.write(b"\r\x03")  # Ctrl-C, should a program still run
                self.transport.exit_raw_repl()
            self.transport.close()

    def run(self, program: str | bytes, output: Output) -> None:
        """Run a program, handing its output on as it comes, with the line ends of a file.

        Raises:
            BoardError: the program ended with an exception; the message is the board's traceback.
        """
        stream = _LineEnds(output)
        traceback = self._guard(self._exec, program, stream)
        stream.flush()
        if traceback:
            raise BoardError(traceback.decode(errors="replace").replace("\r\n", "\n").rstrip())

    def load(self, name: str) -> None:
        """Run one of the programs in on_board/: it defines the functions that call() calls."""
        self.run(resources.files("arenite.on_board").joinpath(f"{name}.py").read_bytes(), _Lines(print))

    def call(self, function: str, *arguments: Any, each: Callable[[Any], None]) -> None:
        """Call a function that a program has defined. Every line it prints is a Python literal, handed to `each`."""
        call = f"{function}({', '.join(map(repr, arguments))})"
        self.run(call, _Lines(lambda line: each(ast.literal_eval(line))))

    def mount(self, folder: Path) -> None:
        """Let the board see a folder of the host as /remote."""
        self._guard(self.transport.mount_local, str(folder))

    def _exec(self, program: str | bytes, output: Output) -> bytes:
        self.transport.exec_raw_no_follow(program)
        _, traceback = self.transport.follow(timeout=None, data_consumer=output)
        return bytes(traceback)

    def _guard(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Do something with the board and turn what mpremote and pyserial raise into a BoardError."""
        try:
            return action(*arguments)
        except (TransportError, OSError) as error:  # SerialException is an OSError
            if self.emulator and self.emulator.ended():
                raise self.emulator.death() from error
            last = f"; its last output:\n{self.emulator.last_output()}" if self.emulator else ""
            raise BoardError(f"{self.address}: {error}{last}") from error


class _LineEnds:
    """Hands bytes on without the raw REPL's end mark, and with \\n for the REPL's \\r\\n."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.held = b""

    def __call__(self, data: bytes) -> None:
        data = (self.held + data).replace(b"\x04", b"").replace(b"\r\n", b"\n")
        self.held = b"\r" if data.endswith(b"\r") else b""
        if data := data.removesuffix(self.held):
            self.output(data)

    def flush(self) -> None:
        if self.held:
            self.output(self.held)


class _Lines:
    """Collects bytes and hands on whole lines."""

    def __init__(self, each: Callable[[str], object]) -> None:
        self.each = each
        self.held = b""

    def __call__(self, data: bytes) -> None:
        *lines, self.held = (self.held + data).split(b"\n")
        for line in lines:
            self.each(line.decode())


def to_stdout(data: bytes) -> None:
    """Show a board's output at once, byte for byte."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def deploy(port: str, image: bytes) -> None:
    """Write a ROMFS image to a real board's flash with mpremote, which shows its progress.

    Raises:
        BoardError: mpremote could not.
    """
    with tempfile.TemporaryDirectory(prefix="arenite-") as folder:
        file = Path(folder) / "image.romfs"
        file.write_bytes(image)
        command = [sys.executable, "-m", "mpremote", "connect", port, "romfs", "deploy", str(file)]
        if subprocess.run(command, check=False).returncode:
            raise BoardError(f"{port}: mpremote could not write the ROMFS image")
