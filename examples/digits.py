# Classify the handwritten digits in /rom/digits.bin with /rom/digits.tflite.
#
#   arenite run examples/digits.py --board MPS2_AN500 --rom models/digits/digits.tflite --rom digits.bin
#
# digits.bin: one digit after another, the label in one byte and then 28 x 28 grey bytes; models/digits/README.md has
# the line that makes it from the held-out digits.

import arenite

SIZE = 28 * 28

m = arenite.Model("/rom/digits.tflite")
print(m)
right = n = 0
with open("/rom/digits.bin", "rb") as f:
    while record := f.read(1 + SIZE):
        m.inputs[0].set(memoryview(record)[1:], 1 / 255)
        right += m.invoke().argmax() == record[0]
        n += 1
print("right:", right, "of", n)
