# Runs on the board, sent by `arenite verify`. Every line it prints is one Python literal.
from binascii import crc32, hexlify

import arenite


def in_rom(name, size, checksum):
    # Whether the board's own ROMFS holds this very file already.
    try:
        with open("/rom/" + name, "rb") as file:
            data = memoryview(file)
            print(len(data) == size and crc32(data) == checksum)
    except (OSError, TypeError):
        print(False)


def fill(model, file):
    for tensor in model.inputs:
        file.readinto(memoryview(tensor))


def outputs(model_path, inputs_path, count):
    # The outputs of `count` invokes, one line an invoke.
    model = arenite.Model(model_path)
    with open(inputs_path, "rb") as file:
        for _ in range(count):
            fill(model, file)
            model.invoke()
            print([hexlify(memoryview(tensor)) for tensor in model.outputs])


def operators(model_path, inputs_path, which):
    # What every operator gives in invoke number `which`: data where it is float32, else a checksum.
    def show(index, op, tensors):
        print((index, [value(tensor) for tensor in tensors]))

    def value(tensor):
        view = memoryview(tensor)
        return hexlify(view) if tensor.dtype == "float32" else crc32(view)

    each(model_path, inputs_path, which, show)


def operator(model_path, inputs_path, which, wanted):
    # What one operator gives in invoke number `which`.
    def show(index, op, tensors):
        if index == wanted:
            print([hexlify(memoryview(tensor)) for tensor in tensors])

    each(model_path, inputs_path, which, show)


def each(model_path, inputs_path, which, show):
    model = arenite.Model(model_path)
    with open(inputs_path, "rb") as file:
        for _ in range(which):  # the state of a stateful model
            fill(model, file)
            model.invoke()
        fill(model, file)
        model.profile(each=show)
