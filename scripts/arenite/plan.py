"""What lies where in a model's arena, and when: as the engine plans it, for a picture, a terminal and programs."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite.engine import (
    NO_MEMORY,
    NO_PLACE,
    PLACE_NONE,
    PLACE_SCRATCH,
    PLACE_STATE,
    Engine,
    EngineError,
    Lives,
    Place,
)
from arenite.errors import UserError
from arenite.model import Model

NOTE = "portable kernels and 64-bit pointers: on a board records are smaller, and scratch may differ"
KINDS = {PLACE_SCRATCH: "scratch", PLACE_STATE: "state"}


def short(name: str) -> str:
    """The first of the names that a converter joins where it fuses operators: "a/Relu;a/BiasAdd;..." is "a/Relu"."""
    return name.split(";", maxsplit=1)[0]


@dataclass(frozen=True)
class Box:
    """A block of the arena from the first operator that it is needed for to the last, both included.

    Attributes:
        kind: "tensor", "scratch", or "state": what lasts from one invoke to the next.
        name: the tensor's, or that of the operator whose scratch or state it is.
        offset: bytes from the arena's start.
        first, last: operators, by their index.
        held, rows: it is a ring that holds so many rows at a time, of so many; both 0 where it is whole.
        views: names of tensors that are the same bytes under another shape.
        pieces: names of tensors that are written into their places in it, before it is whole.
        trails: the box (its index in the plan) that this one may lie over while both are needed, since it is written
            only where that has been read; None for most.
        distance: the bytes or more that `trails` begins above this one.
    """

    kind: str
    name: str
    offset: int
    bytes: int
    first: int
    last: int
    held: int
    rows: int
    views: tuple[str, ...]
    pieces: tuple[str, ...]
    trails: int | None
    distance: int

    @property
    def end(self) -> int:
        """Where it ends, in bytes from the arena's start."""
        return self.offset + self.bytes

    def says(self, boxes: tuple[Box, ...]) -> str:
        """What is special about it, in words."""
        words = []
        if self.rows:
            words.append(f"ring of {self.held} of {self.rows} rows")
        if self.trails is not None:
            source = boxes[self.trails]
            if max(self.offset, source.offset) < min(self.end, source.end):
                in_place = self.distance == 0 and (self.offset, self.bytes) == (source.offset, source.bytes)
                words.append(f"{'in place of' if in_place else 'trails'} {short(source.name)}")
        if self.views:
            words.append(f"also {', '.join(map(short, self.views))}")
        if self.pieces:
            words.append(f"holds {', '.join(map(short, self.pieces))}")
        return "; ".join(words)


@dataclass(frozen=True)
class Step:
    """An operator; `turns` is the first of the operators that it takes turns with, a row at a time, or itself."""

    op: str
    name: str
    turns: int


