# Runs on the board, sent by `arenite demo`. Every line it prints is one Python literal.
from binascii import hexlify

import arenite


def classify(model_path, images_path, count):
    model = arenite.Model(model_path)
    image = model.inputs[0]
    print(model.arena_used)
    with open(images_path, "rb") as file:
        images = memoryview(file)  # in flash, where they lie
    for index in range(count):
        image.set(images[index * image.nbytes : (index + 1) * image.nbytes], scale=1 / 255)
        digit = model.invoke()
        print((digit.argmax(), model.ticks[1], hexlify(memoryview(digit))))
