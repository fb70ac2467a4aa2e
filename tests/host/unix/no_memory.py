# The heap is full but for a hole that grows block by block, until all goes well: every allocation fails once.
import arenite, gc

path = "models/digits/digits.tflite"
file = open(path, "rb").read()
image = bytes(784)
arena = arenite.Arena(20000)
kept = arenite.Model(file)
right = bytes(kept.invoke(image))
tensor = kept.inputs[0]
hogs = [None] * 3000
STEP = 32


def fill(hole):
    # Takes all of the heap but one hole of so many bytes.
    spare = bytearray(hole) if hole else None
    size = 2048  # small ones, so that one which the collector takes a stale word for weighs little
    k = 0
    while size > 0:
        try:
            hogs[k] = bytearray(size)
            k += 1
        except MemoryError:
            size //= 2
    try:
        while True:  # and of what is left, every single block
            hogs[k] = k + 0.5
            k += 1
    except MemoryError:
        return spare


def release():
    for k in range(len(hogs)):
        hogs[k] = None


def overwrite(n):
    # What the stack held, so that the collector finds nothing there that is no more.
    return n and overwrite(n - 1) + sum([n, n])


def attempt(call):
    try:
        call()
        return True
    except MemoryError:
        return False


def each(name, call, most):
    gc.collect()
    before = gc.mem_alloc()
    failed = worked = hole = 0
    while worked < 5 and hole < most:
        spare = fill(hole)
        spare = None
        ok = attempt(call)
        release()
        failed += not ok
        worked += ok
        hole += STEP if hole < 4000 else 16 * STEP
    grown = 1 << 30
    for depth in (5, 15, 30, 10, 25, 40):
        overwrite(depth)
        gc.collect()
        grown = min(grown, gc.mem_alloc() - before)
    assert bytes(kept.invoke(image)) == right
    assert arena.used == 0, arena
    call()
    print(name, failed, worked, grown)


def load(**options):
    m = arenite.Model(path, **options)
    assert bytes(m.invoke(image)) == right
    m.deinit()


def load_buffer():
    m = arenite.Model(file)
    assert bytes(m.invoke(image)) == right
    m.deinit()


each("path", load, 60000)
each("buffer", load_buffer, 40000)
each("arena", lambda: load(arena=arena), 60000)
each("size", lambda: load(arena=9000), 60000)
each("needed", lambda: arenite.arena_needed(file), 20000)
each("block", lambda: arenite.Arena(3000), 20000)
each("profile", lambda: kept.profile(image, each=lambda *a: None), 20000)
each("repr", lambda: (repr(kept), repr(tensor)), 8000)
each("facts", lambda: (tensor.name, tensor.shape, tensor.scale, len(tensor)), 8000)
each("dequantize", tensor.dequantize, 20000)
each("ops", arenite.ops, 40000)
