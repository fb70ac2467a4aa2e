"""TFLite_Detection_PostProcess against tflite-micro."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers

import draw
from arenite.engine import Engine, EngineError, HostModel
from builder import Op, Tensor, build
from reference import Rejected, compared, reference, refusal

Array = np.ndarray[Any, np.dtype[Any]]
FIELDS: dict[str, Any] = {
    "max_detections": 5, "max_classes_per_detection": 1, "detections_per_class": 3, "use_regular_nms": False,
    "nms_score_threshold": 0.2, "nms_iou_threshold": 0.5, "num_classes": 3,
    "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
}  # fmt: skip


def detector(inputs: list[Tensor], room: int, **fields: object) -> bytes:
    """A model of the operator; its outputs have room for so many detections."""
    outputs = [Tensor([1, room, 4]), Tensor([1, room]), Tensor([1, room]), Tensor([1])]
    more = bytes(flexbuffers.Dumps({k: v for k, v in (FIELDS | fields).items() if v is not None}))
    return build([Op("CUSTOM", inputs, outputs, None, "TFLite_Detection_PostProcess", more)])


def draw_detections(rng: draw.Rng, boxes: int, scores: int, coordinates: int = 4) -> list[Array]:
    """Encodings, scores and anchors: a few places where boxes lie on each other; scores of which some are equal."""
    encodings = rng.uniform(-2, 2, [1, boxes, coordinates]).astype(np.float32)
    places = rng.uniform(0, 4, [4, 2])[rng.integers(0, 4, boxes)] + rng.uniform(-0.2, 0.2, [boxes, 2])
    anchors = np.concatenate([places, rng.uniform(0.5, 1.5, [boxes, 2])], axis=1).astype(np.float32)
    return [encodings, (np.round(rng.uniform(0, 1, [1, boxes, scores]) * 16) / 16).astype(np.float32), anchors]


def agree(got: list[Array], expected: list[Array]) -> int:
    """Check the detections that there are, and that the others are zeros; how many there are."""
    n = int(got[3].ravel()[0])
    assert n == int(expected[3].ravel()[0])
    for a, b in zip(got[:3], expected[:3], strict=True):
        np.testing.assert_allclose(a[0, :n], b.reshape(a.shape)[0, :n], rtol=1e-5, atol=1e-5)
        assert not a[0, n:].any()
    return n


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("regular", [False, True])
def test_detections(engine: Engine, regular: bool, seed: int) -> None:
    """Catches a box that should have gone or stayed, another order of equals, the background taken for a class."""
    rng = np.random.default_rng(seed)
    boxes, classes, background = (int(rng.integers(*k)) for k in ((1, 40), (1, 6), (0, 2)))
    most = int(rng.integers(1, 12))
    inputs = draw_detections(rng, boxes, classes + background, int(rng.choice([4, 4, 6])))
    model = detector(
        [Tensor(x.shape) for x in inputs],
        most,
        max_detections=most,
        num_classes=classes,
        use_regular_nms=regular,
        detections_per_class=int(rng.integers(1, 6)),
        nms_score_threshold=float(rng.choice([0.0, 0.25, 0.7, 1.5])),
        nms_iou_threshold=float(rng.choice([0.1, 0.3, 0.6, 1.0])),
    )
    host = HostModel(engine, model)
    got = host.invoke(inputs)
    agree(got, reference(model, inputs))
    agree(host.invoke(inputs), got)
    compared(model, inputs, got, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_quantized_inputs(engine: Engine, dtype: str, seed: int) -> None:
    """Catches a zero point or a scale that is lost: tflite-micro is asked about the dequantized inputs."""
    rng = np.random.default_rng(seed)
    shapes = [[1, 20, 4], [1, 20, 4], [20, 4]]
    tensors, data, real = [], [], []
    for x, scale in zip(draw_detections(rng, 20, 4), (0.02, 1 / 255, 0.03), strict=True):
        zero = int(rng.integers(-60, -40)) if dtype == "int8" else int(rng.integers(60, 90))
        info = np.iinfo(dtype)
        q = np.clip(np.round(x / scale) + zero, info.min, info.max).astype(dtype)
        tensors.append(Tensor(x.shape, dtype, float(np.float32(scale)), zero))
        data.append(q)
        real.append((q.astype(np.float32) - zero) * np.float32(scale))
    regular = bool(seed % 2)
    model = detector(tensors, 5, use_regular_nms=regular)
    got = HostModel(engine, model).invoke(data)
    expected = reference(detector([Tensor(s) for s in shapes], 5, use_regular_nms=regular), real)
    agree(got, expected)
    compared(model, data, got, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_several_classes_of_a_box(engine: Engine, seed: int) -> None:
    """Catches classes in another order, or gaps between detections (tflite-micro leaves some, and overruns)."""
    rng = np.random.default_rng(seed)
    inputs = draw_detections(rng, 20, 4)
    tensors = [Tensor(x.shape) for x in inputs]
    (boxes, classes, _, n) = HostModel(engine, detector(tensors, 5)).invoke(inputs)
    found = HostModel(engine, detector(tensors, 10, max_classes_per_detection=2)).invoke(inputs)
    count = int(n[0])
    assert int(found[3][0]) == 2 * count
    for i in range(count):
        np.testing.assert_array_equal(found[0][0, 2 * i], boxes[0, i])
        np.testing.assert_array_equal(found[0][0, 2 * i + 1], boxes[0, i])
        first, second = found[1][0, 2 * i : 2 * i + 2].astype(int)
        rows = [r for r in inputs[1][0, :, 1:] if tuple(np.argsort(-r, kind="stable")[:2]) == (first, second)]
        assert any(np.array_equal(r[[first, second]], found[2][0, 2 * i : 2 * i + 2]) for r in rows)
        assert first == classes[0, i]


def test_defaults(engine: Engine) -> None:
    """Catches defaults unlike tflite-micro's: 100 detections of a class, boxes stand for their best class."""
    inputs = draw_detections(np.random.default_rng(1), 30, 4)
    for regular in (None, True):
        model = detector(
            [Tensor(x.shape) for x in inputs],
            5,
            detections_per_class=None,
            use_regular_nms=regular,
            nms_iou_threshold=1,
        )
        agree(HostModel(engine, model).invoke(inputs), reference(model, inputs))


