"""Every row of the error table: the exception, its text, and a board that goes on."""

import pytest

from firmware.conftest import DIGITS_SIZE, Session

NEEDED = "int(arenite.arena_needed('/rom/digits.tflite'))"


def raised(board: Session, statement: str) -> str:
    """What a statement raises, after which a model must still load and run."""
    refusal = board.refusal("import arenite\n" + statement)
    assert board.run("print(arenite.Model('/rom/sine.tflite').invoke(bytes(1)).nbytes)") == "1\n"
    return refusal


def test_no_such_file(board: Session) -> None:
    """Catches an error of the module's own where open() has one that programs expect."""
    assert raised(board, "arenite.Model('/rom/nothing.tflite')") == "OSError: [Errno 2] ENOENT"
    assert raised(board, "arenite.arena_needed('/nowhere/x')") == "OSError: [Errno 2] ENOENT"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("b''", "ValueError: model: "),
        ("b'this is no model at all'", "ValueError: model: "),
        ("memoryview(open('/rom/digits.tflite', 'rb'))[:5000]", "ValueError: model: "),
        ("memoryview(open('/rom/digits.tflite', 'rb'))[:40]", "ValueError: model: "),
    ],
    ids=["empty", "text", "half", "head"],
)
def test_not_a_model(board: Session, source: str, text: str) -> None:
    """Catches a damaged file that loads, or one that ends the board."""
    assert raised(board, f"arenite.Model({source})").startswith(text)
    assert raised(board, f"arenite.arena_needed({source})").startswith(text)


def test_a_damaged_field_is_named(board: Session) -> None:
    """Catches a refusal that does not say what of the file is wrong: here tensor 0's shape points past the end."""
    assert "tensor" in raised(
        board,
        """
good = bytes(memoryview(open('/rom/sine.tflite', 'rb')))
for at in range(0, len(good), 4):
    bad = bytearray(good)
    bad[at:at + 4] = b'\\xff\\xff\\xff\\x7f'
    try:
        arenite.Model(bad)
    except ValueError as error:
        if 'tensor' in str(error):
            raise
    except (NotImplementedError, MemoryError):
        pass
""",
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("uncompiled", "NotImplementedError: op 0: operator LSH_PROJECTION is not compiled in"),
        ("custom", "NotImplementedError: op 0 my_op: this custom operator is not compiled in"),
        ("bad_type", "NotImplementedError: op 0 ADD: bool is not supported"),
    ],
)
def test_not_supported(board: Session, file: str, text: str) -> None:
    """Catches a refusal that does not name the operator, or counts as damage what is only not compiled in."""
    assert raised(board, f"arenite.Model('/rom/{file}.tflite')") == text


@pytest.mark.parametrize(
    ("arena", "has"),
    [
        ("0", "0"),
        ("16", "16"),
        (f"{NEEDED} - 1", f"{NEEDED} - 1"),
        ("bytearray(100)", "100"),
        (f"memoryview(bytearray({NEEDED}))[1:]", f"{NEEDED} - 4"),
        ("arenite.Arena(1000)", "1000"),
    ],
)
def test_arena_too_small(board: Session, arena: str, has: str) -> None:
    """Catches a wrong number, an arena that is a byte short and accepted, and alignment that is not accounted for."""
    board.run("import arenite")
    expected = board.run(f"print('MemoryError: arena: needs', {NEEDED}, 'bytes, has', {has})").strip()
    refusal = raised(board, f"arenite.Model('/rom/digits.tflite', arena={arena})")
    assert refusal == expected.replace("bytes, has ", "bytes, has ")


def test_heap_too_small(board: Session) -> None:
    """Catches a message that does not say how much was wanted, for the arena and for a file read into RAM."""
    size = DIGITS_SIZE
    board.run(
        """
        import arenite, gc
        with open('/rom/digits.tflite', 'rb') as f, open('/copy.tflite', 'wb') as g:
            g.write(f.read())
        def fill(block):
            hog = [None] * 2000 # a list that grows would itself run out of memory
            try:
                for n in range(2000):
                    hog[n] = bytearray(block)
            except MemoryError:
                return hog, n
        def overwrite(n):
            return n and overwrite(n - 1)
        def starved(path, block):
            # Leaves room for one block.
            needed = arenite.arena_needed(path)
            hog, n = fill(block)
            hog[n // 2] = None
            overwrite(15)
            try:
                arenite.Model(path)
            except MemoryError as error:
                hog[:8] = [None] * 8
                print(error, needed)
        """
    )
    output = board.run("starved('/copy.tflite', 4096)")
    assert output.startswith(f"model: needs {size} bytes of heap; on ROMFS it needs none")
    text, needed = board.run("starved('/rom/chain.tflite', 65536)").strip().rsplit(" ", 1)
    assert text == f"arena: the heap has no block of {needed} bytes"
    assert board.run("gc.collect(); print(arenite.Model('/copy.tflite').invoke(bytes(784)).nbytes)") == "10\n"


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ("bytes(100)", "ValueError: input 0 'image': needs 784 int8, got 100 bytes"),
        ("bytes(785)", "ValueError: input 0 'image': needs 784 int8, got 785 bytes"),
        ("array('b', bytes(783))", "ValueError: input 0 'image': needs 784 int8, got 783 bytes"),
        ("array('f', [0] * 783)", "ValueError: input 0 'image': needs 784 int8, got 783 floats"),
        ("array('h', [0] * 784)", "TypeError: input 0 'image': needs 784 int8, got 784 of type 'h': see Tensor.set"),
        ("[0] * 784", "TypeError: input 0 'image': needs a buffer of 784 int8, got list"),
        ("0.5", "TypeError: input 0 'image': needs a buffer of 784 int8, got float"),
        ("bytes(784), bytes(784)", "TypeError: number of inputs: needs 1, got 2"),
    ],
)
@pytest.mark.parametrize("method", ["invoke", "profile"])
def test_wrong_input(board: Session, method: str, inputs: str, text: str) -> None:
    """Catches input that is cut, padded or read as another type without a word."""
    program = f"from array import array\nm = arenite.Model('/rom/digits.tflite')\nm.{method}({inputs})"
    assert raised(board, program) == text


