# Strips of WS2812 and SK6812 lights, as MicroPython's neopixel module has them.
from machine import bitstream


class NeoPixel:
    # Where red, green, blue and white lie in a light's bytes.
    ORDER = (1, 0, 2, 3)

    # timing: 1 for 800 kHz, 0 for 400 kHz, or nanoseconds (high 0, low 0, high 1, low 1).
    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)
        if isinstance(timing, int):
            timing = (400, 850, 800, 450) if timing else (800, 1700, 1600, 900)
        self.timing = timing
        pin.init(pin.OUT)

    def _place(self, index):
        if not -self.n <= index < self.n:
            raise IndexError("light out of range")
        return index % self.n * self.bpp

    def __len__(self):
        return self.n

    def __setitem__(self, index, color):
        start = self._place(index)
        for part in range(self.bpp):
            self.buf[start + self.ORDER[part]] = color[part]

    def __getitem__(self, index):
        start = self._place(index)
        return tuple(self.buf[start + self.ORDER[part]] for part in range(self.bpp))

    def fill(self, color):
        for index in range(self.n):
            self[index] = color

    def write(self):
        bitstream(self.pin, 0, self.timing, self.buf)
