from __future__ import annotations

import base64
import io
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.components import originals
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, drawn
from tests.runs_fixture import LABELS, write_run


def tiles(app: AppTest) -> list[dict[str, str]]:
    """Return what the wall draws."""
    (found,) = drawn(app, "tiles")
    return found


def test_large_tiles_show_more_than_the_thumbnail(store: RunStore, open_page: OpenPage, tmp_path: Path):
    run = write_run(store, rows=12, images=str(tmp_path / "photos"), error_every=0)
    for number in range(11):  # the last one is gone
        path = tmp_path / "photos" / LABELS[number % len(LABELS)][0] / f"image-{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((900, 600), 60).convert("RGB").save(path)
    assert {long_side(tile) for tile in tiles(open_page("gallery", run=run))} <= set(range(257))
    with patch.object(originals, "LONG_SIDE", 100):  # these runs say that their pictures are small
        large = tiles(open_page("gallery", run=run, zoom="large"))
    assert [long_side(tile) for tile in large[:11]] == [originals.TILE_LONG_SIDE] * 11
    assert long_side(large[11]) <= 256


def long_side(tile: dict[str, str]) -> int:
    """Return the length in pixels of the longer side of a tile's picture."""
    content = base64.b64decode(tile["picture"].partition(",")[2])
    return max(Image.open(io.BytesIO(content)).size)


def test_originals_outside_of_the_roots_stay_closed(
    store: RunStore, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    photo = tmp_path / "photos" / LABELS[0][0] / "image-0000.jpg"
    photo.parent.mkdir(parents=True)
    Image.new("RGB", (900, 600)).save(photo)
    run = write_run(store, rows=1, images=str(tmp_path / "photos"), error_every=0)
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path / "elsewhere"))
    with patch.object(originals, "LONG_SIDE", 100):
        (tile,) = tiles(open_page("gallery", run=run, zoom="large"))
    assert long_side(tile) <= 256
