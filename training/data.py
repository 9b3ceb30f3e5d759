"""Tiny ImageNet from Parquet files to memory-mapped arrays."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

IMAGE_SIDE = 64


@dataclass(frozen=True)
class ImageSet:
    """Decoded images of one split: uint8 RGB (n, 64, 64, 3) and int32 class indices (n,)."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)


def split_path(data: Path, split: str) -> Path:
    """Give the Parquet file of a split ("train" or "val")."""
    return data / f"tiny_imagenet_{split}.parquet"


def read_class_ids(data: Path) -> tuple[str, ...]:
    """List the class ids of the training split, sorted: a model's outputs follow this order."""
    import pyarrow.parquet as pq

    column = pq.read_table(split_path(data, "train"), columns=["wnid"])["wnid"]
    return tuple(sorted(column.unique().to_pylist()))


def load_images(data: Path, split: str, cache: Path) -> ImageSet:
    """Map a split's decoded images, decoding it into `cache` at the first call.

    The rows keep the order of the Parquet file, so an index means the same image in every cache.
    """
    images_path, labels_path = cache / f"{split}_images.npy", cache / f"{split}_labels.npy"
    if not labels_path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _decode_split(data, split, images_path, labels_path)
    return ImageSet(np.load(images_path, mmap_mode="r"), np.load(labels_path))


def _decode_split(data: Path, split: str, images_path: Path, labels_path: Path) -> None:
    """Decode every JPEG of a split; the labels file comes last and marks the cache as complete."""
    import pyarrow.parquet as pq

    index = {class_id: i for i, class_id in enumerate(read_class_ids(data))}
    file = pq.ParquetFile(split_path(data, split))
    shape = (file.metadata.num_rows, IMAGE_SIDE, IMAGE_SIDE, 3)
    images = np.lib.format.open_memmap(images_path, mode="w+", dtype=np.uint8, shape=shape)
    labels = np.empty(shape[0], np.int32)
    for row, (class_id, jpeg) in enumerate(_rows(file)):
        images[row] = _decode(jpeg)
        labels[row] = index[class_id]
    images.flush()
    partial = labels_path.with_name(f"partial_{labels_path.name}")
    np.save(partial, labels)
    os.replace(partial, labels_path)


def _rows(file: object) -> Iterator[tuple[str, bytes]]:
    for batch in file.iter_batches(columns=["wnid", "jpeg"]):  # type: ignore[attr-defined]
        yield from zip(batch["wnid"].to_pylist(), batch["jpeg"].to_pylist(), strict=True)


def _decode(jpeg: bytes) -> npt.NDArray[np.uint8]:
    """Decode one JPEG to RGB; grey photos become three equal channels."""
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))


def train_rows(count: int, holdout: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split row numbers into those to train on and those held out for calibration, both sorted."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[holdout:]), np.sort(order[:holdout])


def split_labels(cache: Path, split: str) -> npt.NDArray[np.int32]:
    """Read the class indices of a split that `load_images` decoded before."""
    return np.load(cache / f"{split}_labels.npy")
