"""Measure models on emulated boards: in instructions, which QEMU counts exactly, or in the RP2040's cycles."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypedDict

import numpy as np
from rich.console import Console
from rich.table import Table

from arenite.boards import Board
from arenite.errors import UserError
from arenite.model import Model
from arenite.targets import emulated


class OperatorFigures(TypedDict):
    """One operator of one invoke. Instructions (or cycles) are None where the emulator cannot count them."""

    op: str
    name: str
    macs: int
    instructions: int | None


class Figures(TypedDict):
    """One model on one board: instructions of one invoke and of loading, bytes of arena, the outputs' checksum.

    On a board that `counts` cycles, they are cycles.
    """

    model: str
    board: str
    counts: str
    instructions: int | None
    load_instructions: int | None
    macs: int
    arena: int
    activations: int
    checksum: str
    ops: list[OperatorFigures]


@dataclass
class _Report:
    """What the program on the board prints, collected line by line."""

    facts: dict[str, int] = field(default_factory=dict)
    outputs: list[bytes] = field(default_factory=list)
    operators: list[tuple[str, str, int]] = field(default_factory=list)

    def __call__(self, line: Any) -> None:
        if isinstance(line, dict):
            self.facts = line
        elif isinstance(line, bytes):
            self.outputs.append(bytes.fromhex(line.decode()))
        else:
            self.operators.append(line)


def bench(model: Model, board: Board, arena: int | None, console: Console, *, stream: bool = False) -> Figures:
    """Load a model on the board, invoke it once on the conventional input, and once more with the profiler.

    Args:
        arena: bytes of arena to give it; None for what it needs.
        stream: feed it a row at a time.

    Raises:
        UserError: the model does not fit the board's ROMFS.
        BoardError: the board refuses the model; the message is its traceback.
    """
    if not model.inputs:
        raise UserError(f"{model.path}: the model has no input")
    report = _Report()
    files = {"model.tflite": model.data, "model.in": b"".join(conventional_inputs(model))}
    with emulated(board, files, console) as connection, console.status(f"{model.path.name} on {board.name}"):
        connection.load("bench")
        connection.call("bench", "/rom/model.tflite", "/rom/model.in", arena, stream, each=report)
    factor = (board.cycles_per_tick or 1) if board.icount else None
    return {
        "model": model.path.name,
        "board": board.name,
        "counts": board.counts,
        "instructions": report.facts["instructions"] * factor if factor else None,
        "load_instructions": report.facts["load_instructions"] * factor if factor else None,
        "macs": model.macs,
        "arena": report.facts["arena"],
        "activations": report.facts["activations"],
        "checksum": f"{fnv1a(b''.join(report.outputs)):08x}",
        "ops": _operators(model, report.operators, factor),
    }


def _operators(model: Model, profile: list[tuple[str, str, int]], factor: int | None) -> list[OperatorFigures]:
    """Each line of the profile with its operator's multiply-adds, found by its output: some may be folded away."""
    macs = {(operator.op, operator.name): operator.macs for operator in model.operators}
    return [
        {"op": op, "name": name, "macs": macs.get((op, name), 0), "instructions": ticks * factor if factor else None}
        for op, name, ticks in profile
    ]


def conventional_inputs(model: Model) -> list[bytes]:
    """The inputs that figures of this project are measured with.

    Their bytes are the top bytes of a 32-bit xorshift (13, 17, 5) that starts at 1 and runs on from one input to the
    next. A float32 input takes one byte an element, as a signed number over 128.
    """
    stream = _xorshift()
    inputs = []
    for tensor in model.inputs:
        floats = tensor.dtype == np.float32
        data = bytes(islice(stream, tensor.nbytes // 4 if floats else tensor.nbytes))
        inputs.append((np.frombuffer(data, np.int8) / np.float32(128)).tobytes() if floats else data)
    return inputs


def _xorshift() -> Any:
    x = 1
    while True:
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        yield x >> 24


def fnv1a(data: bytes) -> int:
    """The 32-bit FNV-1a checksum."""
    digest = 0x811C9DC5
    for byte in data:
        digest = (digest ^ byte) * 0x01000193 & 0xFFFFFFFF
    return digest


def table(figures: Figures) -> Table:
    """The figures of one model on one board, for a terminal."""
    table = Table(title=f"{figures['model']} on {figures['board']}", title_justify="left", caption=_caption(figures))
    table.caption_justify = "left"
    table.add_column("", justify="right")
    table.add_column("operator")
    table.add_column("output", max_width=32, overflow="ellipsis", no_wrap=True)
    for heading in ("multiply-adds", figures["counts"], "per multiply-add"):
        table.add_column(heading, justify="right")
    for index, row in enumerate(figures["ops"]):
        table.add_row(str(index), row["op"], row["name"], *_work(row["macs"], row["instructions"]))
    table.add_section()
    table.add_row("", "one invoke", "", *_work(figures["macs"], figures["instructions"]), style="bold")
    return table


def _work(macs: int, instructions: int | None) -> tuple[str, str, str]:
    if instructions is None:
        return f"{macs:,}", "not counted", ""
    return f"{macs:,}" if macs else "", f"{instructions:,}", f"{instructions / macs:.2f}" if macs else ""


def _caption(figures: Figures) -> str:
    arena, activations, load = figures["arena"], figures["activations"], figures["load_instructions"]
    counted = "not counted" if load is None else f"{load:,} {figures['counts']}"
    what = {
        "instructions": "Instructions of the emulated core, counted exactly; they are not cycles.",
        "cycles": "Cycles of the emulated core, to the microsecond; reads that miss the flash cache would take more.",
    }
    return (
        f"loading: {counted}\n"
        f"arena: {arena:,} bytes, of them {activations:,} activations and {arena - activations:,} the rest\n"
        f"output checksum: {figures['checksum']}\n"
        f"{what[figures['counts']]}"
    )
