"""The Pico's firmware in an emulator of its chip, and the Pico 2's image, which nothing here can run."""

import doctest
import json
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from rich.console import Console

from arenite import figures, uf2
from arenite.board import Connection
from arenite.boards import ROOT, Board, find_board
from arenite.build import MICROPYTHON, MPY_CROSS, USERMOD, build
from arenite.errors import UserError
from arenite.model import read_model
from arenite.romfs import seal
from arenite.rp2040 import Rp2040
from arenite.targets import emulated
from arenite.verify import verify
from command import arenite
from firmware.conftest import DIGITS, MODELS, Session
from firmware.test_readme import PROMPT, typed

PICO, PICO2 = "ARENITE_PICO", "ARENITE_PICO2"
SINE = MODELS / "sine" / "sine.tflite"
DRIVERS = ("asyncio", "dht", "ds18x20", "neopixel", "onewire", "rp2")
IMAGE_DEF = 0xFFFFDED3  # RP2350 datasheet, 5.9.5: the start of a block that the boot ROM looks for


def built(name: str) -> Board:
    """The board, its firmware up to date."""
    board = find_board(name)
    build(board, Console(stderr=True))
    return board


@pytest.fixture(scope="module")
def emulator() -> Iterator[Rp2040]:
    """A Pico whose models came as a file of their own, beside the firmware."""
    with Rp2040(built(PICO), {SINE.name: SINE.read_bytes(), DIGITS.name: DIGITS.read_bytes()}) as made:
        yield made


@pytest.fixture
def pico(emulator: Rp2040) -> Iterator[Session]:
    """The Pico after a soft reset."""
    with Connection(emulator.address, emulator) as connection:
        yield Session(connection, emulator.board)


def test_boots(pico: Session) -> None:
    """Catches firmware without the module, with less heap than it claims, or without what a Pico's owner imports."""
    pico.run(f"""
        import arenite, gc, os, sys
        assert sys.platform == "rp2" and "Pico with Arenite" in os.uname().machine, os.uname()
        assert sorted(os.listdir("/rom")) == ["digits.tflite", "sine.tflite"]
        free = gc.mem_free() + gc.mem_alloc()
        assert 0.9 * {pico.board.ram_heap} < free <= {pico.board.ram_heap}, free
        for name in {DRIVERS!r}:
            __import__(name)
    """)


def test_drivers(pico: Session) -> None:
    """Catches a driver that does not do what scripts for a Pico expect of it."""
    pico.run("""
        from machine import Pin
        import dht, ds18x20, neopixel, onewire
        lights = neopixel.NeoPixel(Pin(2), 3, bpp=4)
        lights[1] = (1, 2, 3, 4)
        lights[-1] = (5, 6, 7, 8)
        assert bytes(lights.buf) == bytes((0, 0, 0, 0, 2, 1, 3, 4, 6, 5, 7, 8)) and lights[2] == (5, 6, 7, 8)
        lights.fill((9, 0, 0, 0))
        assert len(lights) == 3 and bytes(lights.buf) == b"\\0\\x09\\0\\0" * 3
        try:
            lights[3] = (0, 0, 0, 0)
            assert False
        except IndexError:
            pass
        sensor = dht.DHT22(Pin(3))
        sensor.buf[:] = bytes((0x02, 0x8c, 0x80, 0x65, 0))
        assert abs(sensor.humidity() - 65.2) < 1e-3 and abs(sensor.temperature() + 10.1) < 1e-3

        class Bus(onewire.OneWire):
            # Devices that answer a search as the bus would: the wired AND of their bits.
            def __init__(self, roms):
                self.roms = roms
            def reset(self, required=False):
                self.left, self.at, self.turn = list(self.roms), 0, 0
                return bool(self.roms)
            def writebyte(self, value):
                assert value == self.SEARCH_ROM
            def bit(self, rom):
                return rom[self.at >> 3] >> (self.at & 7) & 1
            def readbit(self):
                self.turn ^= 1
                return int(all(self.bit(rom) if self.turn else not self.bit(rom) for rom in self.left))
            def writebit(self, value):
                self.left = [rom for rom in self.left if self.bit(rom) == value]
                self.at += 1
        roms = [bytes((0x28, n * 37 & 255, n, 1, 2, 3, 4, n * 101 & 255)) for n in range(9)]
        assert sorted(map(bytes, Bus(roms).scan())) == sorted(roms)
        assert Bus([]).scan() == []

        class Scratch:
            def __init__(self, data):
                self.data = data
            def readinto(self, buf):
                buf[:] = self.data
            def crc8(self, data):
                return 0
            def reset(self, required): pass
            def select_rom(self, rom): pass
            def writebyte(self, value): pass
        degrees = lambda data, family: ds18x20.DS18X20(Scratch(data)).read_temp(bytes((family,)))
        assert degrees(b"\\x5e\\xff" + bytes(7), 0x28) == -10.125  # the DS18B20's data sheet, table 1
        assert degrees(b"\\xce\\xff\\0\\0\\0\\0\\x0c\\x10\\0", 0x10) == -25.0  # the DS18S20's, at the middle of a count
    """)