def test_a_box_without_area(engine: Engine) -> None:
    """Catches a box that ends before it starts, at which tflite-micro fails too."""
    inputs = draw_detections(np.random.default_rng(1), 4, 4)
    model = detector([Tensor(x.shape) for x in inputs], 5)
    inputs[2][2, 3] = -1
    with pytest.raises(Rejected):
        reference(model, inputs)
    with pytest.raises(EngineError, match="op 0 TFLite_Detection_PostProcess: a box has no area"):
        HostModel(engine, model).invoke(inputs)


@pytest.mark.parametrize("regular", [False, True])
def test_values_that_are_no_numbers(engine: Engine, regular: bool) -> None:
    """Catches a NaN that leads to a class or box that there is not."""
    inputs = draw_detections(np.random.default_rng(1), 9, 4)
    inputs[0][0, ::2] = np.nan
    inputs[1][0, ::3] = np.nan
    inputs[1][0, 1::3] = np.inf
    tensors = [Tensor(x.shape) for x in inputs]
    for threshold in (0.2, -1e30, float("nan")):
        fields = {"use_regular_nms": regular, "nms_score_threshold": threshold, "max_classes_per_detection": 3}
        _, classes, _, n = HostModel(engine, detector(tensors, 15, **fields)).invoke(inputs)
        assert 0 <= n[0] <= 15
        assert ((classes >= 0) & (classes < 3)).all()


def test_refuses(engine: Engine) -> None:
    """Catches options and shapes that are trusted."""
    shapes = [[1, 9, 4], [1, 9, 4], [9, 4]]

    def says(room: int = 5, inputs: list[Tensor] | None = None, **fields: object) -> str:
        text = refusal(engine, detector(inputs or [Tensor(s) for s in shapes], room, **fields))
        assert text.startswith("op 0 TFLite_Detection_PostProcess: ")
        return text

    for name in ("max_detections", "max_classes_per_detection"):
        for value in (0, -1, None):
            assert "must be 1 or more" in says(**{name: value})
    assert "must be 1 or more" in says(max_detections=1 << 20)
    assert "must be 1 or more" in says(use_regular_nms=True, detections_per_class=0)
    for value in (0, 2, 5, -1):
        assert f"num_classes {value}, and a box has 4 scores" in says(num_classes=value)
    for threshold in (0.0, -0.5, 1.5, None, float("nan")):
        assert "nms_iou_threshold" in says(nms_iou_threshold=threshold)
    assert "n at least 5" in says(4)
    assert "n at least 10" in says(9, max_classes_per_detection=2)
    assert "n at least 15" in says(9, max_classes_per_detection=1 << 30)
    for i, wrong in (
        (0, [1, 9, 3]),
        (0, [9, 4]),
        (0, [2, 9, 4]),
        (1, [1, 8, 4]),
        (1, [9, 4]),
        (2, [9, 5]),
        (2, [8, 4]),
    ):
        changed = [Tensor(s) for s in shapes]
        changed[i] = Tensor(wrong)
        assert "inputs must be" in says(inputs=changed)
    assert "int16 is not supported" in says(inputs=[Tensor(shapes[0], "int16", 0.5), *(Tensor(s) for s in shapes[1:])])
    assert "one scale above 0" in says(inputs=[Tensor(shapes[0], "int8"), *(Tensor(s) for s in shapes[1:])])
