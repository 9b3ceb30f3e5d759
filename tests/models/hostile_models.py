"""Model files that would run code or read other files, if whoever opens them let them."""

from __future__ import annotations

import base64
import json
import marshal
import random
import zipfile
from pathlib import Path

from tests.models.graph_files import write_onnx


def lambda_model(path: Path, model: Path, code: str) -> Path:
    """Write a copy of a Keras model that has a Lambda layer with this code, as Keras saves one."""
    body = base64.b64encode(marshal.dumps(compile(f"({code}, x)[1]", "", "eval"))).decode()
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {
            "name": "code",
            "function": {"class_name": "__lambda__", "config": {"code": body, "defaults": None, "closure": None}},
            "arguments": {},
        },
        "registered_name": None,
    }
    with zipfile.ZipFile(model) as source, zipfile.ZipFile(path, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"].insert(1, layer)
                content = json.dumps(config).encode()
            copy.writestr(name, content)
    labels = json.loads(model.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(labels))
    return path


def weights_elsewhere(path: Path, location: str) -> Path:
    """Write an ONNX model that keeps its weights in another file, and names that file."""
    import onnx

    model = onnx.load(write_onnx(path))
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    return path


def graph_of_bytes(path: Path) -> Path:
    """Write what begins like an ONNX model and is none."""
    path.write_bytes(write_onnx(path).read_bytes()[:300] + random.Random(4).randbytes(5000))
    return path
