"""The engine as a host library: the same C that the boards run, loaded with ctypes.

The library is compiled on demand with the machine's C compiler into `build/host/`. Its answers are the board's
answers, bit for bit in integers; its arena figures are those of a 64-bit machine, whose records are larger.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "usermod" / "arenite"
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wdouble-promotion", "-Wfloat-conversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"]

OK, VALUE, UNSUPPORTED, NO_MEMORY, STOPPED, WAITING = range(6)

DTYPES: dict[int, str] = {
    0: "float32", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16", 9: "int8", 15: "uint32", 16: "uint16",
}  # fmt: skip


class _Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("text", ctypes.c_char * 116)]


class Needs(ctypes.Structure):
    """Bytes of arena: `ar_needs_t` of engine/arenite.h."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("arena", "own", "activations", "shared")]


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("index", ctypes.c_uint16),
        ("type", ctypes.c_uint8),
        ("rank", ctypes.c_uint8),
        ("dim", ctypes.c_int32 * 8),
        ("count", ctypes.c_uint32),
        ("bytes", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
        ("name", ctypes.c_void_p),
        ("name_len", ctypes.c_uint32),
        ("scales", ctypes.c_void_p),
        ("zero_points", ctypes.c_void_p),
        ("n_scales", ctypes.c_uint32),
        ("quantized_dim", ctypes.c_int32),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
        ("is_variable", ctypes.c_bool),
    ]


class _Subgraph(ctypes.Structure):
    _fields_ = [
        ("records", ctypes.c_void_p),
        ("io", ctypes.POINTER(ctypes.c_void_p)),
        ("n_ops", ctypes.c_uint16),
        ("n_inputs", ctypes.c_uint16),
        ("n_outputs", ctypes.c_uint16),
        ("first_life", ctypes.c_uint16),
        ("state", ctypes.c_uint8),
        ("ran", ctypes.c_bool),
    ]


class _Model(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_uint32),
        ("arena", ctypes.c_void_p),
        ("arena_used", ctypes.c_uint32),
        ("own", ctypes.c_uint32),
        ("activations", ctypes.c_uint32),
        ("main", _Subgraph),
        ("others", ctypes.c_void_p),
        ("n_subgraphs", ctypes.c_uint16),
        ("has_state", ctypes.c_bool),
        ("waits", ctypes.c_bool),
        ("feed", ctypes.c_void_p),
        ("fed", ctypes.c_void_p),
        ("by_rows", ctypes.c_void_p),
    ]


class _Feed(ctypes.Structure):
    _fields_ = [("take", ctypes.c_void_p), ("rows", ctypes.c_uint32)]


class _Rows(ctypes.Structure):
    _fields_ = [("h", ctypes.c_uint32), ("held", ctypes.c_uint32), ("last", ctypes.c_uint32)]


class Place(ctypes.Structure):
    """A tensor, a scratch block or a variable in the arena: `ar_lives_place_t` of engine/lives.h."""

    _fields_ = [
        ("offset", ctypes.c_uint32),
        ("bytes", ctypes.c_uint32),
        ("index", ctypes.c_uint32),
        ("op", ctypes.c_uint32),
        ("root", ctypes.c_uint32),
        ("source", ctypes.c_uint32),
        ("distance", ctypes.c_int32),
        ("subgraph", ctypes.c_uint16),
        ("kind", ctypes.c_uint16),
        ("first", ctypes.c_uint16),
        ("last", ctypes.c_uint16),
        ("held", ctypes.c_uint16),
        ("rows", ctypes.c_uint16),
    ]


class Step(ctypes.Structure):
    """When an operator runs, and the first of those that it takes turns with: `ar_lives_step_t`."""

    _fields_ = [("time", ctypes.c_uint16), ("segment", ctypes.c_uint16)]


class _Lives(ctypes.Structure):
    _fields_ = [
        ("places", ctypes.POINTER(Place)),
        ("n_places", ctypes.c_uint32),
        ("steps", ctypes.POINTER(Step)),
        ("n_steps", ctypes.c_uint32),
        ("records", ctypes.c_uint32),
        ("state", ctypes.c_uint32),
        ("activations", ctypes.c_uint32),
        ("used", ctypes.c_uint32),
        ("cuts", ctypes.POINTER(ctypes.c_uint8)),
        ("n_cuts", ctypes.c_uint32),
    ]


NO_PLACE = 0xFFFFFFFF
PLACE_NONE, PLACE_TENSOR, PLACE_SCRATCH, PLACE_STATE = range(4)


