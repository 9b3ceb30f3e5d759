"""Convert a Keras model to a frozen TensorFlow graph: uint8 RGB in, probabilities out."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparkcore.errors import ModelError
from sparkcore.models.fold import fold_batch_norms, fold_constants

INPUT_NAME = "images:0"
OUTPUT_NAME = "probabilities:0"
FOLD_TOLERANCE = 1e-5
# Operations that leave scores unchanged, between the last activation and the output.
PASSING = ("Identity", "Reshape", "Squeeze", "Cast", "NoOp")
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
TORCH_MEAN_RGB = (0.485, 0.456, 0.406)
TORCH_DEVIATION_RGB = (0.229, 0.224, 0.225)


def frozen_graph(keras_model: Any, size: tuple[int, int], preprocess: str, class_count: int) -> Any:
    """Return the GraphDef from `images`, uint8 RGB [n, height, width, 3], to `probabilities`, float32 [n, classes].

    The model's last operation decides how its output is read: softmax and sigmoid give probabilities, anything else
    logits, to which a softmax is added. A single output is the probability (without an activation, the logit) of the
    second of two classes.

    Raises ModelError for a model with other inputs or outputs.
    """
    traced = fold_constants(_trace(keras_model, size, preprocess))
    plain = _with_probabilities(traced, class_count)
    folded = fold_batch_norms(plain, OUTPUT_NAME)
    images = _probe_images(size)
    difference = np.abs(run_graph(plain, images) - run_graph(folded, images)).max()
    # Weights of extreme scale can lose digits when they are multiplied in advance; keep the plain graph then.
    return folded if difference <= FOLD_TOLERANCE else plain


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


def run_graph(graph_def: Any, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Run a graph once, for checks; use `predictor` for speed."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return np.asarray(session.run(OUTPUT_NAME, {INPUT_NAME: images}))


def _trace(keras_model: Any, size: tuple[int, int], preprocess: str) -> Any:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if len(keras_model.inputs) != 1 or len(keras_model.outputs) != 1:
        raise ModelError(
            f"model: expected one input and one output, received {len(keras_model.inputs)} and "
            f"{len(keras_model.outputs)}. Save the model with the class scores as its only output."
        )

    def classify(images: Any) -> Any:
        return keras_model(preprocess_images(images, preprocess), training=False)

    signature = [tf.TensorSpec([None, *size, 3], tf.uint8)]
    frozen = convert_variables_to_constants_v2(tf.function(classify, signature).get_concrete_function())
    graph_def = frozen.graph.as_graph_def()
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.uint8, [None, *size, 3], name="images")
        (scores,) = tf.import_graph_def(
            graph_def, {frozen.inputs[0].name: images}, return_elements=[frozen.outputs[0].name], name="model"
        )
        tf.identity(scores, name="scores")
        return graph.as_graph_def()


def _with_probabilities(graph_def: Any, class_count: int) -> Any:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        (scores,) = tf.import_graph_def(graph_def, return_elements=["scores:0"], name="")
        _check_output(scores, class_count)
        last = scores.op
        while last.type in PASSING and len(last.inputs):
            last = last.inputs[0].op
        scores = tf.cast(scores, tf.float32)
        if scores.shape[1] == 1:
            positive = scores if last.type == "Sigmoid" else tf.sigmoid(scores)
            scores = tf.concat([1.0 - positive, positive], axis=1)
        elif last.type not in ("Softmax", "Sigmoid"):
            scores = tf.nn.softmax(scores)
        tf.identity(scores, name="probabilities")
        return graph.as_graph_def()


def _check_output(scores: Any, class_count: int) -> None:
    shape = scores.shape.as_list() if scores.shape.rank is not None else []
    wanted = (1, 2) if class_count == 2 else (class_count,)
    if len(shape) != 2 or shape[1] not in wanted:
        raise ModelError(f"model: expected an output of shape [n, {class_count}] for its labels, received {shape}.")


def _probe_images(size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Return two images, a gradient and noise, for comparing graphs."""
    rows, columns = np.linspace(0, 255, size[0])[:, None, None], np.linspace(0, 255, size[1])[None, :, None]
    smooth = (rows + columns * np.array([1.0, 0.5, 0.0])) / 2
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3))
    return np.stack([smooth, noise]).astype(np.uint8)
