# The sine of a few angles, by a network of two small layers: TensorFlow's hello world.
#
#   arenite run examples/sine.py --board MPS2_AN386 --rom models/sine/sine.tflite

import math
from array import array

import arenite

m = arenite.Model("/rom/sine.tflite")
for step in range(13):
    x = step * math.pi / 6
    y = m.invoke(array("f", (x,))).dequantize()[0]
    bar = " " * int(20 + 20 * min(y, 1)) + "*"
    print(f"{x:5.2f} {y:6.2f} {bar}")
