"""The operators: which there are, which a model needs, and how many cases of each type the tests have run."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from arenite.boards import BUILD, ROOT, Board
from arenite.errors import UserError
from arenite.model import Model
from arenite.ways import left_out

TABLE = ROOT / "usermod" / "arenite" / "ops" / "table.h"
LINE = re.compile(r"^AR_OP\w*\((\w+).*\b(ar_prepare_\w+)\)$", re.MULTILINE)
CASES = BUILD / "cases"
COUNTS = ROOT / "docs" / "operators.json"
PAGE = ROOT / "docs" / "operators.md"
# Types that most operators have get a column of their own.
COLUMNS = ("float32", "int8", "int16", "int32", "int64", "uint8", "bool")
LONGEST_NAME = 40
INTRODUCTION = """\
# Operators

How many different cases of each operator and type the tests compare: with tflite-micro's reference kernels, or with
numpy, TensorFlow or LiteRT where tflite-micro lacks the operator or the type. A case is a model of seeded random
shapes, options and quantization, with inputs. Integers are equal, float32 is within the rounding that the test states.
The boards run at least 24 of each again, where there are so many.

The type is that of the first output; of the first input for comparisons, ARG_MAX, ARG_MIN, CAST, QUANTIZE, DEQUANTIZE,
LOGICAL_AND and its like, SHAPE and WHERE. A model of several operators counts for each of them.

Written by `arenite ops --write` from what `./scripts/test` counts.
"""
HEADER_START = "// What some models need: of kernels/has.h, and of ops/table.h. Written by `arenite build`."

Counts = dict[str, dict[str, int]]


def entry_points() -> dict[str, list[str]]:
    """Every operator of ops/table.h, in its order, with the functions that the table names for it."""
    return {found[1]: [name for name in found.groups()[1:] if name] for found in LINE.finditer(TABLE.read_text())}


def header(chosen: Iterable[str], without: Iterable[str] = ()) -> str:
    """The lines of ops/table.h for these operators, and what kernels/has.h is to leave out."""
    lines = [found[0] for found in LINE.finditer(TABLE.read_text()) if found[1] in set(chosen)]
    return "\n".join([HEADER_START, "", *(f"#define AR_HAS_{way} (0)" for way in without), "", *lines, ""])


def variant(board: Board, models: Sequence[Model], *, whole: bool = False) -> Board:
    """The board with the operators that these models need and the ways that they take, and a build folder of its own.

    Args:
        whole: without what runs chains of operators by rows.

    Raises:
        UserError: a model needs an operator that there is not.
    """
    known = entry_points()
    for model in models:
        if missing := model.needs - known.keys():
            raise UserError(f"{model.path}: needs {', '.join(sorted(missing))}, which Arenite does not have")
    needed = frozenset[str]().union(*(model.needs for model in models))
    if not needed:
        raise UserError("these models need no operator")
    operators, without = tuple(op for op in known if op in needed), left_out(models, whole=whole)
    name = re.sub(r"[^\w.-]", "_", "-".join(model.path.stem for model in models))
    if len(name) > LONGEST_NAME:
        name = sha256(" ".join([*operators, *without]).encode()).hexdigest()[:12]
    name += "-whole" if whole else ""
    return replace(board, variant=name, operators=operators, without=without)


def kept_counts(folder: Path = CASES) -> Counts:
    """How many different cases of each operator and key type the last run of the tests has compared.

    Raises:
        UserError: there was none, or it has not compared any operator.
    """
    counts: Counts = {}
    for path in sorted(folder.glob("counts-*.json")):
        for op, types in json.loads(path.read_text()).items():
            of_op = counts.setdefault(op, {})
            for key, count in types.items():
                of_op[key] = of_op.get(key, 0) + count
    if not counts:
        raise UserError(f"no counts of cases in {folder}: ./scripts/test leaves them there")
    return {op: dict(sorted(types.items())) for op, types in sorted(counts.items())}


def documented() -> Counts:
    """What docs/operators.json says."""
    return {op: dict(types) for op, types in json.loads(COUNTS.read_text()).items()}


def write(counts: Counts) -> None:
    """Write docs/operators.json and docs/operators.md: the operators of ops/table.h alone."""
    here = {op: counts.get(op, {}) for op in entry_points()}
    COUNTS.write_text(json.dumps(here, indent=1) + "\n")
    PAGE.write_text(page(here))


def page(counts: Counts) -> str:
    """The page that people read."""
    lines = [INTRODUCTION, f"| operator | {' | '.join(COLUMNS)} | others |", f"|---|{'---:|' * len(COLUMNS)}---|"]
    for op, types in counts.items():
        cells = [str(types.get(key, "")) for key in COLUMNS]
        others = "; ".join(f"{key}: {count}" for key, count in types.items() if key not in COLUMNS)
        lines.append(f"| {op} | {' | '.join(cells)} | {others} |")
    total = sum(count for types in counts.values() for count in types.values())
    return "\n".join([*lines, "", f"{len(counts)} operators, {total:,} cases.", ""])