@dataclass(frozen=True)
class Lives:
    """A plan as the engine made it.

    Attributes:
        records: bytes of the arena's start that operators' records take.
        state: bytes behind them, of what lasts from one invoke to the next.
        activations: bytes behind that, of all other tensors and scratch.
        used: all that loading and running take.
        cuts: what a file may hold of it; empty where all tensors are whole.
    """

    places: list[Place]
    steps: list[Step]
    records: int
    state: int
    activations: int
    used: int
    cuts: bytes


class Shared(ctypes.Structure):
    """Where one of several models is loaded: `ar_shared_t`."""

    _fields_ = [
        ("own", ctypes.c_void_p),
        ("own_size", ctypes.c_size_t),
        ("shared", ctypes.c_void_p),
        ("shared_size", ctypes.c_size_t),
        ("taken", ctypes.c_uint32),
    ]


# A hook's operator, in a subgraph.
INSIDE = 0xFFFFFFFF

_HOOK = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint)
_TAKE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32)


class EngineError(Exception):
    """The engine refused: status is one of VALUE, UNSUPPORTED, NO_MEMORY, STOPPED; the text is the engine's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def sources(tier: str = "portable") -> list[Path]:
    """The C files of engine, operators and kernels of a tier."""
    folders = ["engine", "ops", f"kernels/{tier}"]
    return sorted(f for folder in folders for f in (SOURCE / folder).glob("*.c"))


def build_library(*, sanitize: bool = False, compiler: str = "", without: Sequence[str] = ()) -> Path:
    """Compile the library if its sources have changed since; where it lies.

    Args:
        without: ways of kernels/has.h to leave out.

    Raises:
        RuntimeError: the compiler's own words, where it refuses.
    """
    compiler = compiler or os.environ.get("CC", "gcc")
    flags = ["-std=gnu99", "-O1" if sanitize else "-O2", "-fPIC", *WARNINGS, *(SANITIZERS if sanitize else [])]
    flags += [f"-DAR_HAS_{way}=0" for way in without]
    files = sources()
    key = hashlib.sha256(" ".join([compiler, *flags]).encode())
    for path in [*files, *sorted(SOURCE.rglob("*.h"))]:
        key.update(path.read_bytes())
    out = ROOT / "build" / "host" / f"arenite-{key.hexdigest()[:16]}.so"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_suffix(f".{os.getpid()}")
        command = [compiler, *flags, "-shared", "-I", str(SOURCE), "-o", str(part), *map(str, files), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the engine does not compile:\n{done.stderr}")
        part.rename(out)
    return out


class Engine:
    """The compiled library."""

    def __init__(self, *, sanitize: bool = False, without: Sequence[str] = ()) -> None:
        lib = ctypes.CDLL(str(build_library(sanitize=sanitize, without=without)))
        lib.ar_op_name.restype = ctypes.c_char_p
        lib.ar_op_compiled.restype = ctypes.c_char_p
        lib.ar_op_rows.restype = ctypes.c_void_p
        lib.ar_type_name.restype = ctypes.c_char_p
        lib.ar_feed_wants.restype = ctypes.c_uint32
        for name in ("ar_input", "ar_output", "ar_tensor", "ar_op_output"):
            getattr(lib, name).restype = ctypes.c_bool
        self.lib = lib

    def ops(self) -> list[str]:
        """Names of the operators compiled in."""
        names = iter(lambda: self.lib.ar_op_compiled(len(found)), None)
        found: list[str] = []
        for name in names:
            found.append(name.decode())
        return found

    def arena_needed(self, data: bytes, *, stream: bool = False) -> int:
        """Bytes of arena that the model needs on this machine; stream: fed by rows.

        Raises:
            EngineError: the model is refused.
        """
        return int(self.needs(data, stream=stream).arena)

    def needs(self, data: bytes, *, stream: bool = False) -> Needs:
        """The same, and what of that models may share.

        Raises:
            EngineError: the model is refused.
        """
        err = _Error()
        work_size = ctypes.c_size_t()
        source = aligned(data)
        self._check(
            self.lib.ar_work_size(
                pointer(source), ctypes.c_size_t(len(data)), ctypes.byref(work_size), ctypes.byref(err)
            ),
            err,
        )
        work = np.empty(work_size.value // 8 + 1, np.uint64)
        needs = Needs()
        self._check(
            self.lib.ar_measure(
                pointer(source),
                ctypes.c_size_t(len(data)),
                ctypes.c_bool(stream),
                pointer(work),
                work_size,
                ctypes.byref(needs),
                ctypes.byref(err),
            ),
            err,
        )
        return needs

    def lives(self, data: bytes, arena: int, *, stream: bool = False) -> Lives:
        """How the engine plans a model in so many bytes of arena.

        Raises:
            EngineError: the model is refused, or needs a larger arena.
        """
        source, memory = aligned(data), np.zeros(arena // 8 + 1, np.uint64)
        places, steps = (Place * 0x10000)(), (Step * 0x10000)()
        cuts = (ctypes.c_uint8 * (len(steps) + 1))()
        lives = _Lives(places=places, n_places=len(places), steps=steps, n_steps=len(steps), cuts=cuts)
        err = _Error()
        status = self.lib.ar_lives(
            pointer(source),
            ctypes.c_size_t(len(data)),
            ctypes.c_bool(stream),
            pointer(memory),
            ctypes.c_size_t(arena),
            ctypes.byref(lives),
            ctypes.byref(err),
        )
        self._check(status, err)
        return Lives(
            places[: lives.n_places], steps[: lives.n_steps], lives.records, lives.state, lives.activations, lives.used,
            bytes(cuts[: lives.n_cuts]),
        )  # fmt: skip

    def load_shared(self, model: _Model, source: np.ndarray, size: int, place: Shared) -> None:
        """Load a model of so many bytes where others are.

        Raises:
            EngineError: the model is refused, or there is too little room.
        """
        err = _Error()
        status = self.lib.ar_load_shared(
            ctypes.byref(model),
            pointer(source),
            ctypes.c_size_t(size),
            ctypes.c_bool(False),
            ctypes.byref(place),
            ctypes.byref(err),
        )
        self._check(status, err)

    @staticmethod
    def _check(status: int, err: _Error) -> None:
        if status != OK:
            raise EngineError(status, err.text.decode())


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """The address of an array's data."""
    return ctypes.c_void_p(array.ctypes.data)


