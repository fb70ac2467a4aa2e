"""The zoo on one emulated board: whole models as the converter makes them, beside the engine on the host."""

from collections.abc import Iterator

import numpy as np
import pytest
from rich.console import Console

import zoo_models as zoo
from arenite.board import Connection
from arenite.boards import find_board
from arenite.engine import Engine, HostModel
from arenite.targets import emulated

RUNS = 6
# The board has MicroPython's mathematical functions where the host has glibc's.
RTOL, ATOL = 1e-5, 1e-6

PROGRAM = b"""
from binascii import hexlify
import arenite

def rounds(name, runs):
    # The outputs of as many invokes in a row, one line an invoke; and the same again after reset().
    model = arenite.Model("/rom/" + name + ".tflite")
    for _ in range(2):
        with open("/rom/" + name + ".bin", "rb") as file:
            for _ in range(runs):
                for tensor in model.inputs:
                    file.readinto(memoryview(tensor))
                model.invoke()
                print([hexlify(memoryview(tensor)) for tensor in model.outputs])
        model.reset()
"""


@pytest.fixture(scope="module")
def host() -> dict[str, HostModel]:
    """Every model on the host."""
    engine = Engine()
    return {name: HostModel(engine, zoo.content(name)) for name in zoo.NAMES}


@pytest.fixture(scope="module")
def board(host: dict[str, HostModel]) -> Iterator[Connection]:
    """One board that has all models and their inputs."""
    files = {}
    for name, model in host.items():
        files[f"{name}.tflite"] = zoo.content(name)
        files[f"{name}.bin"] = b"".join(x.tobytes() for xs in zoo.inputs(name, model, RUNS) for x in xs)
    with emulated(find_board("MPS2_AN386"), files, Console(stderr=True)) as connection:
        connection.run(PROGRAM, lambda _: None)
        yield connection


@pytest.mark.parametrize("name", zoo.NAMES)
def test_outputs(board: Connection, host: dict[str, HostModel], name: str) -> None:
    """Catches subgraphs, state, int4 or int16 arithmetic that a 32-bit core does otherwise than the host, and state
    that a board's reset() leaves as it was."""
    model = host[name]
    model.reset()
    expected = [model.invoke(inputs) for inputs in zoo.inputs(name, model, RUNS)]
    found: list[list[bytes]] = []
    board.call("rounds", name, RUNS, each=found.append)
    assert len(found) == 2 * RUNS
    assert found[:RUNS] == found[RUNS:], "after reset() the answers are others"
    for want, lines in zip(expected, found[:RUNS], strict=True):
        for right, line in zip(want, lines, strict=True):
            got = np.frombuffer(bytes.fromhex(line.decode()), right.dtype).reshape(right.shape)
            if right.dtype.kind == "f":
                np.testing.assert_allclose(got, right, rtol=RTOL, atol=ATOL)
            else:
                np.testing.assert_array_equal(got, right)
