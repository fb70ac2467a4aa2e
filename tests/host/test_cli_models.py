"""`arenite bench` and `arenite verify` on the emulator, and what they are made of."""

import json
from pathlib import Path

import numpy as np
import pytest

from arenite.bench import conventional_inputs, fnv1a
from arenite.boards import ROOT
from arenite.model import Tensor, read_model
from arenite.oracle import Oracle
from arenite.verify import FLOAT_BOUND, first_difference, random_inputs
from command import arenite, assert_refuses, emulate

BOARD = "MPS2_AN500"
DIGITS = ROOT / "models" / "digits" / "digits.tflite"
SINE = ROOT / "models" / "sine"


def tensor(dtype: str, *shape: int) -> Tensor:
    """A tensor of that type and shape."""
    return Tensor(0, "t", shape, np.dtype(dtype))


def test_fnv1a() -> None:
    """Catches another variant of the checksum, by the values that its authors publish."""
    assert fnv1a(b"") == 0x811C9DC5
    assert fnv1a(b"a") == 0xE40C292C
    assert fnv1a(b"foobar") == 0xBF9CF968


def test_conventional_inputs_run_on() -> None:
    """Catches another generator, or one that starts anew for each input. The first state of xorshift32 (13, 17, 5) from
    1 is 270369, the second 67634689, the third 2647435461, the fourth 307599695 (Marsaglia 2003)."""
    model = read_model(DIGITS)
    image = model.inputs[0]
    object.__setattr__(model, "inputs", (tensor("int8", 3), tensor("float32", 1), image))
    states = [270369, 67634689, 2647435461, 307599695]
    first, second, third = conventional_inputs(model)
    assert list(first) == [state >> 24 for state in states[:3]]
    assert np.frombuffer(second, np.float32)[0] == np.int8(states[3] >> 24) / 128
    assert len(third) == image.nbytes


def test_model_facts() -> None:
    """Catches multiply-adds that are not outputs times weights of an output, and operators or tensors mixed up."""
    model = read_model(DIGITS)
    assert [(t.shape, t.dtype) for t in model.inputs] == [((1, 28, 28, 1), np.int8)]
    assert model.outputs[0].shape == (1, 10)
    assert model.operators[-1].outputs == model.outputs
    assert model.macs == sum(operator.macs for operator in model.operators) > 10_000
    convolution = next(o for o in model.operators if o.op == "CONV_2D")
    taps, rest = divmod(convolution.macs, np.prod(convolution.outputs[0].shape))
    assert rest == 0
    assert taps in (9, 25)


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
def test_first_difference_finds_one_element(dtype: str) -> None:
    """Catches a comparison that overlooks a single wrong element, or reports another than the first."""
    right = np.arange(-4, 8).astype(dtype)
    wrong = right.copy()
    wrong[[5, 9]] += 1
    shape = tensor(dtype, 3, 4)
    assert first_difference([shape], [right.tobytes()], [right.tobytes()]) is None
    found = first_difference([shape, shape], [right.tobytes()] * 2, [right.tobytes(), wrong.tobytes()])
    assert found is not None
    assert (found.count, found.first) == (2, 5)
    assert float(found.found) - float(found.expected) == 1


def test_float_bound() -> None:
    """Catches a bound that is not where the documentation says, on either side, and a NaN taken for a number."""
    right = np.array([100, 0.5, 0], np.float32)
    shape = tensor("float32", 3)
    for off, differs in [(0.5, False), (2, True), (np.nan, True)]:
        found = right + np.array([0, 0, off * 100 * FLOAT_BOUND], np.float32)
        assert bool(first_difference([shape], [right.tobytes()], [found.tobytes()])) == differs


def test_random_inputs_are_seeded_and_differ() -> None:
    """Catches inputs that are the same each time round, or not repeatable, or not the whole range."""
    model = read_model(DIGITS)
    rows = random_inputs(model, 10)
    assert rows == random_inputs(model, 10)
    assert len({row[0] for row in rows}) == 10
    assert set(b"".join(row[0] for row in rows)) == set(range(256))


def test_oracle_keeps_what_each_operator_gave() -> None:
    """Catches keeping tensors changing results, and the last operator's output not being the model's."""
    model = read_model(DIGITS)
    inputs = conventional_inputs(model)
    keeping = Oracle(model, keep=True)
    assert keeping.invoke(inputs) == Oracle(model).invoke(inputs) == keeping.outputs_of(model.operators[-1])


def test_bench_counts_and_agrees_with_the_host() -> None:
    """Catches figures that are not repeatable, that do not add up, and outputs that are not tflite-micro's."""
    runs = [json.loads(arenite("bench", DIGITS, "--board", BOARD, "--json").stdout) for _ in range(2)]
    assert runs[0] == runs[1]
    (figures,) = runs[0]
    model = read_model(DIGITS)
    right = b"".join(Oracle(model).invoke(conventional_inputs(model)))
    assert figures["checksum"] == f"{fnv1a(right):08x}"
    assert figures["macs"] == model.macs == sum(row["macs"] for row in figures["ops"])
    assert 0 < figures["activations"] <= figures["arena"]
    parts = sum(row["instructions"] for row in figures["ops"])
    assert 0.9 * figures["instructions"] < parts <= 1.1 * figures["instructions"]
    assert figures["load_instructions"] > 0
    assert set(figures) == {
        "model", "board", "counts", "instructions", "load_instructions", "macs", "arena", "activations", "checksum",
        "ops",
    }  # fmt: skip


def test_bench_shows_a_table() -> None:
    """Catches the table for people leaving out operators or the arena."""
    done = arenite("bench", DIGITS, "--board", BOARD)
    assert done.returncode == 0, done.stderr
    for word in ("CONV_2D", "SOFTMAX", "one invoke", "arena", "checksum"):
        assert word in done.stdout


def test_bench_gives_the_arena_asked_for() -> None:
    """Catches --arena being ignored: an arena too small is the board's MemoryError and exit status 1."""
    done = arenite("bench", DIGITS, "--board", BOARD, "--arena", 100)
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


@pytest.mark.parametrize("model", [DIGITS, *sorted(SINE.glob("*.tflite"))], ids=lambda path: path.name)
def test_verify_says_equal(model: Path) -> None:
    """Catches a board that does not give tflite-micro's answers, and a comparison that fails on equal ones."""
    done = arenite("verify", model, "--board", BOARD, "--inputs", 3)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("equal")


@pytest.mark.parametrize("rom", [[], ["--rom", DIGITS]], ids=["mounted", "in flash"])
def test_verify_on_a_port(rom: list[object]) -> None:
    """Catches a real board being unable to see the model: mounted over the serial port, or in its flash already."""
    with emulate(BOARD, *rom) as (_, device):
        done = arenite("verify", DIGITS, "--port", device, "--inputs", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("equal")


def test_user_errors_are_one_line(tmp_path: Path) -> None:
    """Catches tracebacks of ours where the file is not what it should be."""
    (tmp_path / "text").write_text("this is no model at all")
    (tmp_path / "cut").write_bytes(DIGITS.read_bytes()[:60])
    for command in ("bench", "verify"):
        assert_refuses("not a TensorFlow Lite model", command, tmp_path / "text", "--board", BOARD)
        assert_refuses("damaged, or cut short", command, tmp_path / "cut", "--board", BOARD)
        assert_refuses("No such file", command, tmp_path / "none", "--board", BOARD)
        assert_refuses("no board 'nope'", command, DIGITS, "--board", "nope")
