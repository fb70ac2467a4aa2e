"""From a trained Keras model to the .tflite file that is committed, and the figures for its card.

Needs TensorFlow only in quantize() and to_float(): what tests a .tflite file runs on tflite-micro alone.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from rich.console import Console
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

BUFFER_ALIGNMENT = 16  # The schema's own force_align for Buffer.data.
FILE_IDENTIFIER = b"TFL3"
FIGURES = re.compile(r"(<!-- figures: written by \w+\.py -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def quantize(model: Any, samples: npt.NDArray[np.float32]) -> bytes:
    """Returns the Keras model as a .tflite whose inputs, outputs and operators are all int8.

    `model` has batch size 1. `samples` [N, ...] are inputs that cover the whole range: the scales come from them.
    """
    import tensorflow as tf  # noqa: PLC0415

    def representative() -> Iterator[list[npt.NDArray[np.float32]]]:
        for sample in samples:
            yield [sample[None]]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with quiet():
        return bytes(converter.convert())


def to_float(model: Any) -> bytes:
    """Returns the Keras model, which has batch size 1, as a .tflite in float32."""
    import tensorflow as tf  # noqa: PLC0415

    with quiet():
        return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


@contextmanager
def quiet() -> Iterator[None]:
    """Holds back what the converter's C++ writes to stdout and stderr (pages of it), and shows it if it fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    with tempfile.TemporaryFile() as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, original in zip((1, 2), kept, strict=True):
                os.dup2(original, stream)
                os.close(original)
            if failed:
                log.seek(0)
                sys.stderr.write(log.read().decode(errors="replace"))


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A Buffer that packs its data 16-byte aligned: the generated code does not heed the schema's force_align."""

    def Pack(self, builder: flatbuffers.Builder) -> int:
        if self.data is None or len(self.data) == 0:
            schema.BufferStart(builder)
            return int(schema.BufferEnd(builder))
        data = bytes(self.data)
        builder.StartVector(1, len(data), BUFFER_ALIGNMENT)
        builder.head = builder.Head() - len(data)
        builder.Bytes[builder.Head() : builder.Head() + len(data)] = data
        vector = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))


def label(content: bytes, *, description: str, input_name: str, operators: Sequence[str]) -> bytes:
    """Returns the .tflite with readable names: one for the input, and one an operator, in their order.

    An operator's output gets the operator's name, so the last one names the model's output; its constants are called
    name/weights, name/bias or name/shape. Raises ValueError if the converter made another number of operators.
    """
    model = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    if len(graph.operators) != len(operators):
        raise ValueError(f"the converter made {len(graph.operators)} operators, not {len(operators)}: {operators}")
    model.description = description
    graph.tensors[graph.inputs[0]].name = input_name
    made = {*graph.inputs, *(output for operator in graph.operators for output in operator.outputs)}
    for operator, name in zip(graph.operators, operators, strict=True):
        graph.tensors[operator.outputs[0]].name = name
        constants = [tensor for tensor in operator.inputs if tensor not in made]
        kinds = ["shape"] if len(operator.inputs) == 2 else ["weights", "bias"]
        for tensor, kind in zip(constants, kinds, strict=len(constants) > 0):
            graph.tensors[tensor].name = f"{name}/{kind}"
    for signature in model.signatureDefs or []:
        signature.inputs[0].name = input_name
        signature.outputs[0].name = operators[-1]
    return packed(model)


def packed(model: Any) -> bytes:
    """Returns the schema's ModelT as the bytes of a .tflite, its constants aligned."""
    for buffer in model.buffers:
        buffer.__class__ = _AlignedBuffer
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def operators_of(content: bytes) -> list[str]:
    """Returns the operators of all subgraphs in their order, by the schema's names, for example CONV_2D."""
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromPackedBuf(content)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return [names[codes[operator.opcodeIndex]] for graph in model.subgraphs for operator in graph.operators]


def quantization_of(content: bytes) -> tuple[float, int, float, int]:
    """Returns (input scale, input zero point, output scale, output zero point) of a quantized model."""
    graph = schema.ModelT.InitFromPackedBuf(content).subgraphs[0]
    first, last = (graph.tensors[index].quantization for index in (graph.inputs[0], graph.outputs[0]))
    return float(first.scale[0]), int(first.zeroPoint[0]), float(last.scale[0]), int(last.zeroPoint[0])


def run(content: bytes, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns the outputs [N, ...] of tflite-micro's reference kernels for inputs [N, ...] of the model's type."""
    interpreter = runtime.Interpreter.from_bytes(content)
    shape = interpreter.get_input_details(0)["shape"]
    outputs = []
    for one in inputs:
        interpreter.set_input(one.reshape(shape), 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0])
    return np.array(outputs)


def accuracy(outputs: npt.NDArray[Any], labels: npt.NDArray[np.uint8]) -> float:
    """Returns the share of rows of outputs [N, classes] whose largest value is at the label."""
    return float(np.mean(outputs.argmax(axis=1) == labels))


def print_figures(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Prints the rows of a card's table."""
    for name, value in rows:
        console.print(f"{name}: {value}", highlight=False, soft_wrap=True)


def write_figures(card: Path, rows: Sequence[tuple[str, str]]) -> None:
    """Replaces the table between the card's two marks. A folder without a card is left without one."""
    if not card.exists():
        return
    table = "".join(f"| {name} | {value} |\n" for name, value in [("", ""), ("---", "---"), *rows])
    text, found = FIGURES.subn(lambda marks: marks[1] + table + marks[2], card.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"{card} lacks the two marks around its figures")
    card.write_text(text, encoding="utf-8")
