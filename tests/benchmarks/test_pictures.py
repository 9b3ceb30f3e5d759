from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks import pictures
from tests.conftest import write_colors


def test_sets_are_made_of_the_sources_under_names_of_their_own(tmp_path: Path):
    sources = pictures.listed(write_colors(tmp_path / "in", 3)[0].parent)
    many = pictures.listed(pictures.repeated(sources, tmp_path / "many", 7))
    assert len(many) == 7
    assert many[3].read_bytes() == sources[0].read_bytes()
    tiny = pictures.listed(pictures.shrunk(sources, tmp_path / "tiny", 4))
    assert set(map(_size, tiny)) == {(64, 64)}
    (large,) = pictures.listed(pictures.enlarged(sources[:1], tmp_path / "large", 1))
    assert _size(large) == (4000, 3000)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
