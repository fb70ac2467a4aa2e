"""A plan in the metadata of a model: boards that load it do not search for one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from arenite import repack
from arenite.engine import NO_MEMORY, Engine, EngineError
from arenite.errors import UserError
from arenite.model import Model, model_of
from arenite.oracle import Oracle
from arenite.shrink import compare

NAME = "arenite_plan"
INPUTS = 10


@dataclass(frozen=True)
class Saved:
    """A model with its plan, and the bytes of that and of the arena on this computer, before and now."""

    model: Model
    plan: bytes
    before: int
    after: int

    def __str__(self) -> str:
        arena = f"arena {self.after:,} bytes" + (f", {self.before:,} before" if self.after != self.before else "")
        return f"a plan of {len(self.plan)} bytes for {arena}; equal outputs"


def save_plan(model: Model, arena: int | None, console: Console) -> Saved:
    """Make a plan for so many bytes of arena (None: the fewest), and put it into the model; what else is in that stays.

    Raises:
        UserError: it needs none, since all tensors are whole there; the arena is too small; its constants lie outside
            the FlatBuffer; tflite-micro does not run it.
    """
    unpacked = repack.unpack(model.data)
    if any(buffer.offset for buffer in unpacked.buffers):
        raise UserError(f"{model.path}: its constants lie outside the FlatBuffer, which this command cannot rewrite")
    engine = Engine()
    try:
        bare = with_plan(unpacked, b"")
        before = engine.arena_needed(bare)
        plan = engine.lives(bare, before if arena is None else arena).cuts
    except EngineError as error:
        cause = f"arena: needs {before} bytes, has {arena}" if error.status == NO_MEMORY else str(error)
        raise UserError(f"{model.path}: {cause}") from error
    if not plan:
        raise UserError(
            f"{model.path}: no plan to save: all its tensors are whole in this arena, so nothing is searched"
        )
    saved = model_of(model.path, with_plan(unpacked, plan))
    compare(saved, Oracle(model), INPUTS, console)
    return Saved(saved, plan, before, engine.arena_needed(saved.data))


def with_plan(unpacked: Any, plan: bytes) -> bytes:
    """The file of a ModelT with this plan in place of any other; empty: without one."""
    entries = list(unpacked.metadata or [])
    unpacked.metadata = [entry for entry in entries if entry.name not in (NAME, NAME.encode())]
    if plan:
        entry = schema.MetadataT()
        entry.name, entry.buffer = NAME, len(unpacked.buffers)
        unpacked.buffers.append(schema.BufferT(np.frombuffer(plan, np.uint8)))
        unpacked.metadata.append(entry)
    repack.compact_buffers(unpacked)
    return repack.pack(unpacked)
