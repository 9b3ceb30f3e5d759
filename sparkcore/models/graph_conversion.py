"""Give an ONNX, TFLite or OpenVINO model the input and outputs of a frozen graph.

uint8 RGB in; probabilities and, where the model pools one, the last feature map out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkcore.models.feature_file import GraphFeatures
from sparkcore.models.feature_map import ACTIVATION, find_feature_map, origin_of_values
from sparkcore.models.graph_file import GraphInput
from sparkcore.models.openvino_nodes import OpenVinoNode
from sparkcore.models.runtimes.openvino import import_openvino, pack, read_graph


def write_graph(source: Path, size: tuple[int, int], given: GraphInput, target: Path) -> None:
    """Write the model of a file to `target`, one uncompressed ZIP file of OpenVINO's two.

    Batches are of any length, where the model allows it. Raises ModelError for a file that cannot be opened.
    """
    ov = import_openvino()
    model = read_graph(source)
    height, width = size
    sides = {"N": -1, "C": 3, "H": height, "W": width}
    _set_shape(model, [sides[name] for name in given.layout])
    model = _with_preprocessing(ov, model, given)
    port, features = _features(model)
    model = _with_probabilities(ov, model, given.output, port)
    pack(model, target, features and features.to_bytes())


def _set_shape(model: Any, shape: list[int]) -> None:
    """Make the batch of any length; a model that fixes it inside keeps its batch of one."""
    try:
        model.reshape(shape)
        if model.outputs[0].get_partial_shape()[0].is_dynamic:
            return
    except RuntimeError:
        pass
    model.reshape([1, *shape[1:]])


def _with_preprocessing(ov: Any, model: Any, given: GraphInput) -> Any:
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    image = steps.input()
    image.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.RGB)
    image.model().set_layout(ov.Layout(given.layout))
    pixels = image.preprocess().convert_element_type(ov.Type.f32)
    if given.channels == "bgr":
        pixels = pixels.reverse_channels()
    pixels.scale(1 / given.scale).mean(list(given.mean)).scale(list(given.std))
    return steps.build()


def _features(model: Any) -> tuple[Any, GraphFeatures | None]:
    """Return the output with the last feature map [n, height, width, channels], and what is stored of it."""
    from openvino import opset13 as ops
    from openvino.passes import ConstantFolding, Manager

    folded, folding = model.clone(), Manager()  # shapes and axes that a file computes are constants then
    folding.register_pass(ConstantFolding())
    folding.run_passes(folded)
    found = find_feature_map(OpenVinoNode(folded.outputs[0].get_node().input_value(0).get_node()))
    nodes = {op.get_friendly_name(): op for op in model.get_ops()}
    if found is None or found.node.name not in nodes:
        return None, None
    node = nodes[found.node.name]
    port = ops.transpose(ops.convert(node.output(0), "f32"), list(found.order)).output(0)
    port.set_names({"features"})
    height, width, channels = (side.get_length() for side in list(port.get_partial_shape())[1:])
    return port, GraphFeatures((height, width, channels), found.head)


def _with_probabilities(ov: Any, model: Any, output: str | None, features: Any) -> Any:
    from openvino import opset13 as ops

    scores = model.outputs[0].get_node().input_value(0)
    last = origin_of_values(OpenVinoNode(scores.get_node()))
    if scores.get_element_type() != ov.Type.f32:
        scores = ops.convert(scores, "f32").output(0)
    is_probability = output == "softmax" or (output is None and last.kind == ACTIVATION)
    if scores.get_partial_shape()[1].get_length() == 1:
        positive = scores if is_probability else ops.sigmoid(scores).output(0)
        scores = ops.concat([ops.subtract(ops.constant(1.0, ov.Type.f32), positive), positive], 1).output(0)
    elif not is_probability:
        scores = ops.softmax(scores, 1).output(0)
    scores.set_names({"probabilities"})
    outputs = [scores] if features is None else [scores, features]
    return ov.Model([ops.result(one) for one in outputs], model.get_parameters())
