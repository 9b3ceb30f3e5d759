"""Features of images from the last feature map of a model: embeddings and class activation maps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkcore.models.feature_map import Head

Floats = npt.NDArray[np.float32]

EMBEDDING_LENGTH = 512  # at most
PROJECTION_SEED = 512
MAP_SIDE = 10  # at most
MAPS = 10  # of an image, at most: more labels have none
ZERO = 128  # the byte of no evidence for or against a label
_SPAN = 127
_BITS = 64


def pooled(features: Floats) -> Floats:
    """Return the mean of feature maps [n, height, width, channels] over their places, float32 [n, channels]."""
    count, height, width, channels = features.shape
    return np.asarray(features.reshape(count, height * width, channels).mean(axis=1))


def embeddings(features: Floats) -> npt.NDArray[np.float16]:
    """Return the means of feature maps, projected to at most EMBEDDING_LENGTH numbers and of unit length.

    The distance of two embeddings is about that of the means. A mean of zero stays zero.
    """
    vectors = pooled(features)
    if vectors.shape[1] > EMBEDDING_LENGTH:
        vectors = vectors @ projection(vectors.shape[1])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0).astype(np.float16)


@lru_cache(maxsize=2)
def projection(channels: int, length: int = EMBEDDING_LENGTH) -> Floats:
    """Return the matrix of random signs, float32 [channels, length], that keeps distances about the same.

    The signs are the bits of NumPy's generator PCG64, whose stream never changes (Achlioptas 2003, "Database-friendly
    random projections").
    """
    words = np.random.PCG64(PROJECTION_SEED).random_raw(-(-channels * length // _BITS))
    bits = np.unpackbits(words.astype("<u8").view(np.uint8))[: channels * length]
    return ((2.0 * bits.reshape(channels, length) - 1) / np.sqrt(length)).astype(np.float32)


def class_activation_maps(features: Floats, head: Head, classes: npt.NDArray[np.int64]) -> Floats:
    """Return how much each place of a feature map speaks for classes [n, k], float32 [n, k, height, width].

    The mean of a map and the bias of its class are the logit (Zhou et al. 2016, "Learning Deep Features for
    Discriminative Localization").
    """
    count, height, width, channels = features.shape
    places = features.reshape(count, height * width, channels)
    maps = np.matmul(head.weights[classes], places.transpose(0, 2, 1))
    return maps.reshape(count, classes.shape[1], height, width)


def map_bytes(maps: Floats) -> npt.NDArray[np.uint8]:
    """Return maps [n, k, height, width] as bytes, with sides of at most MAP_SIDE.

    All maps of an image have one scale: ZERO is no evidence, bytes above speak for the label and bytes below against
    it, so the difference of two maps tells which label a place speaks for.
    """
    rows, columns = (_averaging(side) for side in maps.shape[2:])
    small = rows @ maps @ columns.T
    largest = np.abs(small).max(axis=(1, 2, 3), keepdims=True)
    scaled = np.divide(small * _SPAN, largest, out=np.zeros_like(small), where=largest > 0)
    return (np.rint(scaled) + ZERO).astype(np.uint8)


def map_shape(height: int, width: int) -> tuple[int, int]:
    """Return height and width of what `map_bytes` makes of a map."""
    return min(height, MAP_SIDE), min(width, MAP_SIDE)


@lru_cache(maxsize=4)
def _averaging(side: int) -> Floats:
    """Return the matrix [shorter, side] that averages neighbors, each with the share that lies in the new place."""
    shorter = min(side, MAP_SIDE)
    borders = np.arange(shorter + 1) * side / shorter
    old = np.arange(side)
    overlap = np.minimum(borders[1:, None], old + 1) - np.maximum(borders[:-1, None], old)
    return (np.clip(overlap, 0, None) * shorter / side).astype(np.float32)


def describe_features(shape: tuple[int, int, int] | None, *, with_maps: bool) -> dict[str, Any]:
    """Return what the manifest of a run says of its features; `shape` is that of the feature map."""
    if shape is None:
        return {"reason": "the model does not end in the pooling of one feature map"}
    height, width, channels = shape
    facts: dict[str, Any] = {"feature_map": list(shape), "embedding": min(channels, EMBEDDING_LENGTH)}
    if channels > EMBEDDING_LENGTH:
        facts["projection"] = {"kind": "signs of PCG64", "seed": PROJECTION_SEED}
    if with_maps:
        facts["activation"] = list(map_shape(height, width))
    else:
        facts["reason"] = "more than one layer follows the pooling: there are no activation maps"
    return facts
