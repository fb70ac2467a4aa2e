"""Makes the zoo: small models with seeded weights, one for each way in which TensorFlow's converter makes operators.

None of them is trained: they are here for their operators, types and control flow, not for their answers.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

# Before TensorFlow is imported: its banners would drown the progress, and oneDNN's reordered sums depend on the CPU.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import convert
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

Floats = npt.NDArray[np.float32]

SEED = 1
AT_ONCE = 2
LONGEST = 240  # seconds for one model
STEPS, FEATURES, UNITS = 3, 3, 6


def sequences() -> Floats:
    """Returns 100 sequences [100, steps, features] that set the scales."""
    return np.random.default_rng(SEED).uniform(-2, 2, (100, STEPS, FEATURES)).astype(np.float32)


def images() -> Floats:
    """Returns 100 images [100, 8, 8, 2] that set the scales."""
    return np.random.default_rng(SEED).uniform(-1, 1, (100, 8, 8, 2)).astype(np.float32)


def recurrent(keras: Any, layer: str, **how: Any) -> Any:
    """Returns a model of one recurrent layer, sequence [1, 3, 3] to classes [1, 5], by Keras 3 or Keras 2."""
    keras.utils.set_random_seed(SEED)
    wide = [keras.initializers.RandomUniform(-2, 2, seed=seed) for seed in range(3)]
    x = keras.Input((STEPS, FEATURES), batch_size=1)
    made = getattr(keras.layers, layer)(UNITS, bias_initializer=wide[0], **how)(x)
    dense = keras.layers.Dense(5, activation="softmax", kernel_initializer=wide[1], bias_initializer=wide[2])
    return keras.Model(x, dense(made))


def convolutional(channels: int) -> Any:
    """Returns a Keras model of three kinds of weights, image [1, 8, 8, 2] to classes [1, 16]."""
    import keras  # noqa: PLC0415
    from keras import layers  # noqa: PLC0415

    keras.utils.set_random_seed(SEED)
    x = keras.Input((8, 8, 2), batch_size=1)
    made = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", bias_initializer="random_normal")(x)
    made = layers.DepthwiseConv2D(3, padding="same", bias_initializer="random_normal")(made)
    made = layers.Conv2D(channels, 3, padding="same", activation="relu6", bias_initializer="random_normal")(made)
    made = layers.Flatten()(layers.MaxPooling2D()(made))
    return keras.Model(x, layers.Dense(16, bias_initializer="random_normal")(made))


def lstm_int8() -> bytes:
    """An LSTM of Keras 3, its steps unrolled, all int8."""
    import keras  # noqa: PLC0415

    return convert.quantize(recurrent(keras, "LSTM", unroll=True), sequences())


def lstm_float() -> bytes:
    """An LSTM of Keras 3 as a WHILE loop over its steps, float32."""
    import keras  # noqa: PLC0415

    return convert.to_float(recurrent(keras, "LSTM"))


def lstm_fused_int8() -> bytes:
    """An LSTM of Keras 2, which the converter knows as one operator, int8 with an int16 state."""
    import tf_keras  # noqa: PLC0415

    return convert.quantize(recurrent(tf_keras, "LSTM"), sequences())


def lstm_fused_float() -> bytes:
    """The same in float32."""
    import tf_keras  # noqa: PLC0415

    return convert.to_float(recurrent(tf_keras, "LSTM"))


def gru_int8() -> bytes:
    """A GRU of Keras 3, its steps unrolled, all int8."""
    import keras  # noqa: PLC0415

    return convert.quantize(recurrent(keras, "GRU", unroll=True), sequences())


def of_function(function: Any, module: Any) -> Any:
    """Returns a converter of a tf.function with an input signature, which belongs to the module."""
    import tensorflow as tf  # noqa: PLC0415

    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)


def streaming() -> bytes:
    """The mean and the largest of the last four inputs, and a running mean: variables keep them between runs."""
    import tensorflow as tf  # noqa: PLC0415

    class Stream(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.window = tf.Variable(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]], np.float32))
            self.mean = tf.Variable(np.zeros((1, FEATURES), np.float32))

        @tf.function(input_signature=[tf.TensorSpec([1, FEATURES], tf.float32)])  # type: ignore[untyped-decorator]
        def step(self, x: Any) -> Any:
            window = tf.concat([self.window[1:], x], 0)
            mean = self.mean + 0.25 * (x - self.mean)
            self.window.assign(window)
            self.mean.assign(mean)
            return tf.reduce_mean(window, 0), tf.reduce_max(window, 0), mean

    stream = Stream()
    converter = of_function(stream.step, stream)
    converter.experimental_enable_resource_variables = True
    return bytes(converter.convert())


def if_while() -> bytes:
    """Two branches, one of which loops as often as the second input says."""
    import tensorflow as tf  # noqa: PLC0415

    class Branches(tf.Module):  # type: ignore[misc]
        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec([1, 4], tf.float32), tf.TensorSpec([], tf.int32)]
        )
        def run(self, x: Any, count: Any) -> Any:
            def looped() -> Any:
                again = lambda i, total, _: tf.logical_and(i < count, tf.reduce_sum(total) < 100.0)  # noqa: E731
                turn = lambda i, total, sign: (i + 1, total * 1.5 + sign, -sign)  # noqa: E731
                return tf.while_loop(again, turn, (tf.constant(0), x, tf.constant(1.0)))[:2]

            return tf.cond(tf.reduce_sum(x) > 0.0, looped, lambda: (count * 2, tf.nn.relu(x) - 3.0))

    module = Branches()
    return bytes(of_function(module.run, module).convert())


def int16x8() -> bytes:
    """A small convolutional network, int16 activations and int8 weights."""
    import tensorflow as tf  # noqa: PLC0415

    def representative() -> Iterator[list[Floats]]:
        for image in images():
            yield [image[None]]

    converter = tf.lite.TFLiteConverter.from_keras_model(convolutional(4))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    converter.inference_input_type = tf.int16
    converter.inference_output_type = tf.int16
    return bytes(converter.convert())


def dynamic_range() -> bytes:
    """A wider one, float32 but for the int8 weights of its last two layers: the converter leaves small ones alone."""
    import tensorflow as tf  # noqa: PLC0415

    converter = tf.lite.TFLiteConverter.from_keras_model(convolutional(16))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def int4() -> bytes:
    """A convolution with a scale a channel and a dense layer with one scale, int4 weights between int8 activations.

    Fake quantization to four bits, as quantization-aware training leaves it: the converter turns that into int4.
    """
    import tensorflow as tf  # noqa: PLC0415

    generator = np.random.default_rng(SEED)
    fake = tf.quantization.fake_quant_with_min_max_args
    fake_per_channel = tf.quantization.fake_quant_with_min_max_vars_per_channel

    def drawn(*shape: int) -> Any:
        return tf.constant(generator.uniform(-0.5, 0.5, shape).astype(np.float32))

    class FourBits(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.filters, self.filters_bias = drawn(3, 3, 2, 8), drawn(8)
            self.weights, self.weights_bias = drawn(10, 128), drawn(10)

        @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 2], tf.float32)])  # type: ignore[untyped-decorator]
        def run(self, x: Any) -> Any:
            top = np.linspace(0.3, 0.5, 8, dtype=np.float32)
            filters = fake_per_channel(self.filters, -top, top, num_bits=4, narrow_range=True)
            weights = fake(self.weights, -0.5, 0.5, num_bits=4, narrow_range=True)
            made = tf.nn.relu(tf.nn.conv2d(fake(x, -1, 1), filters, 2, "SAME") + self.filters_bias)
            flat = tf.reshape(fake(made, -4, 4), [1, 128])
            return fake(tf.matmul(flat, weights, transpose_b=True) + self.weights_bias, -8, 8)

    module = FourBits()
    converter = of_function(module.run, module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


MAKERS = (
    *(lstm_int8, lstm_float, lstm_fused_int8, lstm_fused_float, gru_int8),
    *(streaming, if_while, int16x8, dynamic_range, int4),
)
MODELS: dict[str, Callable[[], bytes]] = {maker.__name__: maker for maker in MAKERS}


def described(content: bytes) -> str:
    """Returns a row of the card: the size, and each operator of all subgraphs once."""
    return f"{len(content):,} bytes: {', '.join(dict.fromkeys(convert.operators_of(content)))}"


def make_one(name: str, folder: Path) -> None:
    """Makes one model in this process."""
    with convert.quiet():
        content = MODELS[name]()
    (folder / f"{name}.tflite").write_bytes(content)


def make_apart(name: str, folder: Path) -> str:
    """Makes one model in a process of its own, since the converter can crash; returns what went wrong, or nothing."""
    command = [sys.executable, str(Path(__file__).resolve()), name, "--here", "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    return f"exit code {done.returncode}: {done.stderr[-2000:]}" if done.returncode else ""


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(MODELS)}; all if none is named.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")] = Path(__file__).parent,
    here: Annotated[bool, typer.Option(help="In this process, not each in one of its own.")] = False,
) -> None:
    """Makes the models."""
    chosen = names or list(MODELS)
    if unknown := set(chosen) - set(MODELS):
        raise typer.BadParameter(f"no model is called {', '.join(sorted(unknown))}")
    output.mkdir(parents=True, exist_ok=True)
    if here:
        for name in chosen:
            make_one(name, output)
        return
    console = Console()
    failed = False
    rows = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name, fault in zip(chosen, pool.map(lambda name: make_apart(name, output), chosen), strict=True):
            path = output / f"{name}.tflite"
            rows.append((name, fault or described(path.read_bytes())))
            console.print(": ".join(rows[-1]), highlight=False, soft_wrap=True, markup=False)
            failed |= bool(fault)
    if failed:
        raise typer.Exit(1)
    if not names:
        convert.write_figures(output / "README.md", rows)


if __name__ == "__main__":
    typer.run(main)
