"""Build a board's firmware with MicroPython's own build of its port, when something it is made of has changed."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from arenite import operators, uf2
from arenite.boards import BOARDS, BUILD, ROOT, Board
from arenite.errors import UserError

MICROPYTHON = ROOT / "micropython"
USERMOD = ROOT / "usermod"
MPY_CROSS = BUILD / "mpy-cross"
COMPILER = "arm-none-eabi-gcc"
# Make knows which objects depend on which source, but not what they were configured with, nor that a header of a board
# decides which interned strings there are: a change of these, or of any of a board's files, starts from nothing.
CONFIGURATION = {".mk", ".cmake", ".py"}
# What the boards of a port share, and what the port needs of MicroPython's submodules, each with a file of its own.
SHARED = {"qemu": BOARDS / "common", "rp2": BOARDS / "rp2"}
PICO_LIBRARIES = ("pico-sdk/pico_sdk_version.cmake", "tinyusb/src/tusb_option.h", "mbedtls/library/aes.c")
VERSION_PARTS = ("MAJOR", "MINOR", "MICRO")
TAIL, TAIL_WIDTH = 15, 200


def build(board: Board, console: Console, *, force: bool = False) -> Path:
    """Bring a board's firmware up to date and return its ELF file. Quick where nothing has changed.

    Processes that build at once wait for each other.

    Raises:
        UserError: MicroPython or the toolchain is missing, or the compiler refused; the message ends with its output.
    """
    with _lock(board.build_folder.name):
        configuration, sources = _fingerprints(board)
        stamp = board.build_folder / "arenite.stamp"
        before = stamp.read_text().split() if stamp.exists() else ["", ""]
        if not force and board.firmware.exists() and before == [configuration, sources]:
            return board.firmware
        _require_toolchain(board)
        if force or before[0] != configuration:
            shutil.rmtree(board.build_folder, ignore_errors=True)
        with _lock("mpy-cross"):
            if not (MPY_CROSS / "mpy-cross").exists():
                _run("mpy-cross", [_make(MICROPYTHON / "mpy-cross", f"BUILD={MPY_CROSS}")], MPY_CROSS, console)
        stamp.unlink(missing_ok=True)
        if board.operators:
            board.build_folder.mkdir(parents=True, exist_ok=True)
            _chosen(board).write_text(operators.header(board.operators, board.without))
        _run(board.name, _commands(board), board.build_folder, console)
        if not board.firmware.exists():
            raise UserError(f"the build of {board.name} ended without {board.firmware.name}")
        if board.uf2_family:
            board.product.write_bytes(uf2.firmware(board.firmware.with_suffix(".bin"), board))
        stamp.write_text(f"{configuration}\n{sources}\n")
        return board.firmware


def _commands(board: Board) -> list[list[str]]:
    """What builds a board: make, or for the ports that are built with it, CMake and then make."""
    if board.port == "rp2":
        return [_configure(board), _make(board.build_folder)]
    return [
        _make(
            MICROPYTHON / "ports" / board.port,
            *(
                [f"VARIANT={board.name}", f"VARIANT_DIR={board.folder}"]
                if board.port == "unix"
                else [f"BOARD={board.name}", f"BOARD_DIR={board.folder}"]
            ),
            f"BUILD={board.build_folder}",
            f"USER_C_MODULES={USERMOD}",
            f"MICROPY_MPYCROSS={MPY_CROSS / 'mpy-cross'}",
            f"MICROPY_MPYCROSS_DEPENDENCY={MPY_CROSS / 'mpy-cross'}",
            *_options(board),
        )
    ]


def _configure(board: Board) -> list[str]:
    return [
        "cmake",
        "-S", str(MICROPYTHON / "ports" / board.port),
        "-B", str(board.build_folder),
        "-G", "Unix Makefiles",
        f"-DMICROPY_BOARD={board.name}",
        f"-DMICROPY_BOARD_DIR={board.folder}",
        f"-DUSER_C_MODULES={USERMOD / 'micropython.cmake'}",
        f"-DPython3_EXECUTABLE={sys.executable}",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
        *(f"-D{option}" for option in _options(board)),
    ]  # fmt: skip


def _options(board: Board) -> list[str]:
    """The module's own options, for make; CMake calls them the same."""
    chosen = [f"ARENITE_OPS={_chosen(board)}"] if board.operators else []
    return chosen + (["ARENITE_SMALL=1"] if board.small else [])


