from __future__ import annotations

import numpy as np

from training.data import ImageSet
from training.duplicates import find_known


def test_copies_are_found_within_their_class_alone():
    rng = np.random.default_rng(0)
    known = ImageSet(rng.integers(0, 256, (4, 64, 64, 3), np.uint8), np.array([0, 0, 1, 1], np.int32))
    brighter = (known.images[1] * 0.7 + 60).astype(np.uint8)
    other = rng.integers(0, 256, (64, 64, 3), np.uint8)
    photos = np.stack([brighter, other, known.images[1]])
    labels = np.array([0, 0, 1], np.int32)
    assert find_known((photos,), labels, known) == [True, False, False]
    assert find_known((np.stack([other] * 3), photos), labels, known) == [True, False, False]
