"""Pictures of poor quality, and odd ones, by thresholds that can be moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Rows, floats
from sparkcore.runs.vectors import Vectors

_COMPARED = 2_000  # images of an even sample
_BLOCK_ROWS = 16_384

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Hold where a picture begins to be a problem.

    `dark` and `bright` limit the brightness, `contrast` and `sharpness` are the least, `tiny` is the least length of
    the shorter side in pixels, `aspect` the most of longer to shorter side, `unlike` the least similarity to the most
    similar image of a sample of the run.
    """

    dark: float = 0.12
    bright: float = 0.92
    contrast: float = 0.06
    sharpness: float = 40.0
    tiny: float = 64.0
    aspect: float = 3.0
    unlike: float = 0.35


# Kinds of problems, in the order in which they are shown.
KINDS = ("dark", "bright", "low contrast", "blurry", "tiny", "odd aspect", "grayscale", "unlike all others")


@dataclass(frozen=True, slots=True)
class Measures:
    """Hold what is compared with thresholds, one value for each row; NaN where it is not known."""

    brightness: Values
    contrast: Values
    sharpness: Values
    side: Values
    aspect: Values
    channels: Values
    likeness: Values


def measures(table: pa.Table, vectors: Vectors | None) -> Measures:
    """Return the measures of all rows; without `vectors`, no image is unlike the others."""
    height, width = floats(table, "height"), floats(table, "width")
    shorter, longer = np.minimum(height, width), np.maximum(height, width)
    likeness = np.full(table.num_rows, np.nan, np.float32) if vectors is None else _likeness(vectors)
    names = ("brightness", "contrast", "sharpness")
    return Measures(
        **{name: floats(table, name) for name in names},
        side=shorter,
        aspect=np.asarray(longer / np.maximum(shorter, 1), np.float32),
        channels=floats(table, "channels"),
        likeness=likeness,
    )


def find_problems(found: Measures, thresholds: Thresholds | None = None) -> dict[str, Rows]:
    """Return the rows with each kind of problem, the worst first; kinds without rows have none."""
    limits = thresholds or Thresholds()
    below = {
        "dark": (found.brightness, limits.dark),
        "bright": (-found.brightness, -limits.bright),
        "low contrast": (found.contrast, limits.contrast),
        "blurry": (found.sharpness, limits.sharpness),
        "tiny": (found.side, limits.tiny),
        "odd aspect": (-found.aspect, -limits.aspect),
        "grayscale": (found.channels, 2.5),
        "unlike all others": (found.likeness, limits.unlike),
    }
    return {kind: _lowest(*below[kind]) for kind in KINDS}


def _lowest(values: Values, limit: float) -> Rows:
    rows = np.flatnonzero(values < limit)  # NaN is below nothing
    return rows[np.argsort(values[rows], kind="stable")]


def _likeness(vectors: Vectors) -> Values:
    """Return the cosine of each embedding and the most similar one of an even sample, itself left out."""
    rows = len(vectors.embeddings)
    step = max(1, -(-rows // _COMPARED))
    places = np.arange(0, rows, step)
    sample = _unit(vectors.embeddings[places])
    places, sample = places[sample.any(axis=1)], sample[sample.any(axis=1)]
    found = np.full(rows, np.nan, np.float32)
    if len(places) < 2:
        return found
    for start in range(0, rows, _BLOCK_ROWS):
        block = _unit(vectors.embeddings[start : start + _BLOCK_ROWS])
        cosines = block @ sample.T
        own = np.flatnonzero((places >= start) & (places < start + len(block)))
        cosines[places[own] - start, own] = -1
        found[start : start + len(block)] = np.where(block.any(axis=1), cosines.max(axis=1), np.nan)
    return found


def _unit(vectors: npt.NDArray[np.float16]) -> Values:
    values = np.asarray(vectors, np.float32)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