@dataclass(frozen=True)
class Plan:
    """All boxes of a model's arena. Sizes are in bytes.

    Attributes:
        arena: what it takes: records, state and activations, and at times a little more while it is loaded.
        records: of the operators, at the arena's start.
        state: what lasts from one invoke to the next, behind the records.
        activations: all other tensors and scratch, behind the state.
    """

    model: str
    arena: int
    records: int
    state: int
    activations: int
    steps: tuple[Step, ...]
    boxes: tuple[Box, ...]

    @property
    def activations_start(self) -> int:
        """The offset at which activations begin."""
        return -(-self.records // 16) * 16 + self.state

    @property
    def peak(self) -> int:
        """Where the activations end."""
        return self.activations_start + self.activations


def make_plan(model: Model, arena: int | None, *, stream: bool = False) -> Plan:
    """Plan a model as the engine does in so many bytes of arena; None: in the fewest; stream: fed by rows.

    Raises:
        UserError: the engine refuses the model, or the arena is too small.
    """
    engine = Engine()
    try:
        needed = engine.arena_needed(model.data, stream=stream)
        lives = engine.lives(model.data, needed if arena is None else arena, stream=stream)
    except EngineError as error:
        if error.status == NO_MEMORY:
            raise UserError(f"{model.path}: arena: needs {needed} bytes, has {arena} ({NOTE})") from error
        raise UserError(f"{model.path}: {error}") from error
    return _plan(model, lives)


def _plan(model: Model, lives: Lives) -> Plan:
    names = _tensor_names(model.data)
    times = [step.time for step in lives.steps]
    last = max(len(times) - 1, 0)
    roots = [i for i, p in enumerate(lives.places) if p.root == i and p.kind != PLACE_NONE and p.bytes]
    number = {i: n for n, i in enumerate(roots)}
    views: dict[int, list[str]] = {i: [] for i in roots}
    pieces: dict[int, list[str]] = {i: [] for i in roots}
    for i, p in enumerate(lives.places):
        if p.root != i and p.root in views and p.index != NO_PLACE:
            (views if p.bytes == lives.places[p.root].bytes else pieces)[p.root].append(names[p.subgraph][p.index])

    def column(time: int) -> int:
        return min(max(bisect_right(times, time) - 1, 0), last)

    def box(i: int, p: Place) -> Box:
        same = views[i]
        name = names[p.subgraph][p.index] if p.index != NO_PLACE else same.pop(0) if same else ""
        if p.op != NO_PLACE:
            name = model.operators[p.op].name if p.subgraph == 0 else f"subgraph {p.subgraph} op {p.op}"
        trails = None if p.source == NO_PLACE else number[p.source]
        return Box(
            KINDS.get(p.kind, "tensor"), name, p.offset, p.bytes, column(p.first), column(p.last), p.held, p.rows,
            tuple(same), tuple(pieces[i]), trails, p.distance,
        )  # fmt: skip

    return Plan(
        model=model.path.name,
        arena=lives.used,
        records=lives.records,
        state=lives.state,
        activations=lives.activations,
        steps=tuple(Step(o.op, o.name, s.segment) for o, s in zip(model.operators, lives.steps, strict=True)),
        boxes=tuple(box(i, lives.places[i]) for i in roots),
    )


def _tensor_names(data: bytes) -> list[list[str]]:
    model = schema.Model.GetRootAs(data, 0)
    graphs = [model.Subgraphs(s) for s in range(model.SubgraphsLength())]
    return [[(g.Tensors(i).Name() or b"").decode(errors="replace") for i in range(g.TensorsLength())] for g in graphs]


def as_dict(plan: Plan) -> dict[str, Any]:
    """The plan for JSON."""
    return {
        "model": plan.model,
        "kernels": "portable",
        "pointer_bits": 64,
        "arena": plan.arena,
        "records": plan.records,
        "state": plan.state,
        "activations": plan.activations,
        "operators": [vars(step) for step in plan.steps],
        "boxes": [vars(box) | {"views": list(box.views), "pieces": list(box.pieces)} for box in plan.boxes],
    }


def summary(plan: Plan) -> str:
    """What the arena is made of, in a line."""
    state = f", {plan.state:,} of state" if plan.state else ""
    sizes = f"{plan.records:,} bytes of records{state}, {plan.activations:,} of activations"
    return f"{plan.model}: arena {plan.arena:,} bytes: {sizes} ({NOTE})"


# ---- in a terminal ---------------------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
COLOURS = ("blue", "green", "magenta", "cyan", "yellow", "red")
LINES = 24


def letter(i: int) -> str:
    """How box i is called in the terminal's picture."""
    return LETTERS[i % len(LETTERS)]


def _cell(plan: Plan, column: int, low: float, high: float, width: int) -> tuple[str, str]:
    """What is drawn of the bytes from low to high at an operator: a letter, two where one box trails another."""
    here = [
        i for i, box in enumerate(plan.boxes)
        if box.first <= column <= box.last and min(box.end, high) - max(box.offset, low) > 0
    ]  # fmt: skip
    if not here:
        return "·".ljust(width), "dim"
    here.sort(key=lambda i: max(plan.boxes[i].offset, low) - min(plan.boxes[i].end, high))
    top = plan.boxes[here[0]]
    covers = [i for i in here[1:] if plan.boxes[i].trails == here[0] or top.trails == i]
    text = "".join(letter(i) for i in [here[0], *covers[:1]])
    return (text * width)[:width], f"black on {COLOURS[here[0] % len(COLOURS)]}"


def chart(plan: Plan, columns: int) -> Text:
    """Operators across, bytes up. Where two letters alternate, one box trails the other through the same bytes."""
    low, high = plan.activations_start - plan.state, plan.peak
    lines = max(1, min(LINES, (high - low) // 16))
    width = max(1, min(4, (columns - 10) // max(len(plan.steps), 1)))
    text = Text(no_wrap=True)
    for line in range(lines, 0, -1):
        bottom, top = low + (high - low) * (line - 1) / lines, low + (high - low) * line / lines
        text.append(f"{round(top):>8,} ")
        for column in range(len(plan.steps)):
            text.append(*_cell(plan, column, bottom, top, width))
        text.append("\n")
    text.append(f"{low:>8,} ")
    for k, step in enumerate(plan.steps):
        turns = step.turns != k or (k + 1 < len(plan.steps) and plan.steps[k + 1].turns == k)
        text.append(("=" if turns else str(k % 10)).ljust(width, "=" if turns else " "))
    return text


def table(plan: Plan) -> Table:
    """The boxes in words, in the order in which they are first needed."""
    made = Table("", "box", "kind", "bytes", "offset", "operators", "")
    for i, box in sorted(enumerate(plan.boxes), key=lambda item: (item[1].first, item[1].offset)):
        name = Text(short(box.name), overflow="ellipsis")
        span = f"{box.first}" if box.first == box.last else f"{box.first}-{box.last}"
        made.add_row(letter(i), name, box.kind, f"{box.bytes:,}", f"{box.offset:,}", span, Text(box.says(plan.boxes)))
    return made


def shown(plan: Plan, columns: int) -> Group:
    """The plan for a terminal so many characters wide."""
    turns = any(step.turns != k for k, step in enumerate(plan.steps))
    legend = "operators across, bytes up" + ("; === operators that take turns, a row at a time" if turns else "")
    return Group(Text(summary(plan)), chart(plan, columns), Text(legend), table(plan))


def write(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        UserError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
