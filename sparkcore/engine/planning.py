"""How the images of a run are cut into parts: the unit of progress, of resuming and of one Spark job."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig

_FIRST_OF_TASK = 16  # half a batch for the model, and a first result soon
_TARGET_S = 3.0  # what a crash may cost, and how long a progress bar may stand still
_MOST = 4096  # Spark is told the name of every image of a part
_MOST_FILES = 1000  # a run of a million images should not make ten thousand files
_MOST_WITH_PIXELS = 16  # whole pictures pass through the driver's memory

_sizes: dict[str, int] = {}  # what earlier runs of this process came to, by kind


@dataclass(slots=True)
class Parts:
    """Cut a table of files into parts whose size follows the speed that is seen.

    A Spark job costs a quarter of a second whatever it does: nothing to ResNet50, which needs seconds for the images
    of a part, and as much as the images themselves to a model that is a hundred times as quick. `tasks` is how many of
    them run at once. `kind` names runs whose speed is alike, those of one model and reader: a later one begins where
    an earlier one of this process has ended; without it every run begins with small parts.
    """

    files: pa.Table
    config: RunConfig
    engine: EngineConfig
    tasks: int
    kind: str = ""
    _size: int = 0
    _cut: int = 0

    def __post_init__(self) -> None:
        # By image_id, which is as good as shuffled: no part has all the large pictures.
        self.files = self.files.sort_by("image_id")
        # At least two parts: while one is read and written, the other keeps the cores busy.
        self._size = max(min(_sizes.get(self.kind, 0), math.ceil(self.files.num_rows / 2)), self._first())

    def take(self) -> pa.Table | None:
        """Return the files of the next part, or None at the end."""
        part = self.files.slice(self._cut, self._next_size())
        self._cut += part.num_rows
        return part if part.num_rows else None

    def learn(self, images: int, seconds: float) -> None:
        """Hear how long a part took; those that follow are made to take `_TARGET_S`."""
        self._size = self._whole(min(round(images * _TARGET_S / max(seconds, 1e-3)), _MOST))
        if self.kind and images >= self._first():
            _sizes[self.kind] = self._size

    def _first(self) -> int:
        return self.tasks * _FIRST_OF_TASK

    def _whole(self, images: int) -> int:
        """Return about as many images, so that every task has whole batches: a part of one costs as much as a whole."""
        full = self.tasks * self.engine.batch_size
        return images // full * full if images > full else max(images, self._first())

    def _next_size(self) -> int:
        size = self.engine.part_size or max(self._size, self.files.num_rows // _MOST_FILES)
        return min(size, _MOST_WITH_PIXELS) if "pixels" in self.config.keep else size
