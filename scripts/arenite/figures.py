"""The project's figures: reference models on every board, beside what the peers need.

`arenite figures` measures and writes benchmarks/figures.json, which a test holds new code against, and
benchmarks/README.md, which people read. Counts are exact; another compiler gives others, so its version is kept.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from rich.console import Console

from arenite.bench import bench
from arenite.boards import ROOT, Board, all_boards, find_board
from arenite.build import COMPILER
from arenite.errors import UserError
from arenite.model import read_model

FOLDER = ROOT / "benchmarks"
FIGURES = FOLDER / "figures.json"
PAGE = FOLDER / "README.md"
README = ROOT / "README.md"
README_BOARD, README_PICO = "MPS2_AN386", "ARENITE_PICO"
PICO_HZ = 125_000_000
# The emulator of the RP2040 takes seconds for what QEMU does at once: its figures are of these models.
ON_SLOW_EMULATORS = ("hello_world_int8", "micro_speech_quantized", "person_detect", "kws_ref_model", "ad01_int8")
# Those whose first operator takes rows.
FED = ("micro_speech_quantized", "person_detect", "kws_ref_model", "vww_96_int8", "pretrainedResnet_quant")
TABLE_START, TABLE_END = "<!-- written by `arenite figures` -->", "<!-- to here -->"
PICO_START, PICO_END = "<!-- the Pico's, written by `arenite figures` -->", "<!-- to here, the Pico's -->"


class Row(TypedDict):
    """One model on one board: the smallest arena, and instructions in tflite-micro's arena and in the smallest.

    The same of a model that is fed a row at a time, in the smallest arena for that. Where the board counts cycles,
    they are cycles.
    """

    model: str
    board: str
    cpu: str
    instructions: int
    instructions_smallest: int
    load_instructions: int
    arena: int
    activations: int
    checksum: str
    arena_fed: NotRequired[int]
    instructions_fed: NotRequired[int]


class AllFigures(TypedDict):
    """Every row, and the compiler they were measured with."""

    compiler: str
    rows: list[Row]


def reference_folder() -> Path:
    """Where the public models lie: ARENITE_REFERENCE_MODELS, or ../shared/models beside the project.

    Raises:
        UserError: they are not there.
    """
    folder = Path(os.environ.get("ARENITE_REFERENCE_MODELS", ROOT.parent / "shared" / "models"))
    if not folder.is_dir():
        raise UserError(f"no reference models in {folder}: set ARENITE_REFERENCE_MODELS")
    return folder


def peers() -> dict[str, Any]:
    """What the peers need, from benchmarks/peers.json."""
    return dict(json.loads((FOLDER / "peers.json").read_text()))


def compiler_version() -> str:
    """The cross compiler's version, as "12.2.1"."""
    done = subprocess.run([COMPILER, "-dumpfullversion"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def measure(name: str, board: Board, console: Console) -> Row:
    """One reference model on one board, in the arena that tflite-micro needs, and in the one that it needs itself."""
    model = read_model(reference_folder() / f"{name}.tflite")
    smallest = bench(model, board, None, console)
    figures = bench(model, board, max(smallest["arena"], int(peers()["arena"][name])), console)
    row: Row = {
        "model": name,
        "board": board.name,
        "cpu": board.cpu,
        "instructions": figures["instructions"] or 0,
        "instructions_smallest": smallest["instructions"] or 0,
        "load_instructions": figures["load_instructions"] or 0,
        "arena": smallest["arena"],
        "activations": figures["activations"],
        "checksum": figures["checksum"],
    }
    if name in FED:
        add_fed(row, board, console)
    return row


def add_fed(row: Row, board: Board, console: Console) -> None:
    """Add what the model takes if it is fed by rows.

    Raises:
        UserError: its answer is another then.
    """
    model = read_model(reference_folder() / f"{row['model']}.tflite")
    figures = bench(model, board, None, console, stream=True)
    if figures["checksum"] != row["checksum"]:
        raise UserError(f"{row['model']} on {board.name}: another answer where it is fed by rows")
    row["arena_fed"], row["instructions_fed"] = figures["arena"], figures["instructions"] or 0


def measure_all(boards: list[Board], out: Console, err: Console) -> AllFigures:
    """Every reference model on these boards; the rows of other boards stay as they were committed.

    Raises:
        UserError: those were measured with another compiler.
    """
    chosen = {board.name for board in boards}
    committed: AllFigures = json.loads(FIGURES.read_text())
    others = [row for row in committed["rows"] if row["board"] not in chosen]
    if others and committed["compiler"] != compiler_version():
        raise UserError(f"the other boards' figures are for gcc {committed['compiler']}: measure all of them")
    rows: list[Row] = []
    for board in boards:
        for name in peers()["instructions"]:
            if not fits(board, name):
                continue
            rows.append(measure(name, board, err))
            out.print(f"{board.name:12} {name:24} {rows[-1]['instructions']:>12,}", markup=False)
    order = [board.name for board in all_boards()]
    return {"compiler": compiler_version(), "rows": sorted(others + rows, key=lambda row: order.index(row["board"]))}


def fits(board: Board, name: str) -> bool:
    """Whether a board has the memory for a reference model, roughly, and an emulator with the time."""
    if not board.icount or (board.cycles_per_tick and name not in ON_SLOW_EMULATORS):
        return False
    size = (reference_folder() / f"{name}.tflite").stat().st_size
    return size < board.romfs_size and int(peers()["arena"][name]) < board.ram_heap // 2


def write(figures: AllFigures) -> None:
    """Write benchmarks/figures.json and benchmarks/README.md, and the tables in the README."""
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    PAGE.write_text(page(figures))
    text = _between(README.read_text(), TABLE_START, TABLE_END, readme_table(figures))
    README.write_text(_between(text, PICO_START, PICO_END, pico_table(figures)))


def _between(text: str, start: str, end: str, lines: list[str]) -> str:
    """A text with other lines between two marks."""
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return "\n".join([before + start, *lines, end + after])


def readme_table(figures: AllFigures) -> list[str]:
    """The README's table: the Cortex-M4 board beside tflite-micro with CMSIS-NN."""
    known = peers()
    lines = [
        "| model | arena, bytes | fed by rows | tflite-micro | instructions | with CMSIS-NN |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in figures["rows"]:
        if row["board"] == README_BOARD:
            name = row["model"]
            lines.append(
                f"| {name} | {row['arena']:,} | {_maybe(row.get('arena_fed'))} | {known['arena'][name]:,} "
                f"| {row['instructions']:,} "
                f"| {known['instructions'][name]['cortex-m4']:,} |"
            )
    return lines


def _maybe(number: int | None) -> str:
    return f"{number:,}" if number else ""


def pico_table(figures: AllFigures) -> list[str]:
    """The README's table of the Pico: milliseconds of its core at its usual clock."""
    lines = [
        "| model | in the smallest arena | | in tflite-micro's, where that is larger | |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in figures["rows"]:
        if row["board"] == README_PICO:
            arena, larger = row["arena"], max(row["arena"], int(peers()["arena"][row["model"]]))
            cells = [(arena, row["instructions_smallest"]), (larger, row["instructions"])]
            times = " | ".join(f"{size:,} bytes | {1000 * cycles / PICO_HZ:.1f} ms" for size, cycles in cells)
            lines.append(f"| {row['model']} | {times} |")
    return lines


def page(figures: AllFigures) -> str:
    """The page that people read."""
    known = peers()
    lines = [
        "# Figures",
        "",
        "Written by `arenite figures`. Instructions of one `invoke()`, counted exactly by the emulator and repeatable",
        "to the instruction; instructions are not cycles. Arena: all bytes that a loaded model keeps in RAM; weights",
        "stay in flash. A model runs in the smallest arena, and faster in a larger one: the first figure is for",
        f"tflite-micro's size, or the smallest where that is larger. Arenite: arm-none-eabi-gcc {figures['compiler']}.",
        "Fed by rows (`stream=True`): the same model, given its input a row at a time, in its smallest arena.",
        f"Peers: {known['source']}.",
        "",
        "The Pico's are cycles of its core, to the microsecond at 125 MHz, as the emulator of the RP2040 counts them:",
        "a lower bound, since flash that its cache does not hold takes no time there.",
    ]
    for board in dict.fromkeys(row["board"] for row in figures["rows"]):
        lines += ["", *_table(board, [row for row in figures["rows"] if row["board"] == board], known)]
    return "\n".join(lines) + "\n"


def _table(board: str, rows: list[Row], known: dict[str, Any]) -> list[str]:
    lines = [
        f"## {board} ({rows[0]['cpu']}, {find_board(board).counts})",
        "",
        "| model | Arenite | in the smallest arena | fed by rows | tflite-micro with CMSIS-NN | loading "
        "| smallest arena | fed by rows | tflite-micro's arena | same answer |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        name = row["model"]
        peer = known["instructions"][name].get(row["cpu"])
        same = "yes" if row["checksum"] == known["checksum"][name] else "NO"
        lines.append(
            f"| {name} | {row['instructions']:,} | {row['instructions_smallest']:,} "
            f"| {_maybe(row.get('instructions_fed'))} | {_maybe(peer)} | {row['load_instructions']:,} "
            f"| {row['arena']:,} | {_maybe(row.get('arena_fed'))} | {known['arena'][name]:,} | {same} |"
        )
    return lines
