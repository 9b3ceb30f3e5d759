"""Models that are no Keras models: ONNX, TFLite and OpenVINO files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparkcore.config import Fit, RunConfig
from sparkcore.errors import ModelError
from sparkcore.models import graph_file
from sparkcore.models.freeze import freeze, is_frozen
from sparkcore.models.graph_file import GraphInput
from sparkcore.models.predictor import load_predictor
from sparkcore.models.resolve import ResolvedModel, resolve_model
from sparkcore.models.runtimes.openvino import import_openvino, read_graph
from tests.models.graph_files import CLASSES, SIDE, onnx_scores, softmax, write_onnx

LABELS = [f"c{number}" for number in range(CLASSES)]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
TORCH = {"labels": LABELS, "scale": 1 / 255, "mean": MEAN, "std": STD}


def _model(path: Path, sidecar: dict[str, Any] | None = None, **values: Any) -> ResolvedModel:
    if sidecar is not None:
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    return resolve_model(RunConfig(images="x", model=str(path), **values))


def _pixels(count: int = 6) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def _normalized(pixels: np.ndarray) -> np.ndarray:
    return ((pixels / 255 - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2)


def _scores(model: ResolvedModel, cache: Path, pixels: np.ndarray) -> np.ndarray:
    return load_predictor(freeze(model, "float32", cache), 1).predict(pixels)


@pytest.mark.parametrize("batch", ["batch", 1])
def test_a_model_as_pytorch_exports_it(tmp_path: Path, batch: str | int):
    path = write_onnx(tmp_path / "model.onnx", batch=batch)
    pixels = _pixels()
    expected = softmax(np.concatenate([onnx_scores(path, one[None]) for one in _normalized(pixels)]))
    assert np.ptp(expected, axis=0).max() > 0.01
    model = _model(path, TORCH)
    assert not is_frozen(model, tmp_path)
    np.testing.assert_allclose(_scores(model, tmp_path, pixels), expected, rtol=0, atol=1e-5)
    assert is_frozen(model, tmp_path)
    assert (model.height, model.width, model.kind, model.fit) == (SIDE, SIDE, "graph", Fit("stretch"))


@pytest.mark.parametrize(
    ("name", "normalize"),
    [
        ("none", lambda pixels: pixels),
        ("tf", lambda pixels: pixels / 127.5 - 1),
        ("torch", lambda pixels: (pixels / 255 - np.array(MEAN)) / np.array(STD)),
        ("caffe", lambda pixels: pixels[..., ::-1] - np.array([103.939, 116.779, 123.68])),
    ],
)
def test_names_of_preprocessing_mean_what_keras_means(tmp_path: Path, name: str, normalize: Any):
    path = write_onnx(tmp_path / "model.onnx", softmax=True)
    pixels = _pixels() // 16  # larger values would saturate the softmax
    expected = onnx_scores(path, normalize(pixels.astype(np.float64)).transpose(0, 3, 1, 2))
    scores = _scores(_model(path, {"labels": LABELS}, preprocess=name), tmp_path, pixels)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5)


def test_bgr_with_its_own_mean(tmp_path: Path):
    path, pixels = write_onnx(tmp_path / "model.onnx"), _pixels()
    sidecar = {"labels": LABELS, "channels": "bgr", "mean": [0.1, 0.2, 0.3], "std": 0.5, "scale": 1 / 255}
    inputs = ((pixels[..., ::-1] / 255 - np.array([0.1, 0.2, 0.3])) / 0.5).transpose(0, 3, 1, 2)
    expected = softmax(onnx_scores(path, inputs))
    np.testing.assert_allclose(_scores(_model(path, sidecar), tmp_path, pixels), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("output", "is_read_as_it_is"), [("softmax", True), ("logits", False), (None, False)])
def test_the_output_is_read_as_the_json_file_says(tmp_path: Path, output: str | None, is_read_as_it_is: bool):
    path, pixels = write_onnx(tmp_path / "model.onnx"), _pixels(2)
    raw = onnx_scores(path, _normalized(pixels))
    model = _model(path, {**TORCH, "output": output} if output else TORCH)
    expected = raw if is_read_as_it_is else softmax(raw)
    np.testing.assert_allclose(_scores(model, tmp_path, pixels), expected, rtol=0, atol=1e-5)


def test_a_single_output_is_that_of_the_second_of_two_classes(tmp_path: Path):
    path, pixels = write_onnx(tmp_path / "model.onnx", units=1), _pixels(3)
    positive = 1 / (1 + np.exp(-onnx_scores(path, _normalized(pixels))))
    scores = _scores(_model(path, {**TORCH, "labels": ["no", "yes"]}), tmp_path, pixels)
    np.testing.assert_allclose(scores, np.hstack([1 - positive, positive]), rtol=0, atol=1e-5)


def test_an_openvino_model_has_its_weights_beside_it(tmp_path: Path):
    path, pixels = write_onnx(tmp_path / "model.onnx"), _pixels(2)
    (tmp_path / "ir").mkdir()
    import_openvino().serialize(read_graph(path), tmp_path / "ir" / "model.xml", tmp_path / "ir" / "model.bin")
    first = _model(tmp_path / "ir" / "model.xml", TORCH)
    expected = softmax(onnx_scores(path, _normalized(pixels)))
    np.testing.assert_allclose(_scores(first, tmp_path, pixels), expected, rtol=0, atol=1e-5)

    weights = tmp_path / "ir" / "model.bin"
    content = weights.read_bytes()
    weights.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert _model(tmp_path / "ir" / "model.xml").digest != first.digest
    weights.rename(tmp_path / "model.bin")
    weights.symlink_to(tmp_path / "model.bin")
    with pytest.raises(ModelError, match=r"expected the weights of .* in model\.bin beside it"):
        _model(tmp_path / "ir" / "model.xml")


def test_the_json_file_decides_resize_and_digest(tmp_path: Path):
    path = write_onnx(tmp_path / "model.onnx")
    cropped = _model(path, {**TORCH, "resize": "crop", "crop_ratio": 0.875})
    assert cropped.fit == Fit("crop", 0.875)
    assert cropped.graph == GraphInput("NCHW", 1 / 255, tuple(MEAN), tuple(STD))
    assert cropped.digest == _model(path, TORCH).digest
    assert cropped.digest != _model(path, {**TORCH, "std": [0.2, 0.2, 0.2]}).digest
    assert cropped.digest != _model(path, {**TORCH, "output": "softmax"}).digest


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ({"labels": LABELS}, "a wrong guess gives wrong scores"),
        ({"labels": LABELS, "preprocess": "imagenet"}, "preprocess: expected one of none, tf, torch, caffe"),
        ({**TORCH, "labels": ["a"]}, "has 4 classes, received 1 labels"),
        ({**TORCH, "mean": [1, 2]}, "mean: expected a number or three"),
        ({**TORCH, "std": [1, 0, 1]}, "no std of 0"),
        ({**TORCH, "scale": "1/255"}, "expected a scale above 0"),
        ({**TORCH, "channels": "gbr"}, "channels: expected rgb or bgr"),
        ({**TORCH, "output": "sigmoid"}, "output: expected softmax or logits"),
        ({**TORCH, "resize": "zoom"}, "resize: expected one of"),
    ],
)
def test_wrong_json(tmp_path: Path, sidecar: dict[str, Any], message: str):
    with pytest.raises(ModelError, match=message):
        _model(write_onnx(tmp_path / "model.onnx"), sidecar)


@pytest.mark.parametrize("suffix", [".onnx", ".tflite", ".xml"])
@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x0a" * 5000])
def test_damaged_files(tmp_path: Path, suffix: str, content: bytes):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    path.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be opened"):
        _model(path, TORCH)


def test_truncated_file(tmp_path: Path):
    path = write_onnx(tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ModelError, match="cannot be opened"):
        _model(path, TORCH)


def test_thousands_of_outputs(tmp_path: Path):
    import onnx
    from onnx import TensorProto, helper

    names = [f"out{number}" for number in range(20_000)]
    shape = [1, 3, SIDE, SIDE]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["image"], [name]) for name in names],
        "many",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    with pytest.raises(ModelError, match=r"has 1 and 20,000|cannot be opened"):
        _model(path, TORCH)


def test_weights_in_other_files_are_not_read(tmp_path: Path):
    import onnx

    path = write_onnx(tmp_path / "model.onnx")
    onnx.save_model(onnx.load(path), path, save_as_external_data=True, location="weights.data", size_threshold=0)
    with pytest.raises(ModelError, match="keeps weights in other files"):
        _model(path, TORCH)


def test_a_file_that_takes_too_long_or_crashes_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graph_file, "_LIMITS", graph_file.Limits(memory_bytes=10_000_000, time_s=60.0))
    with pytest.raises(ModelError, match=r"cannot be opened: .* crashed \(|cannot be opened: memory ran out"):
        _model(write_onnx(tmp_path / "model.onnx"), TORCH)
