"""The right answers: tflite-micro's reference kernels, run on the host."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tflite_micro import runtime

from arenite.errors import UserError
from arenite.model import Model, Operator, Tensor

Array = NDArray[Any]


class Oracle:
    """One model in tflite-micro's interpreter.

    Args:
        keep: keep every operator's output, for output_of(); costs the host memory, changes no result.

    Raises:
        UserError: tflite-micro refuses the model.
    """

    def __init__(self, model: Model, *, keep: bool = False) -> None:
        self.model = model
        config = runtime.InterpreterConfig
        arena = 16 * len(model.data) + sum(16 * tensor.nbytes for op in model.operators for tensor in op.outputs)
        with captured() as complaint:
            try:
                self._interpreter = runtime.Interpreter.from_bytes(
                    model.data,
                    arena_size=arena + (1 << 20),
                    intrepreter_config=config.kPreserveAllTensors if keep else config.kAllocationRecording,
                )
            except (RuntimeError, ValueError) as error:
                reason = complaint() or error
                raise UserError(f"{model.path}: tflite-micro does not take this model: {reason}") from error

    def invoke(self, inputs: Sequence[bytes]) -> list[bytes]:
        """The outputs' bytes for these inputs' bytes."""
        for index, (tensor, data) in enumerate(zip(self.model.inputs, inputs, strict=True)):
            self._interpreter.set_input(as_array(tensor, data), index)
        with captured():
            self._interpreter.invoke()
        return [self._interpreter.get_output(i).tobytes() for i in range(len(self.model.outputs))]

    def outputs_of(self, operator: Operator) -> list[bytes]:
        """What an operator gave during the last invoke; only with keep=True."""
        return [self._interpreter.GetTensor(t.index, 0)["tensor_data"].tobytes() for t in operator.outputs]


def as_array(tensor: Tensor, data: bytes) -> Array:
    """A tensor's bytes as an array of its type and shape."""
    return np.frombuffer(data, tensor.dtype).reshape(tensor.shape)


@contextmanager
def captured() -> Iterator[Callable[[], str]]:
    """Keep what the C++ side of tflite-micro prints off standard error, and give it to who asks."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:

        def text() -> str:
            file.seek(0)
            return file.read().decode(errors="replace").strip()

        try:
            os.dup2(file.fileno(), 2)
            yield text
        finally:
            os.dup2(saved, 2)
            os.close(saved)
