"""The command `arenite`."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from arenite import romfs as romfs_image
from arenite.board import Connection, to_stdout
from arenite.board import deploy as write_image
from arenite.boards import Board, all_boards, find_board
from arenite.boards import small as small_board
from arenite.build import build as build_firmware
from arenite.emulator import end_on_termination, image_for
from arenite.errors import BoardError, UserError
from arenite.targets import emulated, emulator_of

app = typer.Typer(
    help="TensorFlow Lite models on MicroPython boards: build, run, measure, verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

BoardName = Annotated[str, typer.Argument(metavar="BOARD", help="A board's name; see `arenite boards`.")]
BoardOption = Annotated[str, typer.Option("--board", metavar="BOARD", help="The board to emulate.")]
PortOption = Annotated[str, typer.Option("--port", metavar="DEVICE", help="The serial port of a real board.")]
RomOption = Annotated[
    list[str] | None,
    typer.Option("--rom", metavar="FILE", help="A file to lie at /rom, or NAME=FILE, or a folder. May be repeated."),
]
PORT = typer.Option("--port", metavar="DEVICE", help="The board's serial port, as /dev/ttyACM0.")
ModelFiles = Annotated[
    list[str], typer.Argument(metavar="MODEL...", help="Models, NAME=FILE, and other files to go along.")
]
SmallOption = Annotated[bool, typer.Option("--small", help="Firmware of few bytes of flash rather than of speed.")]
StreamOption = Annotated[bool, typer.Option("--stream", help="Fed by rows: stream=True.")]
Models = Annotated[list[Path], typer.Argument(metavar="MODEL...", help="TensorFlow Lite models.")]


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a command of a function. Errors that the user can act on are a line on standard error, not a traceback."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (UserError, BoardError) as error:
            message = f"arenite: {error}" if isinstance(error, UserError) else str(error)
            err.print(message, markup=False, soft_wrap=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return app.command()(wrapper)


@command
def boards() -> None:
    """List the boards."""
    table = Table("board", "CPU", "kernels", "heap", "ROMFS", "description")
    for board in all_boards():
        sizes = (f"{board.ram_heap // 1024} kB", f"{board.romfs_size // 1024} kB")
        table.add_row(board.name, board.cpu, board.tier, *sizes, board.description)
    out.print(table)


@command
def build(
    boards: Annotated[list[str], typer.Argument(metavar="BOARD...", help="Names of boards, or `all`.")],
    force: Annotated[bool, typer.Option("--force", help="Build from nothing.")] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option("--for", metavar="MODEL...", help="Only the operators that these models need."),
    ] = None,
    small: SmallOption = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="With --for: tensors whole, never by rows; less flash for more arena.")
    ] = False,
) -> None:
    """Build firmware, where something it is made of has changed."""
    from arenite.model import read_model
    from arenite.operators import variant

    if whole and not models:
        raise UserError("--whole goes with --for: only firmware for some models can do without rows")
    if models:  # what follows the first model of --for, too
        models += [Path(name) for name in boards if name.endswith(".tflite")]
        boards = [name for name in boards if not name.endswith(".tflite")]
    chosen = all_boards() if boards == ["all"] else [find_board(name) for name in boards]
    chosen = [small_board(board) for board in chosen] if small else chosen
    parsed = [read_model(model) for model in models or []]
    for board in chosen:
        made = variant(board, parsed, whole=whole) if parsed else board
        firmware = build_firmware(made, err, force=force)
        out.print(str(made.product), markup=False, soft_wrap=True)
        if parsed or small:
            _print_choice(made, firmware)


def _print_choice(board: Board, firmware: Path) -> None:
    """What a firmware has that is smaller than others, and how large it is."""
    from arenite.flash import firmware_bytes, measure

    if board.operators:
        out.print(f"operators: {', '.join(board.operators)}", markup=False, soft_wrap=True)
    out.print(f"firmware: {firmware_bytes(firmware):,} bytes of flash; {measure(board)}", markup=False, soft_wrap=True)


@command
def run(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A MicroPython program.")],
    board: BoardOption = "",
    port: PortOption = "",
    rom: RomOption = None,
) -> None:
    """Run a program on a board and show its output; the exit status is 1 if it ends with an exception."""
    target = _target(board, port)
    files = romfs_image.collect(rom or [])
    try:
        program = script.read_bytes()
    except OSError as error:
        raise UserError(f"{script}: {error.strerror}") from error
    if isinstance(target, Board):
        with emulated(target, files, err) as connection:
            connection.run(program, to_stdout)
        return
    if files:
        write_image(target, romfs_image.pack(files))
    with Connection(target) as connection:
        connection.run(program, to_stdout)


@command
def emulate(board: BoardName, rom: RomOption = None) -> None:
    """Boot a board in the emulator and keep it until Ctrl-C."""
    chosen = find_board(board)
    files = romfs_image.collect(rom or [])
    image_for(chosen, files)
    build_firmware(chosen, err)
    with emulator_of(chosen, files, terminal=True) as emulator:
        print(f"mpremote connect {emulator.address}", flush=True)
        err.print("Ctrl-C ends the emulator.")
        while not emulator.ended(within=3600):
            pass
        raise emulator.death()


@command
def romfs(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, NAME=FILE, or folders.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="IMAGE", help="The image to write.")],
    board: Annotated[str, typer.Option("--board", metavar="BOARD", help="Check that it fits this board.")] = "",
) -> None:
    """Make a ROMFS image whose file data is aligned to 16 bytes, so that models are used where they lie."""
    collected = romfs_image.collect(files)
    image = image_for(find_board(board), collected) if board else romfs_image.pack(collected)
    _write(output, image)
    _say(f"{output}: {len(image)} bytes, {len(collected)} files")


@command
def uf2(
    files: ModelFiles,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="UF2", help="The UF2 file to write.")],
    board: Annotated[str, typer.Option("--board", metavar="BOARD", help="The board that it is for.")],
) -> None:
    """Make a UF2 file of models, with their labels: dropped on a Pico's boot drive, it replaces what is at /rom."""
    from arenite.deploy import collect
    from arenite.uf2 import models as uf2_of

    chosen = find_board(board)
    collected = collect(files, _say)
    image = image_for(chosen, collected)
    _write(output, uf2_of(image, chosen))
    _say(f"{output}: for {chosen.name}, {len(image)} of {chosen.romfs_size} bytes at /rom: {', '.join(collected)}")


