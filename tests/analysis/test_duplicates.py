"""Duplicates among the sample pictures and made variants of them; embeddings are made up near each other."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageEnhance

from sparkcore.analysis.duplicates import EXACT, NEAR, Group, find_duplicates
from sparkcore.imaging.quality import measure
from sparkcore.imaging.thumbnail import shrink
from sparkcore.schema import light_schema
from tests.analysis.test_similarity import vectors_of
from tests.imaging.pictures import sample_photos

PHOTOS = 30


def variants(photo: Image.Image) -> list[Image.Image]:
    """Return a photo and what people make of it: smaller, compressed, cropped and brighter."""
    width, height = photo.size
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=30)
    return [
        photo,
        photo.resize((width // 2, height // 2)),
        Image.open(file).convert("RGB"),
        photo.crop((width // 40, height // 40, width - width // 40, height - height // 40)),
        ImageEnhance.Brightness(photo).enhance(1.2),
    ]


def row_of(picture: Image.Image, number: int) -> dict[str, Any]:
    content = hashlib.sha256(picture.tobytes()).hexdigest()[:32]
    sides = {"width": picture.width, "height": picture.height}
    return {"image_id": f"{number:016x}", "content_hash": content, **sides, **measure(shrink(picture))._asdict()}


def test_variants_are_found_and_no_others() -> None:
    photos = sample_photos(PHOTOS)
    pictures = [picture for photo in photos for picture in variants(photo)]
    copies = [photos[0], photos[1], photos[1]]
    unreadable = {"image_id": "f" * 16, "content_hash": "0" * 32}
    rows = [row_of(picture, number) for number, picture in enumerate([*pictures, *copies])]
    table = pa.Table.from_pylist([*rows, unreadable], schema=light_schema())
    rng = np.random.default_rng(0)
    centers = rng.random((PHOTOS, 128))
    values = np.repeat(centers, 5, axis=0) + 0.1 * rng.standard_normal((5 * PHOTOS, 128))
    vectors = vectors_of(np.vstack([values, centers[[0, 1, 1]], np.zeros((1, 128))]))

    groups = find_duplicates(table, vectors)
    near = [group for group in groups if group.kind == NEAR]
    expected = [set(range(5 * number, 5 * number + 5)) for number in range(PHOTOS)]
    expected[0] |= {150}
    expected[1] |= {151, 152}
    assert sorted(map(sorted, (group.rows for group in near))) == sorted(map(sorted, expected))
    assert [group for group in groups if group.kind == EXACT] == [Group(EXACT, (5, 151, 152)), Group(EXACT, (0, 150))]
    assert groups[0].rows[-1] == 6  # of half the size: the worst
    some = find_duplicates(table, vectors, rows=np.array([0, 1, 7, 150]))
    assert [(group.kind, set(group.rows)) for group in some] == [(NEAR, {0, 1, 150}), (EXACT, {0, 150})]

    by_hash = find_duplicates(table)
    found = [set(group.rows) for group in by_hash if group.kind == NEAR]
    assert all(len({row // 5 for row in group if row < 150}) == 1 for group in found)
    assert sum(len(group) for group in found) >= 4 * PHOTOS


def test_close_pictures_of_different_things_are_no_duplicates() -> None:
    flat = [row_of(Image.new("RGB", (40, 40), color), number) for number, color in enumerate(["red", "blue"])]
    table = pa.Table.from_pylist(flat, schema=light_schema())
    assert find_duplicates(table, vectors_of(np.eye(70)[:2])) == []
    assert [group.rows for group in find_duplicates(table)] == [(0, 1)]  # the hash alone sees no difference


def test_no_rows() -> None:
    assert find_duplicates(light_schema().empty_table()) == []
