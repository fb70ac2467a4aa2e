"""The boards that firmware is built for: boards/NAME/board.json, and where their build output lies."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from arenite.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "boards"
BUILD = ROOT / "build"


@dataclass(frozen=True)
class Board:
    """One board's facts. Sizes and addresses are in bytes.

    Attributes:
        port: the port of MicroPython (qemu, rp2, unix) that it is a board of.
        emulator: what can run its firmware here (qemu, rp2040); empty: only the board itself.
        machine: the name QEMU knows the board by.
        qemu_args: what QEMU needs more than the machine's name.
        romfs_base: address of the region that the board mounts at /rom.
        ram_heap: size of MicroPython's heap.
        tier: the folder of kernels compiled in (portable, thumb, dsp, mve).
        icount: whether the emulator can count this board's instructions or cycles.
        cycles_per_tick: where arenite.ticks() is not a count of instructions: core cycles in a tick.
        uf2_family: what the boot drive of the board knows its UF2 files by; 0: it has none.
        variant: tells apart firmware of the same board that has only some operators.
        operators: these; none: all.
        without: and none of these ways to run them (ways.py).
        small: whether its firmware is built for few bytes of flash rather than for speed.
    """

    name: str
    description: str
    cpu: str
    romfs_base: int
    romfs_size: int
    ram_heap: int
    tier: str
    port: str = "qemu"
    emulator: str = "qemu"
    machine: str = ""
    qemu_args: tuple[str, ...] = field(default=())
    icount: bool = True
    cycles_per_tick: int = 0
    uf2_family: int = 0
    variant: str = ""
    operators: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    small: bool = False

    @property
    def folder(self) -> Path:
        """Where the board's sources lie."""
        return BOARDS / self.name

    @property
    def build_folder(self) -> Path:
        """Where the build puts its output."""
        name = f"{self.name}-small" if self.small else self.name
        return BUILD / (f"{name}-for-{self.variant}" if self.variant else name)

    @property
    def firmware(self) -> Path:
        """The linked program."""
        return self.build_folder / ("micropython" if self.port == "unix" else "firmware.elf")

    @property
    def objects(self) -> Path:
        """Where the module's object files lie once it is built: CMake keeps a source's whole path."""
        if self.port == "rp2":
            return self.build_folder / "CMakeFiles" / "firmware.dir" / str(ROOT / "usermod" / "arenite").lstrip("/")
        return self.build_folder / "arenite"

    @property
    def product(self) -> Path:
        """What a user takes from a build: the file to drop on the boot drive, or the program itself."""
        return self.build_folder / "firmware.uf2" if self.uf2_family else self.firmware

    @property
    def counts(self) -> str:
        """What figures of this board are in."""
        return "cycles" if self.cycles_per_tick else "instructions"


def _number(value: int | str) -> int:
    return value if isinstance(value, int) else int(value, 0)


def read_board(path: Path) -> Board:
    """Read one board.json.

    Raises:
        UserError: the file is not JSON or lacks a fact.
    """
    try:
        facts = json.loads(path.read_text())
        return Board(
            name=facts["name"],
            description=facts["description"],
            cpu=facts["cpu"],
            romfs_base=_number(facts["romfs_base"]),
            romfs_size=_number(facts["romfs_size"]),
            ram_heap=_number(facts["ram_heap"]),
            tier=facts["tier"],
            port=facts.get("port", "qemu"),
            emulator=facts.get("emulator", "qemu"),
            machine=facts["machine"] if facts.get("emulator", "qemu") == "qemu" else "",
            qemu_args=tuple(facts.get("qemu_args", ())),
            icount=facts.get("icount", True),
            cycles_per_tick=facts.get("cycles_per_tick", 0),
            uf2_family=_number(facts.get("uf2_family", 0)),
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: {error!r} is not a board's description") from error


def all_boards() -> list[Board]:
    """Every board of this checkout, by name."""
    return [read_board(path) for path in sorted(BOARDS.glob("*/board.json"))]


def qemu_boards() -> list[Board]:
    """The boards that QEMU emulates."""
    return [board for board in all_boards() if board.emulator == "qemu"]


def small(board: Board) -> Board:
    """The board with firmware of few bytes of flash: the portable kernels, and all of it built small."""
    return replace(board, small=True, tier="portable")


def find_board(name: str) -> Board:
    """The board of that name; upper and lower case do not matter.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    boards = all_boards()
    for board in boards:
        if board.name.lower() == name.lower():
            return board
    known = ", ".join(board.name for board in boards) or "none in this checkout"
    raise UserError(f"no board '{name}'; there are: {known}")
