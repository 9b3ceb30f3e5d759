"""Teacher features: run an ImageNet MobileNetV2 once over a split's images and keep its pooled features.

    python -m training.teacher --data FOLDER --model MODEL.keras --cache CACHE

Photos of 64 pixels enlarged are not what the teacher was trained on: its own last layer names only about half of them
rightly. `training.teacher_head` therefore fits a new last layer on these features.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.data import IMAGE_SIDE, ImageSet, load_images

BATCH = 100
Features = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]


def build_teacher(model: Path, side: int) -> Features:
    """Load a MobileNetV2 (inputs scaled to -1..1) to run at `side` pixels.

    The function that comes back takes BATCH uint8 RGB images (BATCH, 64, 64, 3), enlarges them bicubically and gives
    the float32 features (BATCH, 1280) that the teacher's last layer sees.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    net = keras.applications.MobileNetV2(input_shape=(side, side, 3), weights=None)
    net.set_weights(keras.models.load_model(model, compile=False, safe_mode=True).get_weights())
    features = keras.Model(net.input, net.layers[-2].output)

    @tf.function(input_signature=[tf.TensorSpec((BATCH, IMAGE_SIDE, IMAGE_SIDE, 3), tf.uint8)])  # type: ignore[untyped-decorator]
    def forward(images: Any) -> Any:
        enlarged = tf.image.resize(tf.cast(images, tf.float32), (side, side), method="bicubic")
        return features(tf.clip_by_value(enlarged, 0.0, 255.0) / 127.5 - 1.0, training=False)

    frozen = convert_variables_to_constants_v2(forward.get_concrete_function())
    return lambda images: frozen(tf.constant(images))[0].numpy()


def cache_features(teacher: Features, images: ImageSet, path: Path) -> None:
    """Write the features of every image to `path` (float16, row by row), going on where a run stopped."""
    done_path = path.with_suffix(".rows")
    done = int(done_path.read_text()) if done_path.exists() else 0
    if done == 0:
        width = _padded(teacher, images.images[:1]).shape[1]
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(len(images), width))
    features = np.load(path, mmap_mode="r+")
    started, first = time.perf_counter(), done
    while done < len(images):
        block = _padded(teacher, images.images[done : done + BATCH])
        features[done : done + len(block)] = block
        done += len(block)
        if done % (20 * BATCH) == 0 or done == len(images):
            features.flush()
            done_path.write_text(str(done))
            rate = (done - first) / (time.perf_counter() - started)
            print(f"teacher {path.stem} {done}/{len(images)} {rate:.0f} images/s", flush=True)


def _padded(teacher: Features, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Run one block of at most BATCH images: the frozen graph takes full blocks only."""
    block = np.zeros((BATCH, *images.shape[1:]), np.uint8)
    block[: len(images)] = images
    return teacher(block)[: len(images)]


def main() -> None:
    """Cache the teacher's features of both splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    parser.add_argument("--model", type=Path, required=True, help="MobileNetV2 as a .keras file")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded images and features")
    parser.add_argument("--side", type=int, default=128, help="pixels that the teacher sees")
    options = parser.parse_args()
    teacher = build_teacher(options.model, options.side)
    for split in ("val", "train"):
        images = load_images(options.data, split, options.cache)
        cache_features(teacher, images, options.cache / f"{split}_features.npy")


if __name__ == "__main__":
    main()
