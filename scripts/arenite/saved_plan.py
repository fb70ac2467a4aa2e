"""A plan in the metadata of a model: boards that load it do not search for one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite import repack
from arenite.bench import bench
from arenite.boards import Board
from arenite.engine import Engine, EngineError
from arenite.errors import UserError
from arenite.model import PLAN, Model, model_of
from arenite.oracle import Oracle
from arenite.shrink import compare

INPUTS = 10


@dataclass(frozen=True)
class Saved:
    """A model with its plan, the bytes of that, and how many bytes of arena it takes on this computer."""

    model: Model
    plan: bytes
    arena: int

    def __str__(self) -> str:
        return f"a plan of {len(self.plan)} bytes, for an arena of {self.arena:,}; equal outputs"


def save_plan(model: Model, console: Console) -> Saved:
    """Make a plan for the smallest arena, and put it into the model; what else is in that stays.

    Raises:
        UserError: it needs none, since all tensors are whole there; its constants lie outside the FlatBuffer; the
            engine or tflite-micro does not run it.
    """
    unpacked = repack.unpack_whole(model)
    engine = Engine()
    try:
        bare = with_plan(unpacked, b"")
        before = engine.arena_needed(bare)
        plan = engine.lives(bare, before).cuts
    except EngineError as error:
        raise UserError(f"{model.path}: {error}") from error
    saved = model_of(model.path, with_plan(unpacked, plan))
    if not plan or engine.lives(saved.data, before).cuts != plan:
        raise UserError(f"{model.path}: no plan to save: whole tensors take no more, so that nothing is searched")
    compare(saved, Oracle(model), INPUTS, console)
    return Saved(saved, plan, before)


def compare_on(board: Board, model: Model, saved: Model, console: Console) -> str:
    """What the plan changes on an emulated board, in words.

    Raises:
        UserError: there the model takes more bytes with it than without.
        BoardError: the board refuses the model.
    """
    without = bench(model_of(model.path, with_plan(repack.unpack(model.data), b"")), board, None, console)
    made = bench(saved, board, None, console)
    if made["arena"] > without["arena"]:
        sizes = f"{made['arena']:,} bytes with this plan, {without['arena']:,} without"
        raise UserError(f"{model.path}: on {board.name} it takes {sizes}: nothing is written")
    loads = [figures["load_instructions"] or 0 for figures in (made, without)]
    return f"{board.name}: arena {made['arena']:,} bytes, loading {loads[0]:,} {made['counts']}, {loads[1]:,} before"


def with_plan(unpacked: Any, plan: bytes) -> bytes:
    """The file of a ModelT with this plan in place of any other; empty: without one."""
    entries = list(unpacked.metadata or [])
    unpacked.metadata = [entry for entry in entries if entry.name not in (PLAN, PLAN.encode())]
    if plan:
        entry = schema.MetadataT()
        entry.name, entry.buffer = PLAN, len(unpacked.buffers)
        unpacked.buffers.append(schema.BufferT(np.frombuffer(plan, np.uint8)))
        unpacked.metadata.append(entry)
    repack.compact_buffers(unpacked)
    return repack.pack(unpacked)
