# Runs on the board, sent by `arenite models` and `arenite deploy`. Every line it prints is one Python literal.
import gc
import os
from binascii import crc32

import vfs

import arenite

FOLDER = 0x4000
BLOCK = 512


def romfs_size():
    # Bytes of the region that `mpremote romfs deploy` writes; None where there is none.
    try:
        region = vfs.rom_ioctl(2, 0)
    except (AttributeError, OSError):
        region = -1
    if isinstance(region, int):
        print(None)
    else:
        print(region.ioctl(4, 0) * region.ioctl(5, 0) if hasattr(region, "ioctl") else len(region))


def files(folder):
    # The paths of all files below a folder; what is not mounted yet cannot be seen.
    for entry in os.ilistdir(folder):
        path = folder.rstrip("/") + "/" + entry[0]
        if entry[1] == FOLDER:
            for below in files(path):
                yield below
        else:
            yield path


def checksums(folder):
    # Each file's path, size and CRC-32, read back from where it lies.
    for path in files(folder):
        size = checksum = 0
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                size += len(block)
                checksum = crc32(block, checksum)
        print((path, size, checksum))


class Reader:
    # Just enough of FlatBuffers: a table's fields by id, vectors of tables, strings.
    def __init__(self, file):
        self.file = file

    def number(self, at, size):
        self.file.seek(at)
        data = self.file.read(size)
        if len(data) < size:
            raise ValueError
        return int.from_bytes(data, "little")

    def field(self, table, which):
        # Where a field lies; 0 where it is not there.
        vtable = (table - self.number(table, 4)) & 0xFFFFFFFF
        if 4 + 2 * which >= self.number(vtable, 2):
            return 0
        offset = self.number(vtable + 4 + 2 * which, 2)
        return offset and table + offset

    def follow(self, at):
        return at + self.number(at, 4)

    def value(self, table, which, size):
        at = self.field(table, which)
        return self.number(at, size) if at else 0

    def string(self, at):
        start = self.follow(at)
        size = min(self.number(start, 4), 64)
        self.file.seek(start + 4)
        return self.file.read(size)


def codes(path):
    # A model's operators as the schema numbers them, custom ones by name; None where the file is not a model.
    found = []
    with open(path, "rb") as file:
        reader = Reader(file)
        try:
            file.seek(4)
            if file.read(4) != b"TFL3":
                return None
            vector = reader.follow(reader.field(reader.follow(0), 1))
            for index in range(min(reader.number(vector, 4), 256)):
                code = reader.follow(vector + 4 + 4 * index)
                number = max(reader.value(code, 3, 4), reader.value(code, 0, 1))
                custom = reader.field(code, 1)
                found.append(reader.string(custom) if number == 32 and custom else number)
        except (ValueError, OverflowError):
            return None
    return found


def models():
    # Every model that the board can see: path, size, operators, arena needed, free heap, and why it does not run.
    for path in files("/"):
        if path.endswith(".tflite"):
            gc.collect()
            arena, problem = None, None
            try:
                arena = arenite.arena_needed(path)
                arenite.Model(path).deinit()
            except Exception as error:
                problem = type(error).__name__ + ": " + str(error)
            gc.collect()
            print((path, os.stat(path)[6], codes(path), arena, gc.mem_free(), problem))
