from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.variants import SHORT_SIDE_PX, variant, write_variants


def contents(paths: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def test_variants_are_readable_pictures_in_class_folders(tmp_path: Path):
    paths = write_variants(tmp_path, 130)
    assert len(set(paths)) == len(set(contents(paths))) == 130
    assert len({path.parent.name for path in paths}) > 20
    for path in paths:
        with Image.open(path) as image:
            image.load()
            assert (image.format, image.mode) == ("JPEG", "RGB")
            assert SHORT_SIDE_PX[0] <= min(image.size) < SHORT_SIDE_PX[1]


def test_the_seed_alone_decides(tmp_path: Path):
    first = contents(write_variants(tmp_path / "a", 3, seed=1))
    assert contents(write_variants(tmp_path / "b", 3, seed=1)) == first
    assert set(contents(write_variants(tmp_path / "c", 3, seed=2))).isdisjoint(first)


def test_a_variant_is_a_large_part_of_its_source_mirrored_or_not(tmp_path: Path):
    row = np.repeat(np.linspace(0, 255, 500), 1).astype(np.uint8)
    Image.fromarray(np.broadcast_to(row, (400, 500))).save(tmp_path / "ramp.png")
    mirrored = []
    for seed in range(20):
        made = np.asarray(variant(tmp_path / "ramp.png", np.random.default_rng(seed)), np.float64)
        assert made.shape[2] == 3
        left, right = made[:, 0].mean(), made[:, -1].mean()
        assert abs(right - left) >= 0.79 * 255
        mirrored.append(right < left)
    assert 0 < sum(mirrored) < 20
