"""Convert a Keras model to a frozen TensorFlow graph: uint8 RGB in, probabilities and the last feature map out."""

from __future__ import annotations

from typing import Any

from sparkcore.errors import ModelError
from sparkcore.models.feature_file import GraphFeatures
from sparkcore.models.feature_map import ACTIVATION, find_feature_map, origin_of_values
from sparkcore.models.tensorflow_nodes import TensorFlowNode

INPUT_NAME = "images:0"
OUTPUT_NAME = "probabilities:0"
FEATURES_NAME = "features:0"
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
TORCH_MEAN_RGB = (0.485, 0.456, 0.406)
TORCH_DEVIATION_RGB = (0.229, 0.224, 0.225)


def frozen_graph(
    keras_model: Any, size: tuple[int, int], preprocess: str, class_count: int
) -> tuple[Any, GraphFeatures | None]:
    """Return the GraphDef from `images`, uint8 RGB [n, height, width, 3], to `probabilities`, float32 [n, classes].

    Its second output is `features`, float32 [n, height, width, channels], for a model that pools one feature map.

    The model's last operation decides how its output is read: softmax and sigmoid give probabilities, anything else
    logits, to which a softmax is added. A single output is the probability (without an activation, the logit) of the
    second of two classes.

    Raises ModelError for a model with other inputs or outputs.
    """
    traced = _trace(keras_model, size, preprocess)
    return _with_probabilities(traced.graph.as_graph_def(), traced.outputs[0].name, class_count)


def preprocess_images(images: Any, kind: str) -> Any:
    """Apply Keras's `preprocess_input` of that mode to a uint8 RGB tensor; the result may differ in the last bit."""
    import tensorflow as tf

    if kind == "caffe":  # reversed while a pixel is still three bytes
        return tf.cast(tf.reverse(images, [-1]), tf.float32) - tf.constant(CAFFE_MEAN_BGR)
    pixels = tf.cast(images, tf.float32)
    if kind == "tf":
        return pixels / 127.5 - 1.0
    if kind == "torch":
        return (pixels / 255.0 - tf.constant(TORCH_MEAN_RGB)) / tf.constant(TORCH_DEVIATION_RGB)
    return pixels


def _trace(keras_model: Any, size: tuple[int, int], preprocess: str) -> Any:
    """Return the function from `images` to the model's output, with its weights as constants."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if len(keras_model.inputs) != 1 or len(keras_model.outputs) != 1:
        raise ModelError(
            f"model: expected one input and one output, received {len(keras_model.inputs)} and "
            f"{len(keras_model.outputs)}. Save the model with the class scores as its only output."
        )

    def classify(images: Any) -> Any:
        return keras_model(preprocess_images(images, preprocess), training=False)

    signature = [tf.TensorSpec([None, *size, 3], tf.uint8, name="images")]
    return convert_variables_to_constants_v2(tf.function(classify, signature).get_concrete_function())


def _with_probabilities(graph_def: Any, output: str, class_count: int) -> tuple[Any, GraphFeatures | None]:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        (scores,) = tf.import_graph_def(graph_def, return_elements=[output], name="")
        _check_output(scores, class_count)
        features = _add_features(tf, scores)
        last = origin_of_values(TensorFlowNode(scores.op))
        scores = tf.cast(scores, tf.float32)
        if scores.shape[1] == 1:
            positive = scores if last.operation.type == "Sigmoid" else tf.sigmoid(scores)
            scores = tf.concat([1.0 - positive, positive], axis=1)
        elif last.kind != ACTIVATION:
            scores = tf.nn.softmax(scores)
        tf.identity(scores, name="probabilities")
        return graph.as_graph_def(), features


def _add_features(tf: Any, scores: Any) -> GraphFeatures | None:
    found = find_feature_map(TensorFlowNode(scores.op))
    if found is None:
        return None
    features = tf.transpose(tf.cast(found.node.operation.outputs[0], tf.float32), found.order)
    height, width, channels = tf.identity(features, name="features").shape.as_list()[1:]
    return GraphFeatures((height, width, channels), found.head)


def _check_output(scores: Any, class_count: int) -> None:
    shape = scores.shape.as_list() if scores.shape.rank is not None else []
    wanted = (1, 2) if class_count == 2 else (class_count,)
    if len(shape) != 2 or shape[1] not in wanted:
        raise ModelError(f"model: expected an output of shape [n, {class_count}] for its labels, received {shape}.")
