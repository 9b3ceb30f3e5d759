"""Real photos through the package's own decoding and resizing, as a run would do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sparkcore.imaging.decode import ImageSize, decode
from sparkcore.imaging.transforms import resize, to_array
from sparkcore.models.tinynet import SIDE


@dataclass(frozen=True)
class Photos:
    """Photos at the model's input size, uint8 RGB (n, 64, 64, 3), and their class indices (n,).

    `stretched` is what a run gives to the model by default; `cropped` is the middle square.
    """

    stretched: npt.NDArray[np.uint8]
    cropped: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]


def load_photos(folder: Path, class_ids: Sequence[str]) -> Photos:
    """Read the JPEG photos of the given classes; their names begin with the class id ("n02123045_cat.JPEG")."""
    index = {class_id: i for i, class_id in enumerate(class_ids)}
    known = [path for path in sorted(folder.iterdir()) if path.name.split("_")[0] in index]
    decoded = [decode(path.read_bytes()).image for path in known]
    size = ImageSize(SIDE, SIDE)
    stretched, cropped = (
        np.array([to_array(resize(image, size, mode, "bicubic")) for image in decoded], np.uint8)
        for mode in ("stretch", "crop")
    )
    return Photos(stretched, cropped, np.array([index[path.name.split("_")[0]] for path in known], np.int32))
