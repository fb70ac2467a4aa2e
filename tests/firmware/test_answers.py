"""The same bits on every board as in tflite-micro: reference models on seeded random inputs."""

import pytest
from rich.console import Console

from arenite import figures
from arenite.boards import find_board, qemu_boards
from arenite.engine import Engine
from arenite.errors import UserError
from arenite.model import read_model
from arenite.verify import verify

MODELS = ("hello_world_int8", "hello_world_float", "micro_speech_quantized", "kws_ref_model", "person_detect")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("board", [board.name for board in qemu_boards()])
def test_ten_inputs(board: str, name: str) -> None:
    """Catches code that the compiler or a core's instructions make differ from one board to another."""
    try:
        path = figures.reference_folder() / f"{name}.tflite"
    except UserError as missing:
        pytest.skip(str(missing))
    if Engine().arena_needed(path.read_bytes()) > find_board(board).ram_heap // 4:
        pytest.skip("needs more heap than this board has")
    assert verify(read_model(path), find_board(board), 10, Console(stderr=True)) is None
