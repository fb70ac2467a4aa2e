"""The operators' cases once more, on every board: what the host's tests compared and kept in build/cases."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from arenite.board import Connection
from arenite.boards import BUILD, Board, find_board, qemu_boards, small
from arenite.targets import emulated

Array = np.ndarray[Any, np.dtype[Any]]

CASES = BUILD / "cases"
PROGRAM = Path(__file__).with_name("run_cases.py")
BATCH = 7 << 20  # bytes; a board's ROMFS has 8 MB
SHOWN = 10
# A board has MicroPython's or newlib's mathematical functions where the host has glibc's.
ULPS = 4


@dataclass(frozen=True, eq=False)
class Case:
    """One model with inputs, and the outputs that are right.

    Attributes:
        file: its name in build/cases.
        kinds: operators with their key types.
        test: the host's test that kept it.
        tolerance: relative and absolute, of float32 outputs.
    """

    file: str
    kinds: list[tuple[str, str]]
    test: str
    model: bytes
    inputs: bytes
    outputs: list[Array]
    tolerance: tuple[float, float]

    @classmethod
    def read(cls, path: Path) -> Case:
        """Read a file that tests/host/cases.py has written."""
        with np.load(path) as kept:
            inputs = [kept[f"input{i}"] for i in range(sum(name.startswith("input") for name in kept))]
            outputs = [kept[f"output{i}"] for i in range(sum(name.startswith("output") for name in kept))]
            return cls(
                path.name,
                [(str(op), str(key)) for op, key in kept["kinds"]],
                str(kept["test"]),
                kept["model"].tobytes(),
                b"".join(x.tobytes() for x in inputs),
                outputs,
                tuple(kept["tolerance"].tolist()),
            )

    def packed(self) -> bytes:
        """As run_cases.py expects it in a batch."""
        header = len(self.model).to_bytes(4, "little") + len(self.inputs).to_bytes(4, "little") + bytes(8)
        return header + _aligned(self.model) + _aligned(self.inputs)

    def fault(self, found: Sequence[bytes]) -> str:
        """What is wrong with these outputs; nothing, where integers are equal and floats near enough."""
        faults = (self._fault(i, right, data) for i, (right, data) in enumerate(zip(self.outputs, found, strict=True)))
        return next(filter(None, faults), "")

    def _fault(self, output: int, right: Array, data: bytes) -> str:
        if len(data) != right.nbytes:
            return f"output {output} has {len(data)} bytes, should have {right.nbytes}"
        want, have = right.ravel(), np.frombuffer(data, right.dtype)
        wrong = np.flatnonzero(~self._near(want, have))
        if not wrong.size:
            return ""
        k = wrong[0]
        return f"output {output} differs in {wrong.size} of {want.size}; element {k} is {have[k]}, should be {want[k]}"

    def _near(self, want: Array, have: Array) -> Array:
        if want.dtype.kind != "f":
            return np.asarray(want == have)
        rtol, atol = self.tolerance
        with np.errstate(invalid="ignore"):  # infinities and what is not a number are near what is the same
            bound = atol + rtol * np.abs(want.astype(np.float64)) + ULPS * np.spacing(np.abs(want))
            near = np.abs(have.astype(np.float64) - want) <= bound
        return np.asarray(near | (want == have) | (np.isnan(want) & np.isnan(have)))

    def __str__(self) -> str:
        return f"{', '.join(' '.join(kind) for kind in self.kinds)} ({self.file}, kept by {self.test})"


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def kept_cases() -> list[Case]:
    """What the host's tests have left."""
    paths = sorted(CASES.glob("*.npz"))
    assert paths, f"no cases in {CASES}: ./scripts/test runs the host's tests first, which make them"
    return [Case.read(path) for path in paths]


def batches(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """As many cases at a time as fit a board."""
    batch: list[Case] = []
    size = 0
    for case in cases:
        if batch and size + len(case.packed()) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(case)
        size += len(case.packed())
    if batch:
        yield batch


def run(connection: Connection, batch: Sequence[Case]) -> list[str]:
    """Run a batch on a board that has it at /rom, and say what is wrong."""
    connection.run(PROGRAM.read_bytes(), lambda _: None)
    sums: list[list[int] | str] = []
    connection.call("checksums", "/rom/cases.bin", 0, len(batch), each=sums.append)
    assert len(sums) == len(batch), f"the board answered {len(sums)} of {len(batch)} cases"
    wrong, other, at = [], {}, 0
    for case, found in zip(batch, sums, strict=True):
        if isinstance(found, str):
            wrong.append(f"{case}: {found}")
        elif found != [crc32(right.tobytes()) for right in case.outputs]:
            other[at] = case
        at += len(case.packed())
    found = fetched(connection, other)
    faults = {case: case.fault(found[at]) for at, case in other.items()}
    return wrong + [f"{case}: {fault}" for case, fault in faults.items() if fault]


def fetched(connection: Connection, cases: dict[int, Case]) -> dict[int, list[bytes]]:
    """The outputs of the cases at these offsets."""
    found = {at: [b""] * len(case.outputs) for at, case in cases.items()}

    def take(line: tuple[int, int, bytes]) -> None:
        at, output, data = line
        found[at][output] += bytes.fromhex(data.decode())

    offsets = list(cases)
    for start in range(0, len(offsets), 100):
        connection.call("data", "/rom/cases.bin", offsets[start : start + 100], each=take)
    return found


BOARDS = [board for board in qemu_boards() if board.ram_heap >= 1 << 20]
BOARDS += [small(find_board("MPS2_AN386"))]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.build_folder.name)
def test_cases(board: Board) -> None:
    """Catches an operator that the compiler, the core's arithmetic, its alignment or its mathematical functions make
    differ on a board, or portable kernels that are built small; and one whose answer depends on how much scratch the
    arena has for it."""
    wrong: list[str] = []
    for batch in batches(kept_cases()):
        image = {"cases.bin": b"".join(case.packed() for case in batch)}
        with emulated(board, image, Console(stderr=True)) as connection:
            wrong += run(connection, batch)
    shown = "\n".join(wrong[:SHOWN])
    assert not wrong, f"{len(wrong)} cases are wrong on {board.build_folder.name}; the first:\n{shown}"
