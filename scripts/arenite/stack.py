"""How deep the engine's stack gets on a board: the compiler's own figures along the longest way through its calls.

The compiler leaves what each function takes in an .su file (-fstack-usage). Who calls whom is read off the firmware's
machine code, so that what was inlined or cloned counts as it is. Calls through pointers: run_all() calls all eval
functions, make_record() all prepare functions, prepare_op() what loads subgraphs, ar_reset() all reset functions,
check_model() what joins pieces, run_all() and the loader what runs and plans rows; and what these call may call,
through pointers, whatever the files on the way take the address of. Functions of libm and libgcc, which have no .su
file, are judged by what they push. The figure is a bound: no run can take more, some way may take less.

Calls of subgraphs nest: at most NESTED of them lie on the stack beside the model itself, which the loader sees to.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from arenite.boards import Board
from arenite.errors import UserError

OBJDUMP = "arm-none-eabi-objdump"
NESTED = 4  # engine/calls.c, check_subgraph()
R_ARM_ABS32 = 2
# What MicroPython and the engine's users call.
ENTRIES = (
    "ar_work_size", "ar_measure", "ar_load", "ar_load_shared", "ar_invoke", "ar_feed", "ar_reset", "ar_tensor",
    "ar_op_name", "ar_op_output",
)  # fmt: skip
# Functions through which a subgraph's run or load comes back to itself.
RINGS = {"run_all", "ar_loader_operators"}
# What the engine calls through a pointer: the beginning of its name, by the function that does so, or that the compiler
# put it into.
CALLERS = {
    "run_all": ("eval", "ar_rows_run"), "make_record": ("ar_prepare",), "ar_loader_operators": ("load_calls",),
    "prepare_op": ("load_calls",), "check_model": ("join_pieces",), "ar_reset": ("ar_reset",),
    "reset_subgraph": ("ar_reset",), "ar_loader_plan": ("segments_plan",), "ar_loader_settle": ("segments_finish",),
}  # fmt: skip
PREFIXES = tuple({prefix for prefixes in CALLERS.values() for prefix in prefixes})

FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
BRANCH = re.compile(r"\tb(?:l|lx)?(?:[a-z]{2})?(?:\.[nw])?\t([0-9a-f]+) <([^>+]+)>")
INDIRECT = re.compile(r"\t(blx|bx)\s+(r\d+|ip)\b")
POP = re.compile(r"\tpop\s+\{([^}]*)\}")
PUSH = re.compile(r"\t(?:push|stmdb\s+sp!,|vpush|vstmdb)\S*\s+\{([^}]*)\}")
LOWER = re.compile(r"\tsub(?:\.w|w)?\s+sp,\s*(?:sp,\s*)?#(\d+)")


@dataclass
class _Function:
    """One function of the firmware."""

    name: str
    file: str = ""
    local: bool = False
    kernel: bool = False
    calls: set[int] = field(default_factory=set)
    indirect: bool = False
    popped: str = ""
    pushed: int = 0
    frame: int | None = None

    @property
    def bytes(self) -> int:
        return self.pushed if self.frame is None else self.frame


@dataclass(frozen=True)
class Depth:
    """The most bytes of stack that a function of the engine takes with all that it calls, and the way there."""

    bytes: int
    way: tuple[str, ...]


def measure(board: Board, nested: int = NESTED) -> dict[str, Depth]:
    """The depth of each of ENTRIES that the firmware has. It must have been built.

    Args:
        board: whose firmware.
        nested: how many calls of subgraphs; 0: a model of one graph.

    Raises:
        UserError: the compiler has left other functions than this module knows.
    """
    functions = _read(board.firmware)
    _add_frames(functions, board.build_folder)
    deep = _Depths(functions, _taken(board.build_folder / "arenite"))
    by_name = {function.name: at for at, function in functions.items()}
    return {name: deep.of(by_name[name], nested) for name in ENTRIES if name in by_name}


# ---- reading -------------------------------------------------------------------------------------------------------


def _read(firmware: Path) -> dict[int, _Function]:
    functions = _symbols(firmware)
    command = [OBJDUMP, "-d", "--no-show-raw-insn", str(firmware)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    at = -1
    for line in text.splitlines():
        if found := FUNCTION.match(line):
            at = int(found[1], 16) if int(found[1], 16) in functions else -1
        elif at >= 0:
            _read_instruction(functions, at, line)
    return functions


def _read_instruction(functions: dict[int, _Function], at: int, line: str) -> None:
    function = functions[at]
    if found := BRANCH.search(line):
        target = int(found[1], 16)
        if target in functions:
            function.calls.add(target)
    elif found := POP.search(line):
        function.popped = found[1]
    elif found := INDIRECT.search(line):
        # Armv6-M returns from some functions by a register that it has popped the address into.
        function.indirect |= found[1] == "blx" or found[2] not in function.popped
    elif found := PUSH.search(line):
        function.pushed += (8 if found[1].startswith("d") else 4) * _registers(found[1])
    elif found := LOWER.search(line):
        function.pushed += int(found[1])


def _registers(text: str) -> int:
    """How many registers a list such as "r4, r5, lr" or "d8-d11" has."""
    count = 0
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if dash else 1
    return count


def _symbols(firmware: Path) -> dict[int, _Function]:
    functions: dict[int, _Function] = {}
    file = ""
    with firmware.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols():
            kind, local = symbol["st_info"]["type"], symbol["st_info"]["bind"] == "STB_LOCAL"
            if kind == "STT_FILE":
                file = symbol.name
            elif kind == "STT_FUNC":
                functions[symbol["st_value"] & ~1] = _Function(symbol.name, file if local else "", local)
    return functions


def _add_frames(functions: dict[int, _Function], folder: Path) -> None:
    """What the compiler says of each function, and its file; of several by one name in files of one name, the most."""
    frames: dict[tuple[str, str], int] = {}
    files: dict[str, str] = {}
    kernels: set[tuple[str, str]] = set()
    for path in folder.rglob("*.su"):
        for line in path.read_text().splitlines():
            place, size, _ = line.split("\t")
            file, _, _, name = place.rsplit(":", 3)
            files[name] = Path(file).name
            if "kernels" in Path(file).parts:
                kernels.add((files[name], name))
            frames[files[name], name] = max(frames.get((files[name], name), 0), int(size))
    for function in functions.values():
        function.file = function.file or files.get(function.name, "")
        function.frame = frames.get((function.file, function.name))
        function.kernel = (function.file, function.name) in kernels


def _taken(folder: Path) -> dict[str, set[str]]:
    """Functions whose address operators and kernels keep somewhere: their names, by the file that does."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob("*.o")):
        if path.parent.name != "binding":
            with path.open("rb") as stream:
                found[f"{path.stem}.c"] |= set(_taken_in(ELFFile(stream)))
    return found


