"""ROMFS images whose file data is aligned, so that a board can use a model where it lies in flash.

The format is told in micropython/extmod/vfs_rom.c: an image is one record (kind, length, payload), its payload
records of files and directories, and kinds and lengths are varuints: seven bits a byte, the most significant first,
bit 7 set where another byte follows. A varuint may start with any number of 0x80 bytes, which change nothing; that is
where the alignment comes from: the length before a file's data is padded until the data starts on a multiple of
ALIGNMENT. Every reader that keeps to the format takes such an image, MicroPython's own as it stands.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from arenite.errors import UserError

ALIGNMENT = 16
SEAL, SEAL_SIZE = b"ARCK", 16
MAGIC = b"\xd2\xcd\x31"
PADDING, DATA, DIRECTORY, FILE = 1, 2, 4, 5
# Lengths that enclose other records have a fixed width, so that where a record's contents start does not depend on
# how long they turn out to be.
LENGTH_WIDTH = 5

Tree = dict[str, "bytes | Tree"]


def varuint(value: int, width: int = 1) -> bytes:
    """Encode an unsigned integer in at least `width` bytes."""
    encoded = [value & 0x7F]
    while value := value >> 7:
        encoded.insert(0, 0x80 | (value & 0x7F))
    return b"\x80" * (width - len(encoded)) + bytes(encoded)


def _named(kind: int, name: str, contents: bytes) -> bytes:
    payload = _name_field(name) + contents
    return varuint(kind) + varuint(len(payload), LENGTH_WIDTH) + payload


def _name_field(name: str) -> bytes:
    encoded = name.encode()
    return varuint(len(encoded)) + encoded


def _contents_offset(name: str) -> int:
    return 1 + LENGTH_WIDTH + len(_name_field(name))


def _data_record(data: bytes, offset: int) -> bytes:
    length = varuint(len(data))
    padding = -(offset + 1 + len(length)) % ALIGNMENT
    return varuint(DATA) + b"\x80" * padding + length + data


def _records(tree: Tree, offset: int) -> bytes:
    """The records of a directory whose first byte lies `offset` bytes into the image."""
    out = bytearray()
    for name, node in sorted(tree.items()):
        inside = offset + len(out) + _contents_offset(name)
        if isinstance(node, bytes):
            out += _named(FILE, name, _data_record(node, inside))
        else:
            out += _named(DIRECTORY, name, _records(node, inside))
    return bytes(out)


def seal(data: bytes) -> bytes:
    """A model with 16 bytes more, by which a board sees at load whether all of it has reached the flash.

    They lie behind the file's identifier, where no reader of FlatBuffers looks: the root's offset leads past them, and
    all other offsets are relative. "ARCK", Fletcher's checksum of the 32-bit words that follow (two words), 0. What is
    no model, or sealed already, comes back as it is.
    """
    if data[4:8] != b"TFL3" or data[8:12] == SEAL or len(data) < 16:
        return data
    words = np.frombuffer(data[8 : 8 + (len(data) - 8) // 4 * 4], "<u4").astype(np.uint64)
    low = np.cumsum(words) + np.uint64(1)
    sums = int(low[-1]) % (1 << 32), int((low % (1 << 32)).sum()) % (1 << 32)
    root = (int.from_bytes(data[:4], "little") + SEAL_SIZE) % (1 << 32)
    return struct.pack("<I4s4sIII", root, b"TFL3", SEAL, *sums, 0) + data[8:]


def sealed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files as they lie in an image: the models among them are sealed."""
    return {path: seal(data) if path.endswith(".tflite") else data for path, data in files.items()}


def pack(files: Mapping[str, bytes]) -> bytes:
    """Make an image of files. Data is aligned to ALIGNMENT bytes from the image's start; models are sealed.

    Args:
        files: contents by path; "/" in a path makes directories.

    Raises:
        UserError: a path that cannot be one (empty, "..", or both a file and a directory).
    """
    header = len(MAGIC) + LENGTH_WIDTH
    payload = _records(_tree(sealed(files)), header)
    if len(payload) % 2:  # the image's size has to be even
        payload += varuint(PADDING) + varuint(0, 2)
    return MAGIC + varuint(len(payload), LENGTH_WIDTH) + payload


def _tree(files: Mapping[str, bytes]) -> Tree:
    root: Tree = {}
    for path, data in files.items():
        *parents, name = path.split("/")
        if any(part in ("", ".", "..") for part in [*parents, name]):
            raise UserError(f"'{path}' cannot be a path in a ROMFS image")
        folder = root
        for part in parents:
            below = folder.setdefault(part, {})
            if isinstance(below, bytes):
                raise UserError(f"'{path}': '{part}' is a file as well as a directory")
            folder = below
        if name in folder:
            raise UserError(f"'{path}' is both a file and a directory")
        folder[name] = data
    return root


def collect(arguments: Iterable[str]) -> dict[str, bytes]:
    """Read what a command line names: FILE, NAME=FILE, or a directory, with everything below it.

    Raises:
        UserError: a file that is missing or unreadable, or two files of one name.
    """
    files: dict[str, bytes] = {}
    for argument in arguments:
        for name, path in _named_files(argument):
            if name in files:
                raise UserError(f"two files would be '{name}' in the image; name one of them: NAME=FILE")
            try:
                files[name] = path.read_bytes()
            except OSError as error:
                raise UserError(f"{path}: {error.strerror}") from error
    return files


def _named_files(argument: str) -> Iterator[tuple[str, Path]]:
    name, equals, file = argument.partition("=")
    if not equals or Path(argument).exists():
        name, file = "", argument
    path = Path(file)
    name = name or path.resolve().name
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if not path.is_dir():
        yield name, path
        return
    for below in sorted(path.rglob("*")):
        if below.is_file():
            yield f"{name}/{below.relative_to(path).as_posix()}", below
