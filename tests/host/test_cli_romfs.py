"""ROMFS images, against a reader written from the format's description alone, and against mpremote's builder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpremote.romfs import VfsRomWriter

from arenite.errors import UserError
from arenite.romfs import ALIGNMENT, collect, pack
from command import arenite, assert_refuses

ROMFS, DATA, DIRECTORY, FILE = 0x14A6B1, 2, 4, 5

NAMES = st.text(st.characters(exclude_characters="/", codec="utf-8"), min_size=1, max_size=200).filter(
    lambda name: name not in (".", "..")
)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=600), max_size=8
).filter(lambda files: not any(a != b and b.startswith(a + "/") for a in files for b in files))


def read_varuint(image: bytes, at: int) -> tuple[int, int]:
    """The value at an offset, and the offset behind it."""
    value = 0
    while True:
        byte = image[at]
        value, at = value << 7 | byte & 0x7F, at + 1
        if not byte & 0x80:
            return value, at


def records(image: bytes, at: int, end: int):
    """Kind, start and end of each record's payload; the last must end where its parent does."""
    while at < end:
        kind, at = read_varuint(image, at)
        length, at = read_varuint(image, at)
        yield kind, at, at + length
        at += length
    assert at == end, "a record runs past its parent"


def read_files(image: bytes) -> dict[str, tuple[int, bytes]]:
    """Offset and data of every file, by path."""
    ((kind, start, end),) = records(image, 0, len(image))
    assert kind == ROMFS
    return dict(walk(image, start, end, ""))


def walk(image: bytes, start: int, end: int, prefix: str):
    """Every file below a payload."""
    for kind, payload, behind in records(image, start, end):
        if kind not in (DIRECTORY, FILE):
            continue
        size, name = read_varuint(image, payload)
        inside = name + size
        path = prefix + image[name:inside].decode()
        if kind == DIRECTORY:
            yield from walk(image, inside, behind, path + "/")
        else:
            yield path, next((a, image[a:b]) for k, a, b in records(image, inside, behind) if k == DATA)


@given(FILES)
def test_every_file_comes_back_aligned(files: dict[str, bytes]) -> None:
    """Catches lost, cut or mixed-up files, wrong lengths of nested records, and data at an unaligned offset, for any
    names (of one byte and of several bytes of length field), depths and sizes."""
    image = pack(files)
    found = read_files(image)
    assert {path: data for path, (_, data) in found.items()} == files
    assert all(offset % ALIGNMENT == 0 for offset, _ in found.values())
    assert len(image) % 2 == 0


def test_reader_reads_mpremotes_image() -> None:
    """Catches a reader above that only understands our own dialect: it must read mpremote's images too."""
    writer = VfsRomWriter()
    writer.opendir("lib")
    writer.mkfile("a.py", b"print(1)")
    writer.closedir()
    writer.mkfile("b.bin", bytes(300))
    found = read_files(writer.finalise())
    assert {path: data for path, (_, data) in found.items()} == {"lib/a.py": b"print(1)", "b.bin": bytes(300)}


@pytest.mark.parametrize("path", ["", "/x", "x/", "a//b", "a/../b", ".", "a/."])
def test_impossible_paths_are_refused(path: str) -> None:
    """Catches a path that the board could never open being packed without a word."""
    with pytest.raises(UserError, match="cannot be a path"):
        pack({path: b""})


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_a_file_is_no_directory(paths: tuple[str, str]) -> None:
    """Catches one of the two silently replacing the other, in either order."""
    with pytest.raises(UserError, match="directory"):
        pack(dict.fromkeys(paths, b""))


def test_collect_names_files(tmp_path: Path) -> None:
    """Catches a wrong name: basename, NAME=FILE, folders with what lies below, and a file with '=' in its name."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_bytes(b"1")
    (tmp_path / "a=b").write_bytes(b"2")
    found = collect([f"{tmp_path}/d", f"{tmp_path}/a=b", f"g/h={tmp_path}/a=b"])
    assert found == {"d/e/f": b"1", "a=b": b"2", "g/h": b"2"}


def test_command_writes_an_image(tmp_path: Path) -> None:
    """Catches a command line that packs other files than it names."""
    (tmp_path / "x").write_bytes(b"data")
    image = tmp_path / "image"
    done = arenite("romfs", tmp_path / "x", "-o", image)
    assert done.returncode == 0, done.stderr
    assert {path: data for path, (_, data) in read_files(image.read_bytes()).items()} == {"x": b"data"}


def test_command_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    """Catches a traceback, or exit status 0, in place of a line that says what is wrong."""
    file, big, image = tmp_path / "x", tmp_path / "big", tmp_path / "image"
    file.write_bytes(bytes(100))
    big.write_bytes(bytes(64 << 20))
    assert_refuses("no such file", "romfs", tmp_path / "none", "-o", image)
    assert_refuses("two files", "romfs", file, file, "-o", image)
    assert_refuses("no board 'no_such'", "romfs", file, "--board", "no_such", "-o", image)
    assert_refuses("bytes of ROMFS", "romfs", big, "--board", "MPS2_AN500", "-o", image)
    assert not image.exists()
