# Threads with a model each, and threads that all want one model.
import _thread, arenite, time

path = "models/digits/digits.tflite"
image = bytes(784)
shared = arenite.Model(path)
right = bytes(shared.invoke(image))
lock = _thread.allocate_lock()
done = []
refusals = [0]


def own(n):
    try:
        m = arenite.Model(path)
        for k in range(150):
            assert bytes(m.invoke(image)) == right
        result = "own"
    except Exception as error:
        result = repr(error)
    with lock:
        done.append(result)


def common(n):
    ran = refused = 0
    result = "common"
    try:
        for k in range(400):
            try:
                shared.invoke(image)
                ran += 1
            except RuntimeError as error:
                assert str(error) == "model: already running", error
                refused += 1
    except Exception as error:
        result = repr(error)
    with lock:
        refusals[0] += refused
        done.append(result)


_thread.stack_size(256 * 1024)
for n in range(3):
    _thread.start_new_thread(own, (n,))
    _thread.start_new_thread(common, (n,))
while len(done) < 6:
    time.sleep_ms(5)
assert sorted(done) == ["common"] * 3 + ["own"] * 3, done
assert bytes(shared.invoke(image)) == right
print("fine", refusals[0])
