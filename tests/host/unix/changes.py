# A model in a bytearray whose every byte is changed while it runs: at each operator of the run, and before each use.
import arenite, sys

path = sys.argv[1]
good = open(path, "rb").read()
data = bytearray(good)
step = int(sys.argv[2])
m = arenite.Model(data)
inputs = [bytes(t) for t in m.inputs]
right = [bytes(t) for t in m.outputs]
guard = bytearray(b"\x55" * 4000)
ins, outs = m.inputs, m.outputs
at = calls = 0


def change(k, op, outputs):
    global calls
    calls += 1
    where = (at + k) % len(good)
    data[where] = (0, 0xFF, 0x80, 1)[(at + k) % 4]
    [bytes(t) for t in outputs]


uses = (
    lambda: m.profile(*inputs, each=change), lambda: m.invoke(*inputs), lambda: m.invoke(), lambda: m.reset(),
    lambda: repr(ins), lambda: [t.scale for t in outs], lambda: outs[0].dequantize(), lambda: outs[0].argmax(),
    lambda: ins[0].set(inputs[0], 0.5, 1), lambda: m.profile(), lambda: repr(m), lambda: [t.name for t in ins],
)  # fmt: skip
raised = 0
for at in range(0, len(good), step):
    for use in uses:
        try:
            use()
        except (ValueError, NotImplementedError, RuntimeError, IndexError, TypeError):
            raised += 1
    data[:] = good
assert guard == b"\x55" * 4000
m.reset()
assert len(data) == len(good) and calls and raised
m.invoke(*inputs)
print("fine", calls, raised)
