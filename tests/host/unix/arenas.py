# An arena of the script's own, whose every byte is changed in turn: before a run and in the middle of one.
import arenite
import sys

path = sys.argv[1]
m = arenite.Model(path)
arena = bytearray(m.arena_size + 64)
m = arenite.Model(path, arena=arena)
inputs = [bytes(t) for t in m.inputs]
m.invoke(*inputs)
ran = refused = where = 0


def change(k, op, outputs):
    arena[where] ^= 0x11


def attempt(call):
    global ran, refused
    try:
        call()
        ran += 1
    except RuntimeError as error:
        assert "written over" in str(error), error
        refused += 1


for where in range(len(arena)):
    for value in (1, 0x80, 0xFF):
        was = bytes(arena)
        arena[where] ^= value
        attempt(lambda: m.invoke(*inputs))
        attempt(lambda: repr(m.outputs))
        attempt(m.reset)
        arena[:] = was
    was = bytes(arena)
    attempt(lambda: m.profile(*inputs, each=change))
    arena[:] = was
m.invoke(*inputs)
print("fine", ran, refused)
