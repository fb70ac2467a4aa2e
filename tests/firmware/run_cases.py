# Runs on the board, sent by test_cases.py. A batch is a file of cases one behind another, each at a multiple of 16
# bytes: the model's size, the inputs' size and eight bytes more; the model; the inputs. Every line is a Python literal.
from binascii import crc32, hexlify
from struct import unpack_from

import arenite

CHUNK = 512  # elements in a line
ROOMY = bytearray(512 * 1024)


def aligned(size):
    return (size + 15) & ~15


def open_batch(path):
    # Where it lies in flash; the memoryview keeps the file.
    with open(path, "rb") as file:
        return memoryview(file)


def invoked(batch, at, arena=None):
    # The model of the case at an offset, after it has run once; in the smallest arena, or in that one.
    size, _ = unpack_from("<II", batch, at)
    at += 16
    model = arenite.Model(batch[at : at + size], arena=arena)
    at += aligned(size)
    inputs = []
    for tensor in model.inputs:
        inputs.append(batch[at : at + tensor.nbytes])
        at += tensor.nbytes
    model.invoke(*inputs)
    return model


def sums(model):
    return [crc32(memoryview(tensor)) for tensor in model.outputs]


def checksums(path, start, count):
    # A checksum of each output, one line a case; or what was raised, or that they depend on the arena.
    batch = open_batch(path)
    at = start
    for _ in range(count):
        try:
            with invoked(batch, at) as model:
                small = sums(model)
            with invoked(batch, at, ROOMY) as model:
                print(small if sums(model) == small else repr("another answer in a larger arena"))
        except Exception as error:
            print(repr(f"{type(error).__name__}: {error}"))
        size, values = unpack_from("<II", batch, at)
        at += 16 + aligned(size) + aligned(values)


def data(path, offsets):
    # The outputs of the cases at these offsets, one line a chunk: case, output, data.
    batch = open_batch(path)
    for at in offsets:
        with invoked(batch, at) as model:
            for i, tensor in enumerate(model.outputs):
                view = memoryview(tensor)
                for start in range(0, len(view), CHUNK):
                    print((at, i, hexlify(view[start : start + CHUNK])))