@command
def deploy(files: ModelFiles, port: Annotated[str, PORT]) -> None:
    """Write models, with their labels, to a real board's /rom through mpremote, and check what it reads back."""
    from arenite.deploy import collect
    from arenite.deploy import deploy as deploy_files

    collected = collect(files, _say)
    size = deploy_files(port, collected)
    _say(f"{port}: {size} bytes at /rom, read back and equal: {', '.join(collected)}")


@command
def models(
    port: Annotated[str, PORT],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models on a real board: their operators, the arena they need, and whether they run there."""
    from arenite.deploy import models as models_on
    from arenite.deploy import table

    found = models_on(port)
    if as_json:
        print(json.dumps([asdict(row) for row in found], indent=2))
    elif found:
        out.print(table(found))
    else:
        _say(f"{port}: no .tflite file; `arenite deploy MODEL --port {port}` writes one")


@command
def shell(
    files: Annotated[list[str] | None, typer.Argument(metavar="[MODEL...]", help="Models, to lie at /rom.")] = None,
) -> None:
    """Start MicroPython with Arenite on this computer, with models at /rom. Ctrl-D ends it."""
    from arenite.deploy import collect
    from arenite.shell import shell as start

    raise typer.Exit(start(collect(files or [], lambda line: err.print(line, markup=False)), err))


@command
def bench(
    models: Models,
    board: BoardOption,
    arena: Annotated[int | None, typer.Option(metavar="BYTES", help="The arena's size; else what is needed.")] = None,
    stream: StreamOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count a model's instructions: one invoke, each operator, loading; its arena; its output's checksum."""
    from arenite.bench import bench as measure
    from arenite.bench import table
    from arenite.model import read_model

    chosen = find_board(board)
    parsed = [read_model(model) for model in models]
    figures = []
    for model in parsed:
        figures.append(measure(model, chosen, arena, err, stream=stream))
        if not as_json:
            out.print(table(figures[-1]))
    if as_json:
        print(json.dumps(figures, indent=2))


@command
def plan(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A TensorFlow Lite model.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="An SVG to write; with --save, the model.")
    ] = None,
    arena: Annotated[int | None, typer.Option(min=0, metavar="BYTES", help="Its size; else what is needed.")] = None,
    stream: StreamOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    *,
    board: Annotated[
        str, typer.Option("--board", metavar="BOARD", help="With --save: see what it is worth on this board.")
    ] = "",
    save: Annotated[
        bool, typer.Option("--save", help="Write the plan into the model, so that boards load it faster.")
    ] = False,
) -> None:
    """Show what lies where in a model's arena, operator by operator; or save how its rows are planned in the model."""
    from arenite import plan as planning
    from arenite.model import read_model
    from arenite.plan_svg import svg
    from arenite.saved_plan import compare_on, save_plan

    if save:
        if stream or as_json or arena is not None:
            raise UserError("--save goes with none of --stream, --json and --arena")
        parsed = read_model(model)
        saved = save_plan(parsed, err)
        worth = f"; {compare_on(find_board(board), parsed, saved.model, err)}" if board else ""
        _write(output or model, saved.model.data)
        out.print(f"{output or model}: {saved}{worth}", markup=False, soft_wrap=True)
        return
    if board:
        raise UserError("--board goes with --save; the plan that is shown is this computer's")
    made = planning.make_plan(read_model(model), arena, stream=stream)
    if output:
        planning.write(output, svg(made))
    if as_json:
        print(json.dumps(planning.as_dict(made), indent=2))
    elif output:
        out.print(f"{output}: {planning.summary(made)}", markup=False, soft_wrap=True)
    else:
        out.print(planning.shown(made, out.width))


