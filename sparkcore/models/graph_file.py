"""Describe an ONNX, TFLite or OpenVINO file: its input, its output and what happens to pixels before it.

The file is opened in a child process with bounds on memory and time: a hostile one only costs the child.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparkcore.errors import ModelError, SparkcoreError
from sparkcore.imaging.bounded_child import BoundedChild, ChildDiedError, Limits, Message
from sparkcore.models.graph import CAFFE_MEAN_BGR, TORCH_DEVIATION_RGB, TORCH_MEAN_RGB
from sparkcore.models.runtimes.openvino import read_graph

_LIMITS = Limits(memory_bytes=4_000_000_000, time_s=60.0)
_OWN = ("scale", "mean", "std", "channels")
_CHANNELS = ("rgb", "bgr")
_OUTPUTS = ("softmax", "logits")
_EXTERNAL = b"\x0a\x08location\x12"  # how ONNX names a file that holds weights
_LONGEST_SHAPE = 8


@dataclass(frozen=True, slots=True)
class GraphInput:
    """What happens to RGB pixels of 0 to 255, (pixels * scale - mean) / std for each channel of the model, and how its
    output is read.

    `channels` is the model's order, "rgb" or "bgr"; `layout` is "NHWC" or "NCHW". `output` is "softmax" for
    probabilities, "logits" for scores that get a softmax, None where the file's last operation tells.
    """

    layout: str
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    channels: str = "rgb"
    output: str | None = None


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """Hold the shape of the input, None for any size, and the number of outputs of the last layer."""

    layout: str
    height: int | None
    width: int | None
    outputs: int


# What Keras's names of preprocessing mean.
_PRESETS: dict[str, dict[str, Any]] = {
    "none": {},
    "tf": {"scale": 1 / 127.5, "mean": (1.0, 1.0, 1.0)},
    "torch": {"scale": 1 / 255, "mean": TORCH_MEAN_RGB, "std": TORCH_DEVIATION_RGB},
    "caffe": {"mean": CAFFE_MEAN_BGR, "channels": "bgr"},
}


def weights_beside(path: Path) -> Path | None:
    """Return the file that holds the weights of an OpenVINO model, None for a model of a single file.

    Raises ModelError where it is missing, or is a link to another folder.
    """
    if path.suffix != ".xml":
        return None
    beside = path.with_suffix(".bin")
    if not beside.is_file() or beside.resolve().parent != path.resolve().parent:
        raise ModelError(f"model: expected the weights of {path} in {beside.name} beside it. Copy both files.")
    return beside


def describe_graph(path: Path) -> GraphFacts:
    """Return what the file tells of its input and output.

    Raises ModelError for a file that cannot be opened, or that is no classifier of RGB images.
    """
    beside = weights_beside(path)
    stats = tuple((file.stat().st_size, file.stat().st_mtime_ns) for file in (path, beside) if file is not None)
    return _described(path, stats)


@lru_cache(maxsize=16)
def _described(path: Path, _stats: tuple[tuple[int, int], ...]) -> GraphFacts:
    child = BoundedChild(examine, _LIMITS)
    try:
        facts = child.ask(Message({"path": str(path)})).facts
    except ChildDiedError as died:
        reason = f"takes more than {_LIMITS.time_s:g} s" if died.is_overdue else f"crashed ({died.cause})"
        raise ModelError(f"model: {path} cannot be opened: reading it {reason}. It is damaged or hostile.") from died
    finally:
        child.end()
    if "error" in facts:
        raise ModelError(facts["error"])
    return _checked(path, facts["inputs"], facts["outputs"])


def examine(question: Message) -> Message:
    """Answer the shapes of a file's inputs and outputs, None for any size; runs in the child."""
    path = Path(question.facts["path"])
    try:
        with path.open("rb") as file:
            if path.suffix == ".onnx" and _EXTERNAL in file.read():
                raise ModelError(
                    f"model: {path} keeps weights in other files, which are not read. Save it as a single file, in "
                    "Python with onnx.save(onnx.load(path), path)."
                )
        graph = read_graph(path)
        shapes = {name: [_shape(port) for port in getattr(graph, name)[:2]] for name in ("inputs", "outputs")}
        counts = {name: len(getattr(graph, name)) for name in shapes}
    except (SparkcoreError, OSError) as error:
        return Message({"error": str(error)})
    if any(count != 1 for count in counts.values()):
        received = " and ".join(f"{count:,}" for count in counts.values())
        return Message(
            {
                "error": f"model: expected one input and one output, {path} has {received}. "
                "Save the model with the class scores as its only output."
            }
        )
    return Message({name: shapes[name][0] for name in shapes})