def _taken_in(elf: ELFFile) -> Iterable[str]:
    for section in elf.iter_sections():
        if not isinstance(section, RelocationSection):
            continue
        symbols = elf.get_section(section["sh_link"])
        assert isinstance(symbols, SymbolTableSection)
        for relocation in section.iter_relocations():
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            if relocation["r_info_type"] != R_ARM_ABS32:
                continue
            if symbol["st_info"]["type"] != "STT_SECTION":
                yield symbol.name
            elif (name := elf.get_section(symbol["st_shndx"]).name).startswith(".text."):
                yield name.removeprefix(".text.")


# ---- the longest way -----------------------------------------------------------------------------------------------

Way = tuple[int, tuple[str, ...]]


class _Depths:
    """Longest ways. Functions that may call each other in a ring count once each; a ring of subgraphs is cut where it
    closes, and counts as often as they may nest."""

    def __init__(self, functions: dict[int, _Function], taken: Mapping[str, set[str]]) -> None:
        self.functions = functions
        self.taken = taken
        self.rings = {at for at, function in functions.items() if function.name in RINGS}
        if len(self.rings) != len(RINGS):
            raise UserError(f"the firmware has not one function each of: {', '.join(sorted(RINGS))}")
        everywhere = set().union(*taken.values())
        self.called: dict[str, set[int]] = {
            start: {at for at, f in functions.items() if f.name in everywhere and f.name.startswith(start)}
            for start in PREFIXES
        }
        self.known: dict[tuple[int, int, frozenset[int]], Way] = {}

    def of(self, at: int, nested: int) -> Depth:
        """The depth of the function that begins at an address."""
        return Depth(*self._depth(at, nested + 1, frozenset()))

    def _pointers(self, start: int) -> frozenset[int]:
        """What may be called through pointers below a function that the engine itself calls through one."""
        found: set[int] = set()
        pointers: set[int] = set()
        waiting, files = [start], set[str]()
        while waiting:
            at = waiting.pop()
            if at in found or at in self.rings:
                continue
            found.add(at)
            function = self.functions[at]
            waiting.extend(function.calls)
            if function.frame is not None and function.file not in files:
                files.add(function.file)
                kept = self._kept_in(function.file)
                pointers |= kept
                waiting.extend(kept)
        return frozenset(pointers)

    def _kept_in(self, file: str) -> set[int]:
        """The functions whose address a file takes, but for those that only the engine calls."""
        names = {name for name in self.taken.get(file, ()) if not name.startswith(PREFIXES)}
        functions = self.functions.items()
        return {at for at, f in functions if f.name in names and (f.file == file or not f.local)}

    def _edges(self, at: int, pointers: frozenset[int]) -> set[int]:
        function = self.functions[at]
        if not function.indirect or function.frame is None or function.name in CALLERS:
            return function.calls
        # Kernels are below operators and call none of them.
        return function.calls | {a for a in pointers if self.functions[a].kernel or not function.kernel}

    def _exits(self, at: int, level: int) -> Iterator[Way]:
        """Ways that go on where a subgraph begins, or an operator's own function."""
        function = self.functions[at]
        if level:
            yield from (self._depth(ring, level - 1, frozenset()) for ring in function.calls & self.rings)
        if function.indirect and function.name in CALLERS:
            for target in set().union(*(self.called[prefix] for prefix in CALLERS[function.name])) - {at}:
                yield self._depth(target, level, self._pointers(target))

    def _depth(self, start: int, level: int, pointers: frozenset[int]) -> Way:
        key = (start, level, pointers)
        if key not in self.known:
            self.known[key] = self._search(start, level, pointers)
        return self.known[key]

    def _search(self, start: int, level: int, pointers: frozenset[int]) -> Way:
        """Tarjan's strongly connected components, which come out with what they call before themselves."""
        index: dict[int, int] = {start: 0}
        low: dict[int, int] = {start: 0}
        stack, ways = [start], dict[int, Way]()
        work = [(start, iter(self._edges(start, pointers) - self.rings))]
        while work:
            at, edges = work[-1]
            for target in edges:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    work.append((target, iter(self._edges(target, pointers) - self.rings)))
                    break
                if target not in ways:
                    low[at] = min(low[at], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == index[at]:
                    members = stack[stack.index(at) :]
                    del stack[stack.index(at) :]
                    ways |= dict.fromkeys(members, self._way(members, ways, level, pointers))
        return ways[start]

    def _way(self, members: list[int], ways: Mapping[int, Way], level: int, pointers: frozenset[int]) -> Way:
        best: Way = (0, ())
        for at in members:
            best = max([best, *(ways[t] for t in self._edges(at, pointers) if t in ways), *self._exits(at, level)])
        own = sum(self.functions[at].bytes for at in members)
        return own + best[0], (*(self.functions[at].name for at in members), *best[1])