@command
def curve(
    models: Models,
    board: BoardOption,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="SVG", help="A picture to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count a model's instructions in arenas of several sizes: what spare bytes buy."""
    from arenite import curve as curves
    from arenite.model import read_model

    chosen = find_board(board)
    made = [curves.curve(read_model(model), chosen, err) for model in models]
    if output:
        try:
            from arenite.curve_svg import draw
        except ImportError:
            raise UserError("pictures need matplotlib: scripts/setup train") from None
        draw(made, output)
    if as_json:
        print(json.dumps([asdict(one) for one in made], indent=2))
    else:
        for one in made:
            out.print(curves.shown(one))


@command
def verify(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A TensorFlow Lite model.")],
    board: BoardOption = "",
    port: PortOption = "",
    inputs: Annotated[int, typer.Option(min=1, help="How many seeded random inputs.")] = 10,
) -> None:
    """Compare a model on a board with tflite-micro on this computer; the exit status is 1 where they differ."""
    from arenite.model import read_model
    from arenite.verify import FLOAT_BOUND
    from arenite.verify import verify as compare

    target = _target(board, port)
    parsed = read_model(model)
    start = time.monotonic()
    difference = compare(parsed, target, inputs, err)
    where = target.name if isinstance(target, Board) else target
    if difference:
        raise BoardError(f"{model.name} on {where}: {difference}")
    floats = any(tensor.dtype == "float32" for tensor in parsed.outputs)
    how = f" (float32 within {FLOAT_BOUND:g} of the largest value)" if floats else ""
    seconds = time.monotonic() - start
    out.print(f"equal{how}: {model.name} on {where}, {inputs} inputs, {seconds:.1f} s", markup=False, soft_wrap=True)


@command
def shrink(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A TensorFlow Lite model.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The model to write.")],
    inputs: Annotated[int, typer.Option(min=1000, help="On how many seeded random inputs to compare them.")] = 1000,
) -> None:
    """Write a model without its constant channels, for any interpreter, once its outputs are shown to be the same."""
    from arenite.model import read_model
    from arenite.shrink import shrink as without_constants
    from arenite.shrink import table

    parsed = read_model(model)
    shrunk = without_constants(parsed, inputs, err)
    _write(output, shrunk.model.data)
    if shrunk.cuts:
        out.print(table(shrunk))
    before, after = len(parsed.data), len(shrunk.model.data)
    sizes = f"{before:,} bytes before, {after:,} now ({after / before - 1:+.1%})"
    out.print(f"{output}: {sizes}; equal outputs for {inputs:,} inputs", markup=False, soft_wrap=True)


@command
def ops(
    board: Annotated[str, typer.Option("--board", metavar="BOARD", help="What they cost in its flash.")] = "",
    small: SmallOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/operators.md from the tests' last run, and docs/operators.json.")
    ] = False,
) -> None:
    """List the operators with the types they take, and what each costs in a board's flash."""
    from arenite import operators
    from arenite.flash import as_dict, measure, table

    if write:
        operators.write(operators.kept_counts())
    chosen = find_board(board) if board else None
    flash = None
    if chosen:
        chosen = small_board(chosen) if small else chosen
        build_firmware(chosen, err)
        flash = measure(chosen)
    counts = operators.documented()
    if as_json:
        print(json.dumps(as_dict(counts, chosen, flash), indent=2))
    else:
        out.print(table(counts, flash))
        if flash:
            out.print(str(flash), markup=False, soft_wrap=True)


