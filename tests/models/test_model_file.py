from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from sparkcore.classes import ClassName, imagenet_classes
from sparkcore.errors import ModelError
from sparkcore.models.model_file import FileModel, describe_file_model

AB = (ClassName("a", "a"), ClassName("b", "b"))


def _write(folder: Path, layers: list, sidecar: object = None) -> Path:
    """Write the part of a `.keras` file that tells its architecture."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": layers}}))
    if sidecar is not None:
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    return path


def _input(*shape: int | None) -> dict:
    return {"class_name": "InputLayer", "config": {"name": "input", "batch_shape": list(shape)}}


def _dense(units: int, **config: object) -> dict:
    return {"class_name": "Dense", "config": {"name": "dense", "units": units, **config}}


ACTIVATION = {"class_name": "Activation", "config": {"name": "activation", "activation": "softmax"}}
RGB = _input(None, 64, 48, 3)


def test_sidecar_tells_labels_and_preprocessing(tmp_path: Path):
    path = _write(tmp_path, [RGB, _dense(2), ACTIVATION], {"labels": ["a", "b"], "preprocess": "tf"})
    assert describe_file_model(path, None, None) == FileModel(64, 48, "tf", AB)


def test_sidecar_brings_groups(tmp_path: Path):
    known = {"labels": [["n1", "a"], "b"], "preprocess": "tf"}
    path = _write(tmp_path, [RGB, _dense(2)], {**known, "groups": {"a": "Letters > Vowels", "b": ["Letters"]}})
    assert describe_file_model(path, None, None).groups == {"n1": ("Letters", "Vowels"), "b": ("Letters",)}
    for groups, said in (
        (["a"], "groups: expected an object of label to group, received"),
        ({"c": "Letters"}, "groups: expected labels of the model, received c."),
        ({"a": "1 > 2 > 3 > 4"}, "groups: expected one to 3 names for a"),
        ({"a": ["x", 7]}, "groups: expected one to 3 names for a"),
        ({"a": " > "}, "groups: expected one to 3 names for a"),
    ):
        path.with_suffix(".json").write_text(json.dumps({**known, "groups": groups}))
        with pytest.raises(ModelError, match=re.escape(said)):
            describe_file_model(path, None, None)


def test_caller_knows_better(tmp_path: Path):
    path = _write(tmp_path, [RGB, _dense(2)], {"labels": ["x", "y"], "preprocess": "tf"})
    (tmp_path / "labels.txt").write_text("a\nb\n")
    assert describe_file_model(path, str(tmp_path / "labels.txt"), "torch") == FileModel(64, 48, "torch", AB)


def test_sidecar_can_name_a_labels_file(tmp_path: Path):
    path = _write(tmp_path, [RGB, _dense(2)], {"labels": "names.txt", "preprocess": "none"})
    (tmp_path / "names.txt").write_text("a\nb\n")
    assert describe_file_model(path, None, None).classes == AB


@pytest.mark.parametrize(
    "name", ["sub/names.txt", "../names.txt", "..", ".", "", "/etc/hostname", "a\0b", "elsewhere.txt"]
)
def test_a_labels_file_lies_beside_the_model(tmp_path: Path, name: str):
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    for place in (tmp_path, folder / "sub"):
        (place / "names.txt").write_text("a\nb\n")
    (folder / "elsewhere.txt").symlink_to(tmp_path / "names.txt")
    path = _write(folder, [RGB, _dense(2)], {"labels": name, "preprocess": "none"})
    with pytest.raises(ModelError, match=r"^labels: expected the name of a file beside .*model\.keras, received "):
        describe_file_model(path, None, None)


def test_thousand_outputs_are_taken_for_imagenet(tmp_path: Path):
    path = _write(tmp_path, [RGB, _dense(1000)])
    assert describe_file_model(path, None, "tf").classes == imagenet_classes()


def test_one_output_has_two_classes(tmp_path: Path):
    path = _write(tmp_path, [RGB, _dense(1)], {"labels": ["a", "b"], "preprocess": "tf"})
    assert describe_file_model(path, None, None).classes == AB


def test_free_size_comes_from_the_sidecar(tmp_path: Path):
    layers = [_input(None, None, None, 3), _dense(2)]
    path = _write(tmp_path, layers, {"labels": ["a", "b"], "preprocess": "tf", "height": 10, "width": 20})
    assert describe_file_model(path, None, None) == FileModel(10, 20, "tf", AB)


@pytest.mark.parametrize(
    ("layers", "sidecar", "reason"),
    [
        ([RGB, _dense(2)], {"labels": ["a", "b"]}, "preprocess: expected one of caffe, tf, torch, none"),
        ([RGB, _dense(2)], {"labels": ["a", "b"], "preprocess": "TF"}, "received 'TF'"),
        ([RGB, _dense(2)], {"preprocess": "tf"}, "has 2 classes without names"),
        ([RGB, _dense(3)], {"labels": ["a", "b"], "preprocess": "tf"}, "has 3 classes, received 2 labels"),
        ([_input(None, 64, 64, 1), _dense(2)], {"labels": ["a", "b"], "preprocess": "tf"}, "64, 64, 1"),
        ([_input(None, 10), _dense(2)], {"labels": ["a", "b"], "preprocess": "tf"}, "takes \\[None, 10\\]"),
        ([_input(None, None, None, 3), _dense(2)], {"labels": ["a", "b"], "preprocess": "tf"}, "images of any size"),
        ([RGB, _dense(2)], ["a", "b"], '"preprocess": ...'),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, layers: list, sidecar: object, reason: str):
    with pytest.raises(ModelError, match=reason):
        describe_file_model(_write(tmp_path, layers, sidecar), None, None)


def test_no_file(tmp_path: Path):
    with pytest.raises(ModelError, match="there is none at"):
        describe_file_model(tmp_path / "nothing.keras", None, None)


@pytest.mark.parametrize("name", ["broken.keras", "broken.h5"])
def test_no_archive(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ModelError, match="expected a whole model saved by Keras"):
        describe_file_model(tmp_path / name, None, None)
