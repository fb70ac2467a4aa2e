"""What operators cost in flash: which sections of the object files each of them reaches, and which it reaches alone.

Every function and constant has a section of its own (-ffunction-sections, -fdata-sections), and relocations say which
section refers to which: what the linker's garbage collection keeps is what can be reached. Bytes are those of the
object files; the linker then merges equal strings, so firmware is a little smaller. Functions of libm and libgcc are
not counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import Section, SymbolTableSection
from rich.table import Table

from arenite.boards import Board
from arenite.operators import Counts, entry_points

ROOMS = ("engine", "ops", "kernels", "binding")
OP_TABLE = "ar_ops"

Node = tuple[str, int]  # an object file, a section of it


@dataclass(frozen=True)
class Cost:
    """Bytes of flash of one operator: what would go without it, and what it needs with others of ops/ and kernels/."""

    own: int
    shared: int


@dataclass(frozen=True)
class Flash:
    """Bytes of flash: of each operator compiled in, of each room, and of the engine were there no operators."""

    operators: dict[str, Cost]
    rooms: dict[str, int]
    engine_alone: int

    @property
    def total(self) -> int:
        """All of Arenite."""
        return sum(self.rooms.values())

    def __str__(self) -> str:
        rooms = ", ".join(f"{room} {size:,}" for room, size in self.rooms.items())
        return f"Arenite: {self.total:,} bytes of flash ({rooms})"


class _Objects:
    """The sections of object files, and what refers to what."""

    def __init__(self, folder: Path) -> None:
        self.sizes: dict[Node, int] = {}
        self.symbols: dict[str, Node] = {}
        self.targets: dict[Node, list[Node | str]] = {}
        for path in sorted(folder.rglob("*.o")):
            with path.open("rb") as file:
                self._read(path.relative_to(folder).as_posix(), ELFFile(file))

    def _read(self, name: str, elf: ELFFile) -> None:
        for index, section in enumerate(elf.iter_sections()):
            if _in_flash(section):
                self.sizes[name, index] = section["sh_size"]
            elif isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    if symbol["st_info"]["bind"] != "STB_LOCAL" and isinstance(symbol["st_shndx"], int):
                        self.symbols[symbol.name] = (name, symbol["st_shndx"])
            elif isinstance(section, RelocationSection):
                symbols = elf.get_section(section["sh_link"])
                assert isinstance(symbols, SymbolTableSection)
                targets = [self._target(name, symbols.get_symbol(r["r_info_sym"])) for r in section.iter_relocations()]
                self.targets[name, section["sh_info"]] = targets

    @staticmethod
    def _target(name: str, symbol: Any) -> Node | str:
        defined = symbol["st_shndx"]
        return (name, defined) if isinstance(defined, int) else str(symbol.name)

    def reached(self, start: Iterable[Node]) -> set[Node]:
        """All sections in flash that these refer to, directly or through others, and these."""
        found: set[Node] = set()
        waiting = list(start)
        while waiting:
            node = waiting.pop()
            if node in found:
                continue
            found.add(node)
            for target in self.targets.get(node, ()):
                place = self.symbols.get(target) if isinstance(target, str) else target
                if place:
                    waiting.append(place)
        return found & self.sizes.keys()

    def bytes_of(self, nodes: Iterable[Node]) -> int:
        """How many bytes of flash these sections are together."""
        return sum(self.sizes[node] for node in nodes)


def _in_flash(section: Section) -> bool:
    return bool(section["sh_flags"] & SH_FLAGS.SHF_ALLOC) and section["sh_type"] != "SHT_NOBITS"


def measure(board: Board) -> Flash:
    """What the operators of a board's firmware cost. The firmware must have been built."""
    objects = _Objects(board.objects)
    kept = objects.reached(node for node in objects.sizes if _room(node) == "binding")
    rooms = {room: objects.bytes_of(node for node in kept if _room(node) == room) for room in ROOMS}
    table = objects.symbols[OP_TABLE]
    named = {target for target in objects.targets[table] if isinstance(target, str)}
    objects.targets[table] = []  # IF and WHILE reach the engine, and through the table would reach everything
    reached = {
        op: {n for n in objects.reached(objects.symbols[f] for f in functions) if _room(n) in ("ops", "kernels")}
        for op, functions in entry_points().items()
        if named.issuperset(functions)
    }
    # What the engine and the binding need whichever operators there are.
    base = objects.reached(node for node in objects.sizes if _room(node) == "binding")
    alone = objects.bytes_of(node for node in base if _room(node) == "engine")
    return Flash(_costs(objects, reached, base), rooms, alone)


def _costs(objects: _Objects, reached: Mapping[str, set[Node]], base: set[Node]) -> dict[str, Cost]:
    users: dict[Node, int] = {}
    for nodes in reached.values():
        for node in nodes:
            users[node] = users.get(node, 0) + 1
    costs = {}
    for op, nodes in reached.items():
        own = {node for node in nodes - base if users[node] == 1}
        costs[op] = Cost(objects.bytes_of(own), objects.bytes_of(nodes - own))
    return costs


def firmware_bytes(firmware: Path) -> int:
    """Bytes of flash of a firmware's ELF file."""
    with firmware.open("rb") as file:
        segments = ELFFile(file).iter_segments()
        return sum(int(segment["p_filesz"]) for segment in segments if segment["p_type"] == "PT_LOAD")


def table(counts: Counts, flash: Flash | None) -> Table:
    """The operators that are compiled in, or without a firmware all there are."""
    made = Table("operator", "types")
    for column in ("own bytes", "shared bytes") if flash else ():
        made.add_column(column, justify="right")
    for op in flash.operators if flash else counts:
        costs = [f"{size:,}" for size in astuple(flash.operators[op])] if flash else []
        made.add_row(op, ", ".join(f"({key})" if "," in key else key for key in counts.get(op, {})), *costs)
    return made


def as_dict(counts: Counts, board: Board | None, flash: Flash | None) -> dict[str, Any]:
    """The same for programs: sizes in bytes, types with the number of cases that the tests compare."""
    operators = [
        {"op": op, "types": counts.get(op, {})} | (asdict(flash.operators[op]) if flash else {})
        for op in (flash.operators if flash else counts)
    ]
    made: dict[str, Any] = {"operators": operators}
    if board and flash:
        made |= {
            "board": board.name,
            "flash": {**flash.rooms, "total": flash.total, "engine_alone": flash.engine_alone},
        }
    return made


def _room(node: Node) -> str:
    return node[0].partition("/")[0]