def aligned(data: bytes, offset: int = 0) -> np.ndarray:
    """A copy of data that starts offset bytes past a multiple of 64, in a block of exactly that size."""
    block = np.empty(len(data) + 64 + offset, np.uint8)
    start = -block.ctypes.data % 64 + offset
    view = block[start : start + len(data)]
    view[:] = np.frombuffer(data, np.uint8)
    return view


class HostModel:
    """A model loaded by the engine on the host."""

    def __init__(self, engine: Engine, data: bytes, arena: int | None = None, *, stream: bool = False) -> None:
        """Load a model.

        Args:
            engine: the library.
            data: bytes of the .tflite file.
            arena: bytes of the arena; None: as many as the model needs.
            stream: it is fed by rows, and its input is never held whole.

        Raises:
            EngineError: the model is refused.
        """
        self.engine = engine
        self.source = aligned(data)
        size = engine.arena_needed(data, stream=stream) if arena is None else arena
        self.arena = np.full(size // 8 + 1, 0xA5A5A5A5A5A5A5A5, np.uint64)
        self.model = _Model()
        err = _Error()
        status = engine.lib.ar_load(
            ctypes.byref(self.model),
            pointer(self.source),
            ctypes.c_size_t(len(data)),
            ctypes.c_bool(stream),
            pointer(self.arena),
            ctypes.c_size_t(size),
            ctypes.byref(err),
        )
        Engine._check(status, err)

    def _describe(self, function: str, i: int) -> _Tensor:
        t = _Tensor()
        if not getattr(self.engine.lib, function)(ctypes.byref(self.model), i, ctypes.byref(t)):
            raise IndexError(i)
        return t

    @staticmethod
    def _view(t: _Tensor, address: int | None) -> np.ndarray:
        shape = tuple(t.dim[: t.rank])
        if not address or not t.bytes:
            return np.empty(shape, DTYPES[t.type])
        raw = np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_uint8)), (t.bytes,))
        return raw.view(DTYPES[t.type]).reshape(shape)

    def input(self, i: int) -> np.ndarray:
        """Input i in place."""
        return self._view(self._describe("ar_input", i), self.model.main.io[i])

    def output(self, i: int) -> np.ndarray:
        """Output i in place."""
        return self._view(self._describe("ar_output", i), self.model.main.io[self.model.main.n_inputs + i])

    def op_outputs(self, k: int) -> Iterator[np.ndarray | None]:
        """Outputs of operator k in place, theirs until the next has run; None for what never is there whole."""
        for i in range(self.engine.lib.ar_op_n_outputs(ctypes.byref(self.model), k)):
            t, data = self._op_output(k, i)
            yield self._view(t, data) if data else None

    def _op_output(self, k: int, i: int) -> tuple[_Tensor, int | None]:
        t, data = _Tensor(), ctypes.c_void_p()
        self.engine.lib.ar_op_output(ctypes.byref(self.model), k, i, ctypes.byref(t), ctypes.byref(data))
        return t, data.value

    def _take(self, k: int, outputs: list[np.ndarray]) -> None:
        """Copy what operator k has just made: all outputs, or one row."""
        rows = _Rows()
        ring = self.engine.lib.ar_op_rows(ctypes.byref(self.model), k, ctypes.byref(rows))
        if not ring:
            outputs[:] = [o.copy() for o in self.op_outputs(k) if o is not None]
            return
        t, _ = self._op_output(k, 0)
        if not outputs:
            outputs.append(np.zeros(tuple(t.dim[: t.rank]), DTYPES[t.type]))
        row = t.bytes // rows.h
        held = np.ctypeslib.as_array((ctypes.c_uint8 * (row * rows.held)).from_address(ring)).reshape(rows.held, row)
        outputs[0].reshape(rows.h, -1).view(np.uint8)[rows.last] = held[rows.last % rows.held]

    def op_name(self, k: int) -> str:
        """The operator's name, as "CONV_2D"."""
        return str(self.engine.lib.ar_op_name(ctypes.byref(self.model), k).decode())

    def invoke(self, inputs: Sequence[np.ndarray] = (), each: list[list[np.ndarray]] | None = None) -> list[np.ndarray]:
        """Run the model.

        Args:
            inputs: one array an input, of its shape and type; none: as they stand.
            each: if given, the outputs of every operator go to its place in it. Rows that nothing asked for are 0.

        Returns:
            copies of the outputs.

        Raises:
            EngineError: an operator failed.
        """
        for i, x in enumerate(inputs):
            self.input(i)[...] = x
        err = _Error()
        callback = self._hook(each)
        status = self.engine.lib.ar_invoke(ctypes.byref(self.model), callback, None, ctypes.byref(err))
        Engine._check(status, err)
        return self._outputs()

    def _hook(self, each: list[list[np.ndarray]] | None) -> object:
        def hook(_: int, k: int) -> bool:
            if each is not None and k != INSIDE:
                each.extend([] for _ in range(len(each), k + 1))
                self._take(k, each[k])
            return True

        return _HOOK(hook) if each is not None else _HOOK()

    def _outputs(self) -> list[np.ndarray]:
        return [self.output(i).copy() for i in range(self.model.main.n_outputs)]

    def wants(self) -> tuple[int, int]:
        """Of a model that is fed: how many rows the run still wants, and bytes of each."""
        size = ctypes.c_uint32()
        rows = self.engine.lib.ar_feed_wants(ctypes.byref(self.model), ctypes.byref(size))
        return int(rows), size.value

    def feed(self, rows: np.ndarray, each: list[list[np.ndarray]] | None = None) -> list[np.ndarray] | None:
        """Run the model with the next rows of its input, no more than it wants.

        Args:
            rows: whole rows, of the input's type; their shape does not matter.
            each: as of `invoke`, for all calls of one run.

        Returns:
            copies of the outputs after the last row; None before.

        Raises:
            EngineError: an operator failed; the run is dropped.
            ValueError: these are no whole rows, or too many.
        """
        raw = np.ascontiguousarray(rows).view(np.uint8).reshape(-1)
        left, size = self.wants()
        if raw.size % size or raw.size > left * size:
            raise ValueError(f"{raw.size} bytes, where {left} rows of {size} are wanted")
        at = iter(range(0, raw.size, size))

        def take(_feed: int, row: int, n: int) -> None:
            ctypes.memmove(row, raw.ctypes.data + next(at), n)

        took = _TAKE(take)
        feed = _Feed(ctypes.cast(took, ctypes.c_void_p), raw.size // size)
        err, callback = _Error(), self._hook(each)
        status = self.engine.lib.ar_feed(
            ctypes.byref(self.model), ctypes.byref(feed), callback, None, ctypes.byref(err)
        )
        if status == WAITING:
            return None
        Engine._check(status, err)
        return self._outputs()

    def rows_made(self, k: int) -> int | None:
        """Rows that operator k has made in this run, of those that run a row at a time; None: all at once."""
        rows = _Rows()
        made = self.engine.lib.ar_op_rows(ctypes.byref(self.model), k, ctypes.byref(rows))
        return rows.last + 1 if made else None

    def poison(self, value: int = 0xA5) -> None:
        """Overwrite what an invoke may not rely on, of a model that keeps nothing from one to the next."""
        start = self.model.arena_used - self.model.activations + self.model.arena - self.arena.ctypes.data
        self.arena.view(np.uint8)[start : start + self.model.activations] = value

    def reset(self) -> None:
        """Variable tensors back to their initial values."""
        self.engine.lib.ar_reset(ctypes.byref(self.model))
