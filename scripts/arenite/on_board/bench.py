# Runs on the board, sent by `arenite bench`. Every line it prints is one Python literal.
from binascii import hexlify

import arenite


def fill(model, path):
    with open(path, "rb") as file:
        for tensor in model.inputs:
            file.readinto(memoryview(tensor))


def bench(model_path, inputs_path, arena):
    model = arenite.Model(model_path, arena=arena)
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
    fill(model, inputs_path)
    for row in model.profile():
        print(row)
