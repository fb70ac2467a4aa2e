"""Compare a model on a board with tflite-micro's reference kernels on the host: equal, or where it first differs."""

from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from arenite.board import Connection
from arenite.boards import Board
from arenite.errors import BoardError
from arenite.model import Model, Operator, Tensor
from arenite.oracle import Oracle
from arenite.targets import emulated, mounted

SEED = 20260801
# Two orders of summing float32 values differ by rounding, which scales with the values that were summed, not with
# what is left of them: the bound is relative to the largest value of the tensor.
FLOAT_BOUND = 1e-5
FLOAT_FLOOR = 1e-7
NAME_WIDTH = 50


@dataclass(frozen=True)
class Difference:
    """How one tensor on the board differs from tflite-micro's."""

    tensor: Tensor
    count: int
    first: int
    expected: str
    found: str

    def __str__(self) -> str:
        total = int(np.prod(self.tensor.shape))
        name = self.tensor.name if len(self.tensor.name) <= NAME_WIDTH else self.tensor.name[:NAME_WIDTH] + "..."
        return (
            f"{self.count} of {total} elements of '{name}' differ; "
            f"the first is element {self.first}: {self.found}, should be {self.expected}"
        )


class Verifier:
    """One model on one connected board.

    Args:
        model_path: where the board sees the model.
        inputs_path: where the board sees the inputs, one after the other.
    """

    def __init__(self, model: Model, connection: Connection, inputs: list[list[bytes]], paths: tuple[str, str]) -> None:
        self.model = model
        self.connection = connection
        self.inputs = inputs
        self.paths = paths

    def first_differing_input(self, progress: Progress) -> tuple[int, Difference] | None:
        """The first input whose outputs differ, or None. Raises BoardError as Connection.run does."""
        oracle = Oracle(self.model)
        task = progress.add_task(f"{self.model.path.name}: inputs", total=len(self.inputs))
        found: list[tuple[int, Difference]] = []
        done: list[int] = []

        def compare(line: list[bytes]) -> None:
            which = len(done)
            done.append(which)
            expected = oracle.invoke(self.inputs[which])
            if not found and (difference := first_difference(self.model.outputs, expected, _unhex(line))):
                found.append((which, difference))
            progress.advance(task)

        self.connection.call("outputs", *self.paths, len(self.inputs), each=compare)
        if len(done) != len(self.inputs):
            raise BoardError(f"the board answered {len(done)} of {len(self.inputs)} inputs")
        return found[0] if found else None

    def first_differing_operator(self, which: int) -> tuple[Operator, Difference] | None:
        """The first operator whose output differs for that input; None where only the model's outputs do."""
        oracle = Oracle(self.model, keep=True)
        for inputs in self.inputs[: which + 1]:
            oracle.invoke(inputs)
        differing: list[int] = []

        def compare(line: tuple[int, list[Any]]) -> None:
            index, values = line
            operator = self.model.operators[index]
            if not _same(operator.outputs, oracle.outputs_of(operator), values):
                differing.append(index)

        self.connection.call("operators", *self.paths, which, each=compare)
        if not differing:
            return None
        operator = self.model.operators[min(differing)]
        found: list[list[bytes]] = []
        self.connection.call("operator", *self.paths, which, operator.index, each=found.append)
        difference = first_difference(operator.outputs, oracle.outputs_of(operator), _unhex(found[0]))
        if difference is None:
            raise BoardError(f"operator {operator.index} {operator.op} does not give the same twice")
        return operator, difference


