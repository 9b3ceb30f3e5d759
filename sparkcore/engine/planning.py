"""How the images of a run are cut into parts."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig

_STEPS = 16  # a progress bar with fewer steps looks stuck
_LEAST = 32  # smaller parts leave the model waiting for a full batch
_MOST = 256  # about five seconds on two cores with ResNet50: what a crash may cost
_MOST_FILES = 1000  # a run of a million images should not make ten thousand files
_MOST_WITH_PIXELS = 16  # whole pictures pass through the driver's memory


def part_count(images: int, config: RunConfig, engine: EngineConfig) -> int:
    """Return into how many parts a number of images is cut."""
    size = engine.part_size or max(min(max(images // _STEPS, _LEAST), _MOST), images // _MOST_FILES)
    if "pixels" in config.keep:
        size = min(size, _MOST_WITH_PIXELS)
    return max(1, math.ceil(images / size))


def parts(files: pa.Table, count: int) -> dict[int, pa.Table]:
    """Return the files of each part by its number.

    The part of a file depends on its image_id alone, so an interrupted run finds the same parts again.
    """
    buckets = np.array([int(image, 16) % count for image in files["image_id"].to_pylist()], np.int64)
    return {int(part): files.filter(pa.array(buckets == part)).sort_by("image_id") for part in np.unique(buckets)}
