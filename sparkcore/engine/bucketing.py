"""Size and distribution of buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence

_TARGET_S = 3.0  # of one core: the work that a crash may lose, and the interval of progress
_SHORT_RUN_S = 2.0
_LEAST_IMAGES = 16
_MOST_IMAGES = 16_384
_MOST_BUCKETS = 4_096
_BUCKETS_PER_CORE = 2
_BUCKETS_PER_TASK = 8  # read, computed and committed without a pause between two of them
_SHARE = 1.5  # of the time that is left, each core gets about 1 / 1.5 in its next task

# On one core of 2023, classifiers from MobileNetV2 to VGG16 took about so long for each byte of their weights.
_DECODE_S = 0.003
_S_PER_BYTE = 1e-9


def bucket_size(images: int, model_bytes: int, slots: int) -> int:
    """Return how many images a bucket has: about three seconds of one core.

    Each core gets two buckets or more, but one of a run of less than two seconds, where a second one costs more than it
    saves. `model_bytes` is the size of the frozen model, `slots` the number of tasks that run at once. The buckets of a
    small run are a multiple of `slots`, so that no core waits for the last one.
    """
    image_s = _DECODE_S + _S_PER_BYTE * model_bytes
    per_core = _BUCKETS_PER_CORE if images * image_s >= _SHORT_RUN_S * slots else 1
    size = max(_LEAST_IMAGES, min(round(_TARGET_S / image_s), math.ceil(images / (per_core * slots))))
    size = max(size, math.ceil(images / _MOST_BUCKETS))
    buckets = math.ceil(images / size)
    if buckets > slots:
        size = math.ceil(images / (math.ceil(buckets / slots) * slots))
    return min(max(size, _LEAST_IMAGES), _MOST_IMAGES)


def shares(buckets: Sequence[int], slots: int) -> list[list[int]]:
    """Divide buckets into the tasks of a job: fewer towards the end, so that all cores end together."""
    tasks, start = [], 0
    while start < len(buckets):
        count = min(_BUCKETS_PER_TASK, math.ceil((len(buckets) - start) / (_SHARE * slots)))
        tasks.append(list(buckets[start : start + count]))
        start += count
    return tasks
