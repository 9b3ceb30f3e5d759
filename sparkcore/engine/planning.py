"""How the images of a run are cut into parts: the unit of progress, of resuming and of one Spark job."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyarrow as pa

from sparkcore.config import EngineConfig, RunConfig

_FIRST = 32  # a full batch for the model, and a first result soon
_TARGET_S = 3.0  # what a crash may cost, and how long a progress bar may stand still
_MOST = 4096  # Spark is told the name of every image of a part
_MOST_FILES = 1000  # a run of a million images should not make ten thousand files
_MOST_WITH_PIXELS = 16  # whole pictures pass through the driver's memory

_sizes: dict[str, int] = {}  # what earlier runs of this process came to, by model


@dataclass(slots=True)
class Parts:
    """Cut a table of files into parts whose size follows the speed that is seen.

    A Spark job costs a quarter of a second whatever it does: nothing to ResNet50, which needs seconds for the images
    of a part, and as much as the images themselves to a model that is a hundred times as quick. `model` names what an
    earlier run of this process has shown the speed of; without it every run begins with small parts.
    """

    files: pa.Table
    config: RunConfig
    engine: EngineConfig
    model: str = ""
    _size: int = _FIRST
    _cut: int = 0

    def __post_init__(self) -> None:
        # By image_id, which is as good as shuffled: no part has all the large pictures.
        self.files = self.files.sort_by("image_id")
        # At least two parts: while one is read and written, the other keeps the cores busy.
        self._size = min(_sizes.get(self.model, _FIRST), max(_FIRST, math.ceil(self.files.num_rows / 2)))

    def take(self) -> pa.Table | None:
        """Return the files of the next part, or None at the end."""
        part = self.files.slice(self._cut, self._next_size())
        self._cut += part.num_rows
        return part if part.num_rows else None

    def learn(self, images: int, seconds: float) -> None:
        """Hear how long a part took; those that follow are made to take `_TARGET_S`."""
        fitting = int(images * _TARGET_S / max(seconds, 1e-3))
        self._size = min(max(fitting, _FIRST), _MOST)
        if self.model and images >= _FIRST:
            _sizes[self.model] = self._size

    def _next_size(self) -> int:
        size = self.engine.part_size or max(self._size, self.files.num_rows // _MOST_FILES)
        return min(size, _MOST_WITH_PIXELS) if "pixels" in self.config.keep else size
