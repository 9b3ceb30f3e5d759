from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sparkcore.errors import ConfigError
from sparkcore.samples import sample_classes, write_samples
from sparkcore.samples.files import AWKWARD, awkward_places, encode, plan, write_one

COUNT, SEED = 12, 5


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_samples(tmp_path_factory.mktemp("samples"), COUNT, SEED)


def kinds_of(paths: list[Path]) -> dict[str, Path]:
    orders = plan(paths[0].parents[1], len(paths), SEED)
    return {order.kind: order.path for order in orders}


def test_every_file_lies_in_the_folder_of_its_class(written: list[Path]):
    folders = {chosen.folder_name: chosen.name for chosen in sample_classes()}
    assert len(written) == len(set(written)) == COUNT
    assert all(path.is_file() for path in written)
    assert all(path.name.startswith(f"{folders[path.parent.name]}-0001.") for path in written)


def test_sides_are_within_300_and_1200_pixels(written: list[Path]):
    sides = [side for path in written for side in Image.open(path).size]
    assert min(sides) >= 300
    assert max(sides) <= 1200


def test_the_pool_and_a_single_process_write_the_same_bytes(written: list[Path], tmp_path: Path):
    orders = plan(tmp_path, COUNT, SEED)
    for order, path in list(zip(orders, written, strict=True))[::4]:
        order.path.parent.mkdir(parents=True, exist_ok=True)
        assert write_one(order).read_bytes() == path.read_bytes()


def test_another_seed_writes_other_pictures(written: list[Path], tmp_path: Path):
    others = write_samples(tmp_path, 2, SEED + 1)
    assert {path.read_bytes() for path in others}.isdisjoint(path.read_bytes() for path in written)


def test_the_awkward_files_are_what_they_claim(written: list[Path]):
    found = kinds_of(written)
    assert set(found) == {*AWKWARD, "plain"}
    facts = {}
    for kind in ("grey", "rgba", "cmyk", "webp", "rotated", "plain"):
        with Image.open(found[kind]) as picture:
            picture.load()
            facts[kind] = (picture.format, picture.mode, picture.getexif().get(0x0112, 1))
    assert facts == {
        "grey": ("JPEG", "L", 1),
        "rgba": ("PNG", "RGBA", 1),
        "cmyk": ("JPEG", "CMYK", 1),
        "webp": ("WEBP", "RGB", 1),
        "rotated": ("JPEG", "RGB", 6),
        "plain": ("JPEG", "RGB", 1),
    }


def test_the_damaged_file_opens_but_cannot_be_decoded(written: list[Path]):
    with Image.open(kinds_of(written)["damaged"]) as picture, pytest.raises(OSError, match="truncated"):
        picture.load()


def test_only_one_file_is_damaged(written: list[Path]):
    whole = 0
    for path in written:
        with Image.open(path) as picture:
            try:
                picture.load()
                whole += 1
            except OSError:
                continue
    assert whole == COUNT - 1


def test_a_rotated_file_is_upright_for_a_reader_that_obeys_the_tag():
    colors = np.zeros((8, 16, 3), np.uint8)
    colors[:, :8] = (200, 30, 30)
    upright = Image.fromarray(colors)
    path_bytes = encode(upright, "rotated", 95)
    with Image.open(io.BytesIO(path_bytes)) as stored:
        assert stored.size == (8, 16)
        shown = ImageOps.exif_transpose(stored)
    assert np.abs(np.asarray(shown, np.int16) - colors).mean() < 12


def test_an_rgba_file_really_is_transparent_somewhere():
    with Image.open(io.BytesIO(encode(Image.new("RGB", (64, 48), "red"), "rgba", 90))) as picture:
        alpha = np.asarray(picture.getchannel("A"))
    assert alpha.min() < 128
    assert alpha.max() == 255


def test_awkward_files_are_spread_and_fewer_among_few():
    assert awkward_places(120) == {10: "damaged", 30: "grey", 50: "rgba", 70: "rotated", 90: "cmyk", 110: "webp"}
    assert awkward_places(4) == {1: "damaged", 3: "grey"}
    assert awkward_places(1) == {}


def test_classes_take_turns(tmp_path: Path):
    classes = len(sample_classes())
    turns = Counter(order.class_name for order in plan(tmp_path, 3 * classes, 1))
    assert set(turns.values()) == {3}
    assert len(turns) == classes


def test_a_count_below_one_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="count: expected at least 1 sample, received 0"):
        write_samples(tmp_path, 0, 1)
