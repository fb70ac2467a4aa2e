"""UF2 files, which a Pico's boot drive takes: blocks of 512 bytes that each say where their 256 bytes go.

The format is Microsoft's (github.com/microsoft/uf2). Data is padded to whole sectors of flash: the RP2040's boot ROM
erases a sector for each block that starts one, and leaves what an incomplete last sector held in an unknown state
(RP2040 datasheet, erratum E14).
"""

import struct
from pathlib import Path

from arenite.boards import Board
from arenite.errors import UserError

SECTOR = 4096
PAYLOAD = 256
BLOCK = 512
MAGIC = (0x0A324655, 0x9E5D5157)
MAGIC_END = 0x0AB16F30
HAS_FAMILY = 0x2000
FLASH = 0x10000000  # where the Picos' flash begins
HEADER = struct.Struct("<8I")


def pack(data: bytes, base: int, family: int) -> bytes:
    """The UF2 file that writes data at an address.

    Args:
        data: padded to whole sectors with 0xff, as erased flash reads.
        base: a multiple of SECTOR.
        family: the kind of chip.
    """
    if base % SECTOR:
        raise ValueError(f"{base:#x} is not the start of a sector")
    data += b"\xff" * (-len(data) % SECTOR)
    count = len(data) // PAYLOAD
    out = bytearray()
    for number in range(count):
        at = number * PAYLOAD
        block = HEADER.pack(*MAGIC, HAS_FAMILY, base + at, PAYLOAD, number, count, family) + data[at : at + PAYLOAD]
        out += block.ljust(BLOCK - 4, b"\0") + MAGIC_END.to_bytes(4, "little")
    return bytes(out)


def models(image: bytes, board: Board) -> bytes:
    """The UF2 file that replaces a board's ROMFS, and nothing else.

    Raises:
        UserError: the board has no boot drive.
    """
    if not board.uf2_family:
        raise UserError(
            f"{board.name} has no boot drive that takes UF2 files; use `arenite deploy`, or `arenite romfs`"
        )
    return pack(image, board.romfs_base, board.uf2_family)


def firmware(binary: Path, board: Board) -> bytes:
    """The UF2 file of a board's firmware, from the bytes that go to the start of its flash."""
    return pack(binary.read_bytes(), FLASH, board.uf2_family)