def _make(folder: Path, *variables: str) -> list[str]:
    return ["make", f"-j{os.cpu_count() or 1}", "-C", str(folder), *variables]


def _release() -> str:
    """MicroPython's version, as its header has it."""
    header = (MICROPYTHON / "py" / "mpconfig.h").read_text()
    parts = (re.search(rf"^#define MICROPY_VERSION_{part} (\d+)", header, re.MULTILINE) for part in VERSION_PARTS)
    return ".".join(part[1] if part else "0" for part in parts)


def _chosen(board: Board) -> Path:
    """The header that takes the place of ops/table.h."""
    return board.build_folder / "arenite_ops.h"


def _require_toolchain(board: Board) -> None:
    wanted = ["make", "gcc", *({"unix": [], "rp2": [COMPILER, "cmake"]}.get(board.port, [COMPILER]))]
    missing = [tool for tool in wanted if not shutil.which(tool)]
    if missing:
        raise UserError(f"not installed: {', '.join(missing)}; scripts/setup installs what is needed")
    if not (MICROPYTHON / "py" / "mpconfig.h").exists():
        raise UserError("micropython/ is empty; scripts/setup fills it")
    if board.port == "rp2" and not all((MICROPYTHON / "lib" / file).exists() for file in PICO_LIBRARIES):
        raise UserError(
            f"{board.name} needs pico-sdk, tinyusb and mbedtls in micropython/lib; scripts/fetch-pico does it"
        )


@contextmanager
def _lock(name: str) -> Iterator[None]:
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fingerprints(board: Board) -> tuple[str, str]:
    """Digests of the configuration and of the sources that the firmware is made of."""
    usermod = _files_below(USERMOD)
    configuration = [MICROPYTHON / "py" / "mpconfig.h", *_files_below(board.folder)]
    if board.port in SHARED:
        configuration += _files_below(SHARED[board.port])
    if board.port == "rp2":
        configuration += [MICROPYTHON / "lib" / file for file in PICO_LIBRARIES]
    configuration += [path for path in usermod if _configures(path)]
    sources = [path for path in usermod if not _configures(path)]
    compiler = _compiler("gcc" if board.port == "unix" else COMPILER)
    options = [compiler, *board.operators, *board.without, *(["small"] if board.small else [])]
    return _digest(" ".join(options), configuration), _digest("", sources)


def _configures(path: Path) -> bool:
    """The binding has the interned strings; frozen code that was made with other ones does not compile."""
    return path.suffix in CONFIGURATION or path.parent.name == "binding"


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(start: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(start.encode())
    for path in files:
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _compiler(name: str) -> str:
    """Which compiler: its path and its time of change, so that an upgrade rebuilds."""
    found = shutil.which(name)
    return f"{found} {Path(found).resolve().stat().st_mtime_ns}" if found else "none"


def _run(what: str, commands: list[list[str]], folder: Path, console: Console) -> None:
    """Run a build's commands, show that it lives, keep its output in the folder's build.log."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "build.log"
    tail: deque[str] = deque(maxlen=TAIL)
    start = time.monotonic()
    if not console.is_terminal:
        console.print(f"building {what} ...", markup=False)
    columns = (
        SpinnerColumn(),
        TextColumn("building {task.description}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with (
        log.open("w") as file,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(what, line="")

        def show(line: str) -> None:
            file.write(line)
            tail.append(line.rstrip()[:TAIL_WIDTH])
            progress.update(task, line=line.strip()[:60])

        if not all(_succeeds(command, show) for command in commands):
            file.flush()
            raise UserError("\n".join([f"the build of {what} failed; the end of {log}:", *tail]))
    console.print(f"built {what} in {time.monotonic() - start:.0f} s", markup=False)


def _succeeds(command: list[str], show: Callable[[str], None]) -> bool:
    environment = os.environ | {"MICROPY_MPYCROSS": str(MPY_CROSS / "mpy-cross")}  # CMake takes it from there
    if not (MICROPYTHON / ".git").exists():  # MicroPython would take the version of the project around it for its own
        environment |= {"MICROPY_GIT_TAG": f"v{_release()}", "MICROPY_GIT_HASH": _release()}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            show(line)
    return process.returncode == 0
