"""Bucket sizes and the distribution of buckets over tasks."""

from __future__ import annotations

import math

import pytest

from sparkcore.engine.bucketing import bucket_size, shares

RESNET50, SMALL = 102_000_000, 100_000


@pytest.mark.parametrize(
    ("images", "model_bytes", "slots", "expected"),
    [
        (1, SMALL, 2, 16),
        (10, SMALL, 2, 16),
        (75, SMALL, 2, 38),  # less than two seconds: one for each core
        (300, SMALL, 2, 150),
        (2000, SMALL, 2, 500),  # two for each core
        (300, RESNET50, 2, 25),  # about three seconds, and a multiple of the cores
        (1_000_000, RESNET50, 64, 245),  # never more than 4,096 buckets
        (1_000_000_000, SMALL, 1000, 16_384),  # and never more than 16,384 images
    ],
)
def test_bucket_size(images: int, model_bytes: int, slots: int, expected: int) -> None:
    assert bucket_size(images, model_bytes, slots) == expected


@pytest.mark.parametrize("slots", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("images", [17, 100, 999, 12_345, 1_000_000])
def test_a_small_run_keeps_every_core_busy_to_the_end(images: int, slots: int) -> None:
    buckets = math.ceil(images / bucket_size(images, RESNET50, slots))
    if images >= 32 * slots:
        assert buckets >= 2 * slots or buckets == 4096


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 10, 1000])
def test_each_bucket_is_in_one_task(count: int, slots: int) -> None:
    buckets = list(range(7, 7 + count))
    tasks = shares(buckets, slots)
    assert [bucket for task in tasks for bucket in task] == buckets
    lengths = [len(task) for task in tasks]
    assert lengths == sorted(lengths, reverse=True)
    assert not lengths or (max(lengths) <= 8 and (lengths[-1] == 1 or slots == 1))
