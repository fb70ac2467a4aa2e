"""Counts the comparisons that the tests of operators make, and keeps some of them to be run again on the boards.

ARENITE_KEEP_CASES names the folder; without it nothing is kept. A kind is an operator with its key type: what the
operator's arithmetic is done in.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

Array = np.ndarray[Any, np.dtype[Any]]
Kind = tuple[str, str]

PER_KIND = 24
# And of each test, so that what only one of many looks for reaches the boards.
PER_TEST = 6
LARGEST = 1 << 16  # bytes of one case that is kept
NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
TYPES = {number: name.lower() for name, number in vars(schema.TensorType).items() if isinstance(number, int)}
# Their output's type says nothing: bool, a position, or what the input is turned into.
BY_INPUT = {"ARG_MAX", "ARG_MIN", "CAST", "DEQUANTIZE", "QUANTIZE", "SHAPE", "WHERE"} | {
    *("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"),
    *("LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR"),
}
WEIGHTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL", "EMBEDDING_LOOKUP"}
WEIGHTED |= {"SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"}


def kinds(data: bytes) -> set[Kind]:
    """The operators of a model, all subgraphs, each with its key type."""
    model = schema.Model.GetRootAs(data, 0)
    return {kind for i in range(model.SubgraphsLength()) for kind in _kinds(model, model.Subgraphs(i))}


def _kinds(model: Any, graph: Any) -> Iterator[Kind]:
    def type_of(index: int) -> str:
        return TYPES[graph.Tensors(index).Type()] if index >= 0 else ""

    for k in range(graph.OperatorsLength()):
        op = graph.Operators(k)
        inputs = [type_of(op.Inputs(i)) for i in range(op.InputsLength())]
        outputs = [type_of(op.Outputs(i)) for i in range(op.OutputsLength())]
        name = _name(model.OperatorCodes(op.OpcodeIndex()))
        yield name, _key_type(name, inputs, outputs)


def _name(code: Any) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if number == schema.BuiltinOperator.CUSTOM:
        return str(code.CustomCode().decode())
    return NAMES[number]


def _key_type(name: str, inputs: Sequence[str], outputs: Sequence[str]) -> str:
    if not outputs:  # ASSIGN_VARIABLE's value; CALL_ONCE has nothing
        return inputs[1] if len(inputs) > 1 else "no tensors"
    key = inputs[0] if name in BY_INPUT else outputs[0]
    weights = inputs[1] if name in WEIGHTED else ""
    if weights == "int4" or (weights == "int8" and key == "float32"):
        return f"{key}, {weights} weights"
    return key


def _test() -> str:
    """The test function that runs, all its parameters alike."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0].split("[")[0]


class Cases:
    """The comparisons of one process.

    Args:
        folder: where cases are kept, one .npz a case; None: nothing is done.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.ran: dict[Kind, set[bytes]] = {}
        self.kept: dict[Kind, int] = {}
        self.kept_of: dict[tuple[Kind, str], int] = {}

    def add(
        self, data: bytes, inputs: Sequence[Array], outputs: Sequence[Array], rtol: float = 0, atol: float = 0
    ) -> None:
        """Count a comparison that came out well, and keep it where its kind has not been kept often.

        Args:
            data: bytes of the model.
            inputs: one array an input.
            outputs: what is right, one array an output.
            rtol: what float32 outputs may differ by, relative to these.
            atol: and absolutely.
        """
        if self.folder is None:
            return
        digest = hashlib.sha256(b"".join([data, *(x.tobytes() for x in inputs)])).digest()
        wanted = False
        for kind in kinds(data):
            ran = self.ran.setdefault(kind, set())
            if digest not in ran:
                ran.add(digest)
                wanted |= self.kept.get(kind, 0) < PER_KIND or self.kept_of.get((kind, _test()), 0) < PER_TEST
        if wanted and len(data) + sum(x.nbytes for x in [*inputs, *outputs]) <= LARGEST:
            self._keep(digest.hex()[:12], data, inputs, outputs, (rtol, atol))

    def _keep(
        self, digest: str, data: bytes, inputs: Sequence[Array], outputs: Sequence[Array], tolerance: tuple[float, ...]
    ) -> None:
        assert self.folder is not None
        found = sorted(kinds(data))
        for kind in found:
            self.kept[kind] = self.kept.get(kind, 0) + 1
            self.kept_of[kind, _test()] = self.kept_of.get((kind, _test()), 0) + 1
        arrays = {f"input{i}": x for i, x in enumerate(inputs)} | {f"output{i}": y for i, y in enumerate(outputs)}
        np.savez(
            self.folder / f"{digest}.npz",
            model=np.frombuffer(data, np.uint8),
            tolerance=np.array(tolerance),
            kinds=np.array(found),
            test=np.array(os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]),
            **arrays,
        )

    def write_counts(self) -> None:
        """Write how many different cases ran: {operator: {key type: count}}, one file a process."""
        if self.folder is None or not self.ran:
            return
        counts: dict[str, dict[str, int]] = {}
        for (name, key), ran in sorted(self.ran.items()):
            counts.setdefault(name, {})[key] = len(ran)
        worker = os.environ.get("PYTEST_XDIST_WORKER", "only")
        (self.folder / f"counts-{worker}.json").write_text(json.dumps(counts, indent=1) + "\n")


def _folder() -> Path | None:
    named = os.environ.get("ARENITE_KEEP_CASES")
    if not named:
        return None
    folder = Path(named).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


CASES = Cases(_folder())
