"""Scores of the built-in model on the package's samples, by Keras and Pillow alone: no code of the package's pipeline.

`python -m tests.models.golden_scores` computes them anew into `golden_scores.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from sparkcore.samples import PICTURES

GOLDEN_FILE = Path(__file__).with_name("golden_scores.json")
ORIENTATION = 274  # EXIF


def center_crop(path: Path) -> npt.NDArray[np.float32]:
    """Crop 224/256 of the shorter side, then resize: float32 [224, 224, 3]."""
    image = Image.open(path).convert("RGB")
    side = 224 * min(image.size) // 256
    left, top = (image.width - side + 1) // 2, (image.height - side + 1) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.crop(box).resize((224, 224), Image.Resampling.BICUBIC), np.float32)


def keras_scores(paths: list[Path]) -> npt.NDArray[np.float32]:
    """Return the probabilities of the built-in model, float32 [n, 1000]."""
    from sparkcore.models.efficientnet_lite import build_efficientnet_lite0
    from sparkcore.models.registry import BUILT_IN, find_spec
    from sparkcore.models.weights import cached_weights

    model = build_efficientnet_lite0(cached_weights(find_spec(BUILT_IN)))
    scores: npt.NDArray[np.float32] = model.predict(np.stack([center_crop(p) for p in paths]), batch_size=32, verbose=0)
    return scores


def plain_samples() -> list[Path]:
    """Return the samples that any program decodes alike: RGB JPEG files that are whole and upright."""
    return [path for path in sorted(PICTURES.rglob("*.jpg")) if _is_plain(path)]


def _is_plain(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.mode == "RGB" and image.getexif().get(ORIENTATION, 1) == 1
    except OSError:
        return False


def _write() -> None:
    from sparkcore.classes import imagenet_classes

    paths = plain_samples()
    scores = keras_scores(paths)
    best = zip(paths, scores.argmax(axis=1), scores.max(axis=1), strict=True)
    golden = {
        path.relative_to(PICTURES).as_posix(): [imagenet_classes()[index].class_id, round(float(score), 6)]
        for path, index, score in best
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items())
    GOLDEN_FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