def test_wrong_second_input_is_named(board: Session) -> None:
    """Catches the wrong input's number or name in the message."""
    text = raised(board, "arenite.Model('/rom/two.tflite').invoke(bytes(4), bytes(5))")
    assert text == "ValueError: input 1 'right': needs 4 int8, got 5 bytes"


@pytest.mark.parametrize(
    "use",
    [
        "m.invoke()", "m.invoke(bytes(784))", "m.profile()", "m.reset()", "m.inputs", "m.outputs", "m.arena_size",
        "m.arena_used", "m.activations", "m.ticks", "t.name", "t.shape", "t.scale", "t.nbytes", "t[0]", "len(t)",
        "t.argmax()", "t.set(bytes(784))", "t.dequantize()", "memoryview(t)", "bytes(t)",
        "arenite.Model('/rom/digits.tflite').invoke(t)",
    ],
)  # fmt: skip
def test_used_after_deinit(board: Session, use: str) -> None:
    """Catches a use of memory that was given back."""
    text = raised(board, f"m = arenite.Model('/rom/digits.tflite')\nt = m.inputs[0]\nm.deinit()\n{use}")
    assert text == "RuntimeError: model: used after deinit"


@pytest.mark.parametrize("use", ["m.invoke()", "m.profile()", "m.reset()", "m.deinit()", "m.inputs[0].set(bytes(784))"])
def test_used_while_running(board: Session, use: str) -> None:
    """Catches a model that is run, changed or freed under its own feet by a callback; afterwards it works again."""
    program = f"m = arenite.Model('/rom/digits.tflite')\nm.profile(bytes(784), each=lambda *a: {use})"
    assert raised(board, program) == "RuntimeError: model: already running"
    assert board.run("m.reset(); print(m.invoke(bytes(784)).nbytes)") == "10\n"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("arenite.Model()", "TypeError"),
        ("arenite.Model(1)", "TypeError"),
        ("arenite.Model(None)", "TypeError"),
        ("arenite.Model('/rom/sine.tflite', 5)", "TypeError"),
        ("arenite.Model('/rom/sine.tflite', size=5)", "TypeError"),
        ("arenite.Model('/rom/sine.tflite', arena=-1)", "ValueError"),
        ("arenite.Model('/rom/sine.tflite', arena=2.5)", "TypeError"),
        ("arenite.Model('/rom/sine.tflite', arena=bytes(5000))", "TypeError"),
        ("arenite.Model('/rom/sine.tflite', arena=1 << 29)", "MemoryError"),
        ("arenite.Arena(0)", "ValueError"),
        ("arenite.Arena(-5)", "ValueError"),
        ("arenite.Arena(1 << 29)", "MemoryError"),
        ("arenite.Arena()", "TypeError"),
        ("arenite.Tensor()", "TypeError"),
        ("arenite.arena_needed(5)", "TypeError"),
        ("arenite.Model('/rom/sine.tflite').nothing", "AttributeError"),
        ("arenite.Model('/rom/sine.tflite').inputs = 1", "AttributeError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0].nothing", "AttributeError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0][1]", "IndexError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0][-2]", "IndexError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0][0] = 1", "TypeError"),
        ("arenite.Model('/rom/sine.tflite').outputs[0].set(bytes(1))", "TypeError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0].set(bytes(2))", "ValueError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0].set(5)", "TypeError"),
        ("arenite.Model('/rom/sine.tflite').inputs[0].set(bytes(1), 'x')", "TypeError"),
        ("memoryview(arenite.Model('/rom/sine.tflite').outputs[0])[0] = 1", "TypeError"),
        ("open('/rom/sine.tflite', 'rb').readinto(arenite.Model('/rom/sine.tflite').outputs[0])", "TypeError"),
    ],
)
def test_misuse(board: Session, call: str, error: str) -> None:
    """Catches arguments that are taken though they make no sense, and objects written where only reading is meant."""
    assert raised(board, call).split(":")[0] == error
