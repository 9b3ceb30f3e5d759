"""Cut the images of a run into parts, the unit of progress, of resume and of one Spark job."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig

_FIRST_OF_TASK = 16  # half a batch: an early first result
_TARGET_S = 3.0  # the work that a crash may lose, and the interval of progress
_MAX_IMAGES = 4096  # the names of a part's images travel with its Spark job
_MAX_PARTS = 1000  # a million images must not become ten thousand files
_MAX_IMAGES_WITH_PIXELS = 16  # full-size pictures pass through the driver's memory

_sizes: dict[str, int] = {}  # the last part size of earlier runs of this process, by kind


@dataclass(slots=True)
class Parts:
    """Cut a table of files into parts whose size adapts to the measured speed.

    A Spark job costs about 0.25 s. That is negligible for ResNet50, but half of the time of a fast model. `tasks` is
    the number of tasks that run at once. `kind` names runs of similar speed, those of one model and reader: a run
    starts with the last part size of its kind in this process, or with small parts.
    """

    files: pa.Table
    config: RunConfig
    engine: EngineConfig
    tasks: int
    kind: str = ""
    _size: int = 0
    _cut: int = 0

    def __post_init__(self) -> None:
        # Sorted by image_id, a hash: large pictures are spread over all parts.
        self.files = self.files.sort_by("image_id")
        # At least two parts: one keeps the cores busy while the other is written.
        self._size = max(min(_sizes.get(self.kind, 0), math.ceil(self.files.num_rows / 2)), self._first())

    def take(self) -> pa.Table | None:
        """Return the files of the next part, or None at the end."""
        part = self.files.slice(self._cut, self._next_size())
        self._cut += part.num_rows
        return part if part.num_rows else None

    def record(self, images: int, seconds: float) -> None:
        """Record a part's duration and resize the next parts to take about `_TARGET_S`."""
        self._size = self._whole(min(round(images * _TARGET_S / max(seconds, 1e-3)), _MAX_IMAGES))
        if self.kind and images >= self._first():
            _sizes[self.kind] = self._size

    def _first(self) -> int:
        return self.tasks * _FIRST_OF_TASK

    def _whole(self, images: int) -> int:
        """Round to whole batches for every task: a partial batch costs as much as a whole one."""
        full = self.tasks * self.engine.batch_size
        return images // full * full if images > full else max(images, self._first())

    def _next_size(self) -> int:
        size = self.engine.part_size or max(self._size, self.files.num_rows // _MAX_PARTS)
        return min(size, _MAX_IMAGES_WITH_PIXELS) if "pixels" in self.config.keep else size