def test_a_model_in_flash_takes_no_ram(pico: Session) -> None:
    """Catches weights that are copied, and files in the models' UF2 file that are not aligned."""
    base, size = pico.board.romfs_base, pico.board.romfs_size
    pico.run(f"""
        import arenite, gc
        from uctypes import addressof
        place = addressof(memoryview(open("/rom/digits.tflite", "rb")))
        assert {base} < place < {base + size} and place % 16 == 0, hex(place)
        gc.collect()
        before = gc.mem_alloc()
        m = arenite.Model("/rom/digits.tflite")
        assert gc.mem_alloc() - before < m.arena_size + 1000, gc.mem_alloc() - before
    """)


def test_soft_reset(pico: Session) -> None:
    """Catches a reset that loses /rom, or the filesystem's files, or that a loaded model survives."""
    pico.run("import arenite\nm = arenite.Model('/rom/sine.tflite')\nopen('/kept.txt', 'w').write('x')")
    pico.soft_reset()
    assert "NameError" in pico.refusal("m")
    pico.run(
        "import arenite\nassert open('/kept.txt').read() == 'x'\narenite.Model('/rom/sine.tflite').invoke(bytes(1))"
    )


def mpremote(device: str, *arguments: str) -> str:
    """mpremote as a user runs it, to its end."""
    command = [sys.executable, "-m", "mpremote", "connect", device, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_mpremote_talks_to_its_usb_serial(emulator: Rp2040, tmp_path: Path) -> None:
    """Catches a USB serial port that mpremote cannot use as on any Pico."""
    program = tmp_path / "program.py"
    program.write_text("import arenite\nprint(arenite.Model('/rom/sine.tflite').invoke(bytes(1)))\n")
    assert mpremote(emulator.address, "exec", "print(1 + 1)").strip() == "2"
    assert mpremote(emulator.address, "run", str(program)).startswith("Tensor(")
    assert str(emulator.board.romfs_size) in mpremote(emulator.address, "romfs", "query")


def test_the_readmes_session(emulator: Rp2040) -> None:
    """Catches a README whose steps for a Pico do not show what it says."""
    (session,) = re.findall(r"^```pycon\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with Connection(emulator.address, emulator) as connection:
        connection.transport.exit_raw_repl()
        connection.transport.read_until(1, PROMPT, timeout=10)
        for example in doctest.DocTestParser().get_examples(session):
            shown = typed(connection.transport, example.source.rstrip())
            assert shown.rstrip() == example.want.rstrip(), example.source
        connection.transport.enter_raw_repl()


@pytest.mark.parametrize("name", ["digits", "micro_speech_quantized", "kws_ref_model"])
def test_answers(name: str) -> None:
    """Catches code that the RP2040's instructions, or its float routines in ROM, make differ from tflite-micro."""
    try:
        path = DIGITS if name == "digits" else figures.reference_folder() / f"{name}.tflite"
    except UserError as missing:
        pytest.skip(str(missing))
    assert verify(read_model(path), built(PICO), 2, Console(stderr=True)) is None


def test_models_drop_on(tmp_path: Path) -> None:
    """Catches a UF2 file of models that touches the firmware, does not mount, or leaves the labels behind."""
    labels = [f"digit {n}" for n in range(10)]
    (tmp_path / "labels.txt").write_text("\n".join(labels) + "\n")
    model = tmp_path / "numbers.tflite"
    model.write_bytes(DIGITS.read_bytes())
    made = tmp_path / "models.uf2"
    done = arenite("uf2", model, "-o", made, "--board", PICO)
    assert done.returncode == 0, done.stderr
    assert "numbers.txt: labels from labels.txt" in done.stdout
    with Rp2040(built(PICO), extra=made.read_bytes()) as emulator, Connection(emulator.address, emulator) as connection:
        Session(connection, emulator.board).run(f"""
            import arenite, os
            assert sorted(os.listdir("/rom")) == ["numbers.tflite", "numbers.txt"]
            assert open("/rom/numbers.txt").read().split("\\n")[:10] == {labels!r}
            assert arenite.Model("/rom/numbers.tflite").invoke(bytes(784)).shape == (1, 10)
        """)


def test_deploy_and_list(tmp_path: Path) -> None:
    """Catches a deploy that does not write, or does not look at what it wrote; a list that hides why models fail."""
    with Rp2040(built(PICO), {"old.tflite": b"1"}) as emulator:
        port = emulator.address
        broken = SINE.read_bytes()
        (tmp_path / "cut.tflite").write_bytes(broken[: len(broken) // 2])
        files = ("deploy", SINE, f"cut.bin={tmp_path / 'cut.tflite'}", "--port", port)
        done = arenite(*files)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "read back and equal: sine.tflite, cut.bin" in done.stdout
        mpremote(port, "exec", "import os\nopen('/cut.tflite', 'wb').write(open('/rom/cut.bin', 'rb').read())")
        done = arenite("models", "--port", port, "--json")
        assert done.returncode == 0, done.stderr
        rows = {row["path"]: row for row in json.loads(done.stdout)}
        assert set(rows) == {"/rom/sine.tflite", "/cut.tflite"}
        good, bad = rows["/rom/sine.tflite"], rows["/cut.tflite"]
        assert (good["size"], good["operators"], good["problem"]) == (len(seal(broken)), ["FULLY_CONNECTED"], "")
        assert 100 < good["arena"] < 2000
        assert bad["problem"].startswith("ValueError: model: ")
        (tmp_path / "large.bin").write_bytes(bytes(emulator.board.romfs_size))
        done = arenite("deploy", tmp_path / "large.bin", "--port", port)
        assert done.returncode == 2
        assert f"has {emulator.board.romfs_size} bytes of ROMFS" in done.stderr


def test_bench_counts_cycles() -> None:
    """Catches figures that are not the core's cycles: a multiply-add of this model takes between 4 and 20 of them."""
    done = arenite("bench", DIGITS, "--board", PICO, "--arena", 7500, "--json")  # whole tensors: one hook an operator
    assert done.returncode == 0, done.stderr
    (figure,) = json.loads(done.stdout)
    assert figure["counts"] == "cycles"
    assert 4 * figure["macs"] < figure["instructions"] < 20 * figure["macs"]
    assert abs(sum(op["instructions"] for op in figure["ops"]) - figure["instructions"]) < 0.02 * figure["instructions"]


UNALIGNED = """
import arenite, gc, os
for name in sorted(os.listdir("/rom")):
    view = memoryview(open("/rom/" + name, "rb"))
    answers = []
    for offset in (0, 1, 2, 3):
        gc.collect()
        block = bytearray(len(view) + offset)
        block[offset:] = view
        try:
            m = arenite.Model(memoryview(block)[offset:])
            m.invoke()
            answers.append(bytes(memoryview(m.outputs[0])))
            m.deinit()
        except ValueError as error:
            answers.append(str(error))
    for answer in answers[1:]:
        assert answer == answers[0] or "is not aligned: deploy the file with 'arenite romfs'" in answer, (name, answer)
    assert isinstance(answers[0], bytes), (name, answers)
    print(name)
"""


def test_unaligned_models_do_not_fault() -> None:
    """Catches a word access where a model does not lie at a multiple of 4, on the machine that traps it as a Pico does:
    such a model runs with the same answer, or is refused with what to do."""
    paths = [DIGITS, *sorted((MODELS / "sine").glob("*.tflite")), *sorted((MODELS / "zoo").glob("*.tflite"))]
    printed = bytearray()
    with emulated(built_m0(), {path.name: path.read_bytes() for path in paths}, Console(stderr=True)) as connection:
        connection.run(UNALIGNED, printed.extend)
    assert len(printed.splitlines()) == len(paths) > 5


def built_m0() -> Board:
    """Armv6-M code on a machine that traps unaligned words: the emulator of the RP2040 lets them pass."""
    return find_board("MPS2_M0")


# Images.


def symbols(path: Path) -> dict[str, int]:
    """The symbols of an ELF file."""
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}


@pytest.mark.parametrize("name", [PICO, PICO2])
def test_image(name: str) -> None:
    """Catches a UF2 file of another family, with gaps, or one that runs into the ROMFS; a vector table that does not
    start the program; and, on the Pico 2, no block that its boot ROM takes for firmware."""
    board = built(name)
    data = board.product.read_bytes()
    blocks = [data[at : at + uf2.BLOCK] for at in range(0, len(data), uf2.BLOCK)]
    headers = [uf2.HEADER.unpack_from(block) for block in blocks]
    count = len(headers)
    assert count * 256 % 4096 == 0
    for number, header in enumerate(headers):
        assert header == (*uf2.MAGIC, 0x2000, 0x10000000 + 256 * number, 256, number, count, board.uf2_family)
    image = b"".join(block[32 : 32 + 256] for block in blocks)
    assert 0x10000000 + len(image) <= board.romfs_base
    known = symbols(board.firmware)
    assert known["__flash_binary_end"] <= board.romfs_base
    stack, start = struct.unpack_from(
        "<2I", image, known["__vectors" if "__vectors" in known else "__VECTOR_TABLE"] - 0x10000000
    )
    assert 0x20000000 < stack <= 0x20082000
    assert start & 1
    assert 0x10000000 < start < 0x10000000 + len(image)
    if name == PICO2:
        assert any(struct.unpack_from("<I", image, at)[0] == IMAGE_DEF for at in range(0, 4096, 4))


def test_pico2_has_the_kernels_that_are_tested() -> None:
    """Catches a Pico 2 with other kernels than the emulated Cortex-M33, whose answers are tested."""
    ours, tested = (
        {name for name in symbols(built(board).firmware) if name.startswith("ar_")} for board in (PICO2, "MPS2_AN505")
    )
    assert len(ours) > 100
    assert ours == tested


def test_the_linker_guards_the_romfs(tmp_path: Path) -> None:
    """Catches firmware that grows into the ROMFS unnoticed: the same link, with the ROMFS moved down."""
    board = built(PICO)
    guard = board.build_folder / "guard.ld"
    moved = tmp_path / "guard.ld"
    moved.write_text(guard.read_text().replace(f"{board.romfs_base:#x}", "0x10040000"))
    assert moved.read_text() != guard.read_text()
    link = (board.build_folder / "CMakeFiles" / "firmware.dir" / "link.txt").read_text().strip()
    for script, status in ((guard, 0), (moved, 1)):
        command = shlex.split(link.replace(str(guard), str(script)))
        command[command.index("-o") + 1] = str(tmp_path / "firmware.elf")
        command = [word for word in command if not word.startswith("-Wl,-Map")]
        done = subprocess.run(command, cwd=board.build_folder, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
    assert "the firmware does not end below the ROMFS at 0x10040000" in done.stderr


def levels(lines: list[str]) -> dict[str, list[str]]:
    """Each file of the module, with the last -O of its command, and what it says of contraction."""
    found = {}
    for line in lines:
        if file := re.search(r"/usermod/arenite/(\S+\.c)(?=\s|$)", line):
            optimize = re.findall(r"(?<!\S)-O\S", line)
            found[file[1]] = [optimize[-1], *re.findall(r"-ffp-contract=\w+", line)]
    return found


def test_cmake_and_make_compile_alike(tmp_path: Path) -> None:
    """Catches a file that is hot, or exact, in one of the two lists of flags, and not in the other."""
    board = built(PICO)
    commands = json.loads((board.build_folder / "compile_commands.json").read_text())
    make = ["make", "-nB", "V=1", "-C", str(MICROPYTHON / "ports" / "qemu"), "BOARD=MPS2_M0"]
    make += [f"BOARD_DIR={ROOT / 'boards' / 'MPS2_M0'}", f"BUILD={tmp_path}", f"USER_C_MODULES={USERMOD}"]
    make += [f"{name}={MPY_CROSS / 'mpy-cross'}" for name in ("MICROPY_MPYCROSS", "MICROPY_MPYCROSS_DEPENDENCY")]
    done = subprocess.run(make, capture_output=True, text=True, check=True)
    by_make = levels([line for line in done.stdout.splitlines() if re.search(r"gcc .* -c ", line)])
    by_cmake = levels([entry["command"] for entry in commands])
    assert len(by_make) > 80
    assert by_cmake == by_make
