from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.training.generated_data import COLORS, write_splits
from training.data import load_images, read_class_ids, train_rows


def test_class_ids_are_sorted(tmp_path: Path):
    write_splits(tmp_path, 2)
    assert read_class_ids(tmp_path) == ("n01443537", "n07747607", "n09193705")


def test_images_keep_the_order_of_the_file_and_come_from_the_cache_at_the_second_call(tmp_path: Path):
    write_splits(tmp_path, 2)
    first = load_images(tmp_path, "train", tmp_path / "cache")
    (tmp_path / "tiny_imagenet_train.parquet").unlink()
    again = load_images(tmp_path, "train", tmp_path / "cache")
    assert first.images.shape == (6, 64, 64, 3)
    assert first.labels.tolist() == [0, 1, 2, 0, 1, 2]
    np.testing.assert_array_equal(again.images, first.images)
    np.testing.assert_array_equal(again.labels, first.labels)
    means = first.images.mean(axis=(1, 2))
    np.testing.assert_allclose(means, list(COLORS.values()) * 2, atol=12)


def test_held_out_rows_are_not_trained_on():
    rows, held_out = train_rows(10, 3, seed=1)
    assert (len(rows), len(held_out)) == (7, 3)
    assert sorted([*rows, *held_out]) == list(range(10))
