"""`arenite uf2`, `deploy` and `models` without a board: what goes into the file, and what is refused."""

import importlib.util
import io
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from arenite import romfs, uf2
from arenite.boards import find_board
from arenite.build import MICROPYTHON
from arenite.deploy import collect
from command import arenite, assert_refuses
from conftest import ROOT

DIGITS = ROOT / "models" / "digits" / "digits.tflite"  # ten classes
LABELS = "".join(f"digit {n}\n" for n in range(10)).encode()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model in a folder of its own."""
    path = tmp_path / "numbers.tflite"
    path.write_bytes(DIGITS.read_bytes())
    return path


def collected(*arguments: object) -> tuple[dict[str, bytes], list[str]]:
    """What `collect` finds, and what it says."""
    said: list[str] = []
    return collect([str(argument) for argument in arguments], said.append), said


def micropythons_converter() -> ModuleType:
    """tools/uf2conv.py, which reads UF2 files without our help."""
    spec = importlib.util.spec_from_file_location("uf2conv", MICROPYTHON / "tools" / "uf2conv.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("board", ["ARENITE_PICO", "ARENITE_PICO2"])
def test_uf2_holds_the_romfs_image(board: str, model: Path, tmp_path: Path) -> None:
    """Catches a UF2 file that another reader does not take, at another address, or with a gap or a part of a sector."""
    made = tmp_path / "models.uf2"
    done = arenite("uf2", model, "-o", made, "--board", board)
    assert done.returncode == 0, done.stderr
    converter, data = micropythons_converter(), made.read_bytes()
    assert converter.is_uf2(data)
    content = converter.convert_from_uf2(data)
    assert converter.appstartaddr == find_board(board).romfs_base
    assert len(content) % 4096 == 0
    image = romfs.pack({"numbers.tflite": DIGITS.read_bytes()})
    assert content == image + b"\xff" * (len(content) - len(image))
    assert len(content) - len(image) < 4096
    families = {data[at + 28 : at + 32] for at in range(0, len(data), 512)}
    assert families == {find_board(board).uf2_family.to_bytes(4, "little")}


@pytest.mark.parametrize("size", [1, 255, 256, 4095, 4096, 4097])
def test_every_size_is_whole_sectors(size: int) -> None:
    """Catches an off-by-one at the end of a payload, a sector, or the file."""
    data = bytes(n % 251 for n in range(size))
    content = micropythons_converter().convert_from_uf2(uf2.pack(data, 0x10100000, 1))
    assert len(content) == -(-size // 4096) * 4096
    assert content[:size] == data
    assert set(content[size:]) <= {0xFF}


@pytest.mark.parametrize("name", ["numbers.txt", "numbers_labels.txt", "labels.txt"])
def test_labels_beside_the_model_go_along(name: str, model: Path) -> None:
    """Catches a labels file that is not found, or not named after its model."""
    model.with_name(name).write_bytes(LABELS)
    files, said = collected(model)
    assert files == {"numbers.tflite": DIGITS.read_bytes(), "numbers.txt": LABELS}
    assert said == [f"numbers.txt: labels from {name}"]


def test_labels_in_the_model_go_along(model: Path) -> None:
    """Catches labels in the model's metadata that are lost, and another text file of it that is taken for them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("about.txt", "one\ntwo\n")
        archive.writestr("labelmap.txt", LABELS)
    model.write_bytes(DIGITS.read_bytes() + packed.getvalue())
    files, said = collected(f"sub/renamed.tflite={model}")
    assert files["sub/renamed.txt"] == LABELS
    assert said == ["sub/renamed.txt: labels from the model's metadata (labelmap.txt)"]


def test_labels_of_another_model_stay(model: Path) -> None:
    """Catches labels.txt of the same folder that is not this model's: it has another number of lines."""
    model.with_name("labels.txt").write_text("yes\nno\n")
    assert collected(model) == ({"numbers.tflite": DIGITS.read_bytes()}, [])


def test_files_that_are_named_win(model: Path, tmp_path: Path) -> None:
    """Catches labels that overwrite the file that the user named."""
    model.with_name("labels.txt").write_bytes(LABELS)
    (tmp_path / "mine.txt").write_text("mine")
    files, said = collected(model, f"numbers.txt={tmp_path / 'mine.txt'}")
    assert (files["numbers.txt"], said) == (b"mine", [])


def test_damaged_metadata_is_no_obstacle(model: Path) -> None:
    """Catches a traceback where what is appended to a model only looks like a zip file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("labels.txt", LABELS)
    damaged = bytearray(packed.getvalue())
    damaged[0:4] = b"\0\0\0\0"
    model.write_bytes(DIGITS.read_bytes() + bytes(damaged))
    assert list(collected(model)[0]) == ["numbers.tflite"]


def test_what_cannot_be_is_refused(model: Path, tmp_path: Path) -> None:
    """Catches a file for a board without a boot drive, one that does not fit, and a .tflite that is none."""
    output = ("-o", tmp_path / "x.uf2")
    assert_refuses("has no boot drive", "uf2", model, *output, "--board", "MPS2_AN500")
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(600_000))
    assert_refuses("has 524288 bytes of ROMFS", "uf2", large, *output, "--board", "ARENITE_PICO")
    (tmp_path / "none.tflite").write_bytes(b"x" * 100)
    assert_refuses("not a TensorFlow Lite model", "uf2", tmp_path / "none.tflite", *output, "--board", "ARENITE_PICO")
    assert not (tmp_path / "x.uf2").exists()
    assert_refuses("no serial port", "deploy", model, "--port", tmp_path / "tty")
    assert_refuses("no serial port", "models", "--port", tmp_path / "tty")