def _shape(port: Any) -> list[int | None]:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return []
    return [None if side.is_dynamic else side.get_length() for side in shape][:_LONGEST_SHAPE]


def _checked(path: Path, image: list[int | None], scores: list[int | None]) -> GraphFacts:
    layouts = [layout for layout in ("NHWC", "NCHW") if len(image) == 4 and image[layout.index("C")] == 3]
    if len(layouts) != 1 or image[0] not in (None, 1):
        raise ModelError(
            f"model: expected an input of shape [n, height, width, 3] or [n, 3, height, width] for any n or for 1, "
            f"{path} takes {image}."
        )
    if len(scores) != 2 or scores[1] is None:
        raise ModelError(f"model: expected an output of shape [n, classes], {path} gives {scores}.")
    layout = layouts[0]
    return GraphFacts(layout, image[layout.index("H")], image[layout.index("W")], scores[1])


def graph_input(path: Path, layout: str, preprocess: str | None, sidecar: dict[str, Any]) -> GraphInput:
    """Return what happens to pixels: that of `preprocess`, or of the values in the JSON file beside the model.

    Raises ModelError where neither says, and for values of the wrong kind.
    """
    given: dict[str, Any] = {name: sidecar[name] for name in _OWN if name in sidecar}
    name = preprocess or sidecar.get("preprocess")
    if name is None and not given:
        raise ModelError(
            f'preprocess: expected {{"preprocess": ...}} or {{"scale": ..., "mean": ..., "std": ...}} in '
            f"{path.with_suffix('.json')}, or a choice of {', '.join(_PRESETS)}: a wrong guess gives wrong scores.",
            shell="--preprocess chooses it.",
        )
    if name is not None and name not in _PRESETS:
        raise ModelError(f"preprocess: expected one of {', '.join(_PRESETS)} for {path}, received {name!r}.")
    values = {**_PRESETS[name or "none"], **({} if preprocess else given)}
    return _valid_input(path.with_suffix(".json"), {**values, "output": sidecar.get("output"), "layout": layout})


def _valid_input(path: Path, values: dict[str, Any]) -> GraphInput:
    for name, expected in (("channels", _CHANNELS), ("output", (*_OUTPUTS, None))):
        if values.get(name, expected[0]) not in expected:
            choices = " or ".join(str(one) for one in expected if one)
            raise ModelError(f"{name}: expected {choices} in {path}, received {values[name]!r}.")
    vectors: dict[str, Any] = {name: _three(path, name, values[name]) for name in ("mean", "std") if name in values}
    scale = values.get("scale", 1.0)
    if not _is_number(scale) or scale <= 0 or 0.0 in vectors.get("std", ()):
        raise ModelError(f"scale, std: expected a scale above 0 and no std of 0 in {path}, received {scale!r}.")
    return GraphInput(**{**values, **vectors, "scale": float(scale)})


def _three(path: Path, name: str, value: Any) -> tuple[float, ...]:
    values = [value] * 3 if _is_number(value) else value
    if not isinstance(values, list | tuple) or len(values) != 3 or not all(map(_is_number, values)):
        raise ModelError(f"{name}: expected a number or three in {path}, received {value!r:.60}.")
    return tuple(map(float, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
