"""Every board: it boots, its flash is in place, its clock counts exactly, its faults are seen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from arenite import romfs
from arenite.board import Connection
from arenite.boards import Board, find_board, qemu_boards
from arenite.build import build
from arenite.emulator import Emulator
from arenite.engine import Engine
from arenite.errors import BoardError
from arenite.model import read_model
from arenite.verify import verify
from firmware.conftest import MODELS, Session

BOARDS = [board.name for board in qemu_boards()]
TRAINED = ("digits/digits", "digits_mlp/digits_mlp", "sine/sine", "sine/sine_float")


def trained(name: str) -> bytes:
    """A model of this project."""
    return (MODELS / f"{name}.tflite").read_bytes()


def firmware(name: str) -> Board:
    """The board, its firmware up to date."""
    found = find_board(name)
    build(found, Console(stderr=True))
    return found


@pytest.fixture(scope="module", params=BOARDS)
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Each board in turn, with files of odd sizes at /rom."""
    files = {"sine.tflite": trained("sine/sine"), "digits.tflite": trained("digits/digits")}
    files |= {f"x{n}": bytes(range(n)) for n in (1, 2, 3, 15, 16, 17)}
    with Emulator(firmware(request.param), files) as made:
        yield made


@pytest.fixture
def board(emulator: Emulator) -> Iterator[Session]:
    """The board after a soft reset."""
    with Connection(emulator.address, emulator) as connection:
        yield Session(connection, emulator.board)


def test_boots(board: Session) -> None:
    """Catches a board without the module, without /rom or a filesystem, or with less heap than it claims."""
    board.run(f"""
        import arenite, gc, os, sys
        assert "/rom" in sys.path and "rom" in os.listdir("/"), (sys.path, os.listdir("/"))
        assert sorted(os.listdir("/rom"))[:2] == ["digits.tflite", "sine.tflite"]
        free = gc.mem_free() + gc.mem_alloc()
        assert 0.9 * {board.board.ram_heap} < free <= {board.board.ram_heap}, free
    """)


def test_files_lie_in_flash(board: Session) -> None:
    """Catches a file that is copied to RAM when opened, or that is not aligned to 16 bytes."""
    base, size = board.board.romfs_base, board.board.romfs_size
    board.run(f"""
        import os
        from uctypes import addressof
        for name in os.listdir("/rom"):
            view = memoryview(open("/rom/" + name, "rb"))
            place = addressof(view)
            assert {base} < place and place + len(view) <= {base + size}, (name, hex(place))
            assert place % 16 == 0, (name, hex(place))
            assert name[0] != "x" or bytes(view) == bytes(range(int(name[1:])))
    """)


def test_a_model_in_flash_takes_no_ram(board: Session) -> None:
    """Catches weights that are copied: the heap may lose the arena and a few objects."""
    board.run("""
        import arenite, gc
        gc.collect()
        before = gc.mem_alloc()
        m = arenite.Model("/rom/digits.tflite")
        assert gc.mem_alloc() - before < m.arena_size + 1000, gc.mem_alloc() - before
    """)


COUNT = """
import arenite
def loop(n):
    start = arenite.ticks()
    for _ in range(n):
        pass
    return arenite.ticks() - start
m = arenite.Model("/rom/sine.tflite")
m.invoke(bytes(1))
m.invoke(bytes(1))
print([loop(n) for n in (100, 200, 300, 1000, 100, 1000)], m.ticks, m.ticks[1])
"""


def test_the_clock_counts_instructions(board: Session) -> None:
    """Catches a count that is not repeatable to the instruction: in one session, after sleep, and in a new emulator."""
    if not board.board.icount:
        pytest.skip(f"the emulator does not count the instructions of {board.board.name}")
    counts = set()
    for _ in range(5):
        counts.add(board.run(COUNT))
        board.soft_reset()
    assert len(counts) == 1, counts
    ((loops, rest),) = [text.split("]") for text in counts]
    first, second, third, long, again, long_again = map(int, loops.strip("[").split(","))
    assert (first, long) == (again, long_again)
    assert second - first == third - second, "as many instructions for each hundred rounds"
    assert long - first == 9 * (second - first)
    assert 5 * 100 < second - first < 500 * 100
    files = {"sine.tflite": trained("sine/sine")}
    with Emulator(board.board, files) as fresh, Connection(fresh.address, fresh) as connection:
        assert Session(connection, board.board).run(COUNT).split("]")[1] == rest


