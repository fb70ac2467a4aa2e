# Runs on the board, sent by `arenite bench`. Every line it prints is one Python literal.
from binascii import hexlify

import arenite


def fill(model, path):
    with open(path, "rb") as file:
        for tensor in model.inputs:
            file.readinto(memoryview(tensor))


# A row at a time; or all of them, for the profile.
def feed(model, path):
    data = memoryview(open(path, "rb"))
    rows, size = model.rows
    for start in range(0, rows * size, size):
        model.feed(data[start : start + size])
    return data[: rows * size]


def bench(model_path, inputs_path, arena, stream):
    model = arenite.Model(model_path, arena=arena, stream=stream)
    if stream:
        whole = feed(model, inputs_path)
    else:
        fill(model, inputs_path)
        model.invoke()
    load, invoke = model.ticks
    print(
        {
            "load_instructions": load,
            "instructions": invoke,
            "arena": model.arena_used,
            "activations": model.activations,
        }
    )
    for tensor in model.outputs:
        print(hexlify(memoryview(tensor)))
    # An invoke may have used the inputs' memory for what comes later, and moved the state on.
    model.reset()
    if not stream:
        fill(model, inputs_path)
    for row in model.profile(whole) if stream else model.profile():
        print(row)
