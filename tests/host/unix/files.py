# Filesystems written in Python whose files fail in every way that they can.
import arenite, gc, vfs

path = "models/digits/digits.tflite"
whole = open(path, "rb").read()
image = bytes(784)
right = bytes(arenite.Model(whole).invoke(image))
kept = []


class File:
    def __init__(self, how):
        self.how, self.at, self.reads = how, 0, 0

    def seek(self, offset, whence=0):
        if self.how == "seek":
            raise OSError(5)
        self.at = (0, self.at, len(whole))[whence] + offset
        if self.how == "huge" and whence == 2:
            return 1 << 29
        if self.how == "negative size" and whence == 2:
            return -5
        if self.how == "no number" and whence == 2:
            return "many"
        return self.at

    def readinto(self, buf):
        self.reads += 1
        n = min(len(buf), len(whole) - self.at)
        if self.how in ("short", "keep", "collect"):
            n = min(n, 100)
        if self.reads > 1 and self.how == "error":
            raise OSError(5)
        if self.how in ("error", "shrink", "nothing", "negative"):
            n = min(n, 5000) if self.reads == 1 else 0
        if self.how == "keep":
            kept.append(buf)
        if self.how == "collect":
            gc.collect()
        buf[:n] = whole[self.at : self.at + n]
        self.at += n
        if self.how == "lie":
            return len(buf) + 1000
        if self.how == "nothing" and self.reads > 1:
            return None
        if self.how == "negative" and self.reads > 1:
            return -1
        if self.how == "text":
            return "abc"
        return n

    def close(self):
        closed.append(self.how)
        if self.how == "close":
            raise OSError(5)


class Disk:
    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def open(self, name, mode):
        return File(name.strip("/"))


closed = []
vfs.mount(Disk(), "/odd")
EXPECTED = {
    "sound": None, "short": None, "keep": None, "collect": None, "error": OSError, "seek": OSError, "close": OSError,
    "shrink": ValueError, "nothing": ValueError, "negative": ValueError, "lie": ValueError, "text": TypeError,
    "no number": TypeError, "huge": MemoryError, "negative size": ValueError,
}  # fmt: skip
for round in range(3):
    for how, expected in EXPECTED.items():
        got = None
        try:
            m = arenite.Model("/odd/" + how)
            assert bytes(m.invoke(image)) == right
            m.deinit()
        except (OSError, ValueError, TypeError, MemoryError) as error:
            got = type(error)
            if how == "shrink":
                assert "deploy it again" in str(error), error
        assert got is expected, (how, got)
        assert closed.pop() == how and not closed
        m = None
        # What the file has kept of the buffer is still the buffer.
        gc.collect()
        junk = [bytearray(b"\x55" * 200) for _ in range(200)]
        for view in kept:
            view[:] = b"\xff" * len(view)
        assert all(block == b"\x55" * 200 for block in junk)
        kept.clear()
        junk = None
        gc.collect()
print("fine")