@command
def figures(
    boards: Annotated[list[str] | None, typer.Option("--board", metavar="BOARD", help="May be repeated.")] = None,
) -> None:
    """Measure the reference models on the boards, and write benchmarks/figures.json and benchmarks/README.md."""
    from arenite.figures import measure_all, write

    write(measure_all([find_board(name) for name in boards] if boards else all_boards(), out, err))


@command
def fuzz(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 60,
    bits: Annotated[int, typer.Option(help="Bits of a pointer: 64, or 32 as on the boards.")] = 64,
    seed: Annotated[int, typer.Option(min=1, help="Another one takes other ways.")] = 1,
) -> None:
    """Fuzz the engine on this computer under sanitizers; the exit status is 1 if something is found."""
    from arenite.fuzz import FOLDER, write_seeds
    from arenite.fuzz import fuzz as run_fuzzer

    if bits not in (32, 64):
        raise UserError("--bits is 32 or 64")
    seeds = FOLDER / "seeds"
    err.print(f"{write_seeds(seeds):,} models to start from")
    result = run_fuzzer([seeds], FOLDER / "corpus", 60 * minutes, bits=bits, first=seed)
    out.print(f"{result.executions:,} executions, {result.ran:,} of them loaded and ran; found: {len(result.found)}")
    if result.found:
        raise BoardError(f"{result.words}\n{result.found[0]}")


@command
def demo() -> None:
    """Classify handwritten digits on an emulated Cortex-M7 board."""
    from arenite.demo import demo as show

    show(out, err)


def _say(line: str) -> None:
    out.print(line, markup=False, soft_wrap=True)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def _target(board: str, port: str) -> Board | str:
    """The board to emulate, or the port of a real one."""
    if bool(board) == bool(port):
        raise UserError("name either a board to emulate (--board) or a real board's serial port (--port)")
    return find_board(board) if board else port


def main() -> None:
    """Run the command line."""
    end_on_termination()
    app()