def test_the_clock_is_the_profiles(board: Session) -> None:
    """Catches ticks that leave operators out or count them twice, and invokes that do not take the same each time."""
    if not board.board.icount:
        pytest.skip(f"the emulator does not count the instructions of {board.board.name}")
    # Bytes in which it runs whole tensors, so with one hook an operator; None: it has too few, and runs by rows.
    arena = {"MICROBIT": None, "MPS3_AN547": 6500}.get(board.board.name, 7500)
    board.run(f"""
        import arenite
        arena = {arena}
        m = arenite.Model("/rom/digits.tflite", arena=arena)
        image = bytes(784)
        seen = []
        for _ in range(4):
            start = arenite.ticks()
            m.invoke(image)
            around = arenite.ticks() - start
            assert m.ticks[1] < around < m.ticks[1] + 30000, (m.ticks, around)
            ticks = m.ticks
            rows = [row[2] for row in m.profile(image)]
            assert m.ticks == ticks, "of the last invoke, not of the profile"
            assert abs(sum(rows) - m.ticks[1]) < (0.0012 if arena else 0.0025) * m.ticks[1], (rows, m.ticks)
            seen.append((m.ticks[1], rows))
        assert all(one == seen[0] for one in seen), seen
        if arena: # a script's own buffer is not looked over after each operator
            b = arenite.Model("/rom/digits.tflite", arena=bytearray(arena))
            b.invoke(image)
            assert abs(b.ticks[1] - m.ticks[1]) < 0.005 * m.ticks[1], (b.ticks, m.ticks)
    """)


def mpremote(device: str, *arguments: str) -> str:
    """mpremote as a user runs it, to its end."""
    command = [sys.executable, "-m", "mpremote", "connect", device, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", BOARDS)
def test_mpremote_deploys(name: str, tmp_path: Path) -> None:
    """Catches a ROMFS that mpremote cannot query or write, or that shows the old files after a soft reset."""
    board = firmware(name)
    image = tmp_path / "image.romfs"
    image.write_bytes(romfs.pack({"sine.tflite": trained("sine/sine")}))
    program = tmp_path / "program.py"
    program.write_text("import arenite\nprint(arenite.Model('/rom/sine.tflite').invoke(bytes(1)))\n")
    with Emulator(board, {"old": b"1"}, terminal=True) as emulator:
        assert str(board.romfs_size) in mpremote(emulator.address, "romfs", "query")
        if board.ram_heap < 64 << 10:
            pytest.skip("mpremote's deploy needs more heap than this board has")
        mpremote(emulator.address, "romfs", "deploy", str(image))
        assert "sine.tflite" in mpremote(emulator.address, "fs", "ls", ":/rom")
        assert "old" not in mpremote(emulator.address, "fs", "ls", ":/rom")
        assert mpremote(emulator.address, "run", str(program)).startswith("Tensor(")


@pytest.mark.parametrize("name", BOARDS)
def test_a_fault_ends_the_emulator(name: str) -> None:
    """Catches a board that hangs, or goes on, after a fault: its registers are the reason that the user reads."""
    board = firmware(name)
    with Emulator(board, {}) as emulator, Connection(emulator.address, emulator) as connection:
        with pytest.raises(BoardError, match=rf"{name}: FAULT (Hard|Bus)Fault .*SP=\w{{8}} PC=\w{{8}} LR=\w{{8}}"):
            connection.run("import machine\nmachine.mem32[0xf0000000] = 1\nmachine.mem32[0x70000000]", print)
        assert emulator.ended()


def test_unaligned_words_fault_on_armv6m() -> None:
    """Catches an Armv6-M board that is laxer than the hardware: an unaligned word access must fault there."""
    board = firmware("MPS2_M0")
    with Emulator(board, {}) as emulator, Connection(emulator.address, emulator) as connection:
        program = """
import uctypes
data = bytearray(16)
word = uctypes.struct(uctypes.addressof(data) + 1, {"w": uctypes.UINT32 | 0}, uctypes.NATIVE)
print(word.w)
"""
        with pytest.raises(BoardError, match="FAULT"):
            connection.run(program, print)


@pytest.mark.parametrize("model", TRAINED)
@pytest.mark.parametrize("name", BOARDS)
def test_trained_models_are_equal(name: str, model: str) -> None:
    """Catches a core or compiler flag that gives other bits than tflite-micro for the project's own models."""
    path = MODELS / f"{model}.tflite"
    if Engine().arena_needed(path.read_bytes()) > find_board(name).ram_heap // 4:
        pytest.skip("needs more heap than this board has")
    assert verify(read_model(path), find_board(name), 10, Console(stderr=True)) is None
