"""What spare bytes of arena buy: a model's instructions in arenas from the smallest to one that holds everything."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from arenite.bench import bench
from arenite.boards import Board
from arenite.errors import BoardError, UserError
from arenite.model import Model

# Arenas that are tried, as multiples of the smallest. Where a model uses less than it was given, more is of no use.
STEPS = (1, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10)

# So many sizes in turn that the model takes no more bytes of end the search.
ENOUGH = 3


@dataclass(frozen=True)
class Curve:
    """One model on one board: (bytes of arena used, instructions of an invoke), the smallest first."""

    model: str
    board: str
    points: tuple[tuple[int, int], ...]


def curve(model: Model, board: Board, console: Console) -> Curve:
    """Measure a model in arenas of several sizes, until it has no use for more or the board has none.

    Raises:
        UserError: the board's emulator does not count instructions, or the model does not fit its ROMFS.
        BoardError: the board refuses the model.
    """
    smallest = bench(model, board, None, console)
    if smallest["instructions"] is None:
        raise UserError(f"{board.name}: its emulator does not count")
    points = {smallest["arena"]: smallest["instructions"]}
    idle = 0
    for step in STEPS[1:]:
        arena = int(smallest["arena"] * step)
        try:
            figures = bench(model, board, arena, console)
        except BoardError:
            break
        idle = idle + 1 if figures["arena"] in points else 0
        points[figures["arena"]] = figures["instructions"] or 0
        if idle == ENOUGH:
            break
    return Curve(model.path.stem, board.name, tuple(sorted(points.items())))


def shown(one: Curve) -> Table:
    """The points of a curve, for a terminal."""
    table = Table(title=f"{one.model} on {one.board}", title_justify="left")
    for heading in ("bytes of arena", "instructions", ""):
        table.add_column(heading, justify="right")
    for arena, count in one.points:
        table.add_row(f"{arena:,}", f"{count:,}", f"{count / one.points[-1][1]:.2f}")
    return table