def verify(model: Model, target: Board | str, count: int, console: Console) -> str | None:
    """Run a model on a board and in tflite-micro, on `count` seeded random inputs.

    Args:
        target: a board to emulate, or the serial port of a real one.

    Returns:
        None where all outputs are equal (float32: within FLOAT_BOUND), else what differs first.

    Raises:
        UserError: tflite-micro does not take the model, or it does not fit the board.
        BoardError: the board refuses the model, or breaks off.
    """
    inputs = random_inputs(model, count)
    files = {model.path.name: model.data, "verify.in": b"".join(data for row in inputs for data in row)}
    real = isinstance(target, str)
    with mounted(target, files) if isinstance(target, str) else emulated(target, files, console) as connection:
        connection.load("verify")
        base = "/remote" if real else "/rom"
        paths = (
            f"{_model_folder(model, connection) if real else base}/{model.path.name}",
            f"{base}/verify.in",
        )
        verifier = Verifier(model, connection, inputs, paths)
        with Progress(console=console, transient=True) as progress:
            differing = verifier.first_differing_input(progress)
        if differing is None:
            return None
        which, difference = differing
        with console.status("looking for the first operator that differs"):
            operator = verifier.first_differing_operator(which)
    return _explain(which, difference, operator)


def _explain(which: int, output: Difference, first: tuple[Operator, Difference] | None) -> str:
    if first is None:
        return f"input {which}: {output}; but every operator's output is equal"
    operator, difference = first
    return f"input {which}: operator {operator.index} {operator.op} is the first that differs: {difference}"


def _model_folder(model: Model, connection: Connection) -> str:
    """/rom where the board holds this very model already and need not read it into RAM; else /remote."""
    answers: list[bool] = []
    connection.call("in_rom", model.path.name, len(model.data), crc32(model.data), each=answers.append)
    return "/rom" if answers == [True] else "/remote"


def random_inputs(model: Model, count: int, seed: int = SEED) -> list[list[bytes]]:
    """`count` rows of one buffer an input: 8 and 16 bit integers of the whole range, float32 in -1..1, else 0..9."""
    generator = np.random.default_rng(seed)
    return [[_random(tensor, generator) for tensor in model.inputs] for _ in range(count)]


def _random(tensor: Tensor, generator: np.random.Generator) -> bytes:
    if tensor.dtype == np.float32:
        return generator.uniform(-1, 1, tensor.shape).astype(np.float32).tobytes()
    if tensor.dtype.itemsize > 2:
        return generator.integers(0, 10, tensor.shape).astype(tensor.dtype).tobytes()
    if tensor.dtype == np.bool_:
        return generator.integers(0, 2, tensor.shape).astype(tensor.dtype).tobytes()
    return generator.integers(0, 256, tensor.nbytes, dtype=np.uint8).tobytes()


def first_difference(tensors: Sequence[Tensor], expected: Sequence[bytes], found: Sequence[bytes]) -> Difference | None:
    """The first of these tensors whose bytes are not the expected ones, or for float32 not near them."""
    for tensor, right, left in zip(tensors, expected, found, strict=True):
        if len(right) != len(left):
            return Difference(tensor, 0, 0, f"{len(right)} bytes", f"{len(left)} bytes")
        want = np.frombuffer(right, tensor.dtype)
        have = np.frombuffer(left, tensor.dtype)
        wrong = np.flatnonzero(_differs(want, have))
        if wrong.size:
            first = int(wrong[0])
            return Difference(tensor, int(wrong.size), first, str(want[first]), str(have[first]))
    return None


def _differs(want: Any, have: Any) -> Any:
    if want.dtype != np.float32:
        return want != have
    finite = want[np.isfinite(want)]
    bound = FLOAT_BOUND * float(np.abs(finite).max(initial=0)) + FLOAT_FLOOR
    return ~np.isclose(have, want, rtol=0, atol=bound, equal_nan=True)


def _same(tensors: Sequence[Tensor], expected: list[bytes], values: list[Any]) -> bool:
    """Whether what the board shows of an operator's outputs, data or checksums, is what it should be."""
    for tensor, right, value in zip(tensors, expected, values, strict=True):
        if isinstance(value, int):
            if crc32(right) != value:
                return False
        elif first_difference([tensor], [right], [bytes.fromhex(value.decode())]):
            return False
    return True


def _unhex(line: list[bytes]) -> list[bytes]:
    return [bytes.fromhex(data.decode()) for data in line]
