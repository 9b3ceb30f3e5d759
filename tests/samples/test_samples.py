from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from sparkcore import samples
from sparkcore.errors import InputError
from sparkcore.samples import PICTURES, copy_samples, list_samples, stored_samples

COUNT = 120
MAX_BYTES = 6_000_000
ORIENTATION_TAG = 0x0112


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def kind(path: Path) -> str:
    """Tell which of the awkward kinds of file this is, or "plain"."""
    with Image.open(path) as image:
        try:
            image.load()
        except OSError:
            return "damaged"
        if image.getexif().get(ORIENTATION_TAG, 1) != 1:
            return "rotated"
        kinds = {("PNG", "RGBA"): "rgba", ("WEBP", "RGB"): "webp", ("JPEG", "L"): "grey", ("JPEG", "CMYK"): "cmyk"}
        return kinds.get((image.format or "", image.mode), "plain")


def test_there_are_120_pictures_of_at_most_6_mb():
    paths = list_samples()
    assert len(paths) == COUNT
    assert sum(path.stat().st_size for path in paths) <= MAX_BYTES
    assert names(PICTURES) == {str(path.relative_to(PICTURES)) for path in paths}


def test_folders_are_named_by_class_id_and_class_name():
    from sparkcore.classes import imagenet_classes

    known = {known.class_id: known.label for known in imagenet_classes()}
    for folder in PICTURES.iterdir():
        class_id, _, name = folder.name.partition("_")
        assert known[class_id] == name
        assert {path.stem.rpartition("-")[0] for path in folder.iterdir()} == {name}


def test_one_file_is_damaged_and_every_awkward_kind_is_there():
    kinds = Counter(kind(path) for path in list_samples())
    assert kinds["damaged"] == 1
    assert set(kinds) == {"plain", "damaged", "rotated", "rgba", "webp", "grey", "cmyk"}
    assert kinds["plain"] >= 110


def test_sizes_suit_the_gallery_and_no_metadata_is_left():
    for path in list_samples():
        with Image.open(path) as image:
            assert 280 <= min(image.size) <= max(image.size) <= 1200
            assert set(image.getexif()) <= {ORIENTATION_TAG}


def test_the_rotated_file_is_stored_on_its_side():
    (path,) = (path for path in list_samples() if kind(path) == "rotated")
    with Image.open(path) as image:
        assert ImageOps.exif_transpose(image).size == image.size[::-1]


def test_the_rgba_file_is_transparent_somewhere():
    (path,) = (path for path in list_samples() if kind(path) == "rgba")
    with Image.open(path) as image:
        low, high = image.getchannel("A").getextrema()
    assert low < 128
    assert high == 255


def test_the_first_samples_are_of_different_classes_and_of_all_kinds():
    classes = len(list(PICTURES.iterdir()))
    first = list_samples(classes)
    assert len({path.parent for path in first}) == classes
    assert len({kind(path) for path in first}) == 7
    assert list_samples()[:classes] == first


@pytest.mark.parametrize("count", [0, -1, COUNT + 1])
def test_an_impossible_count_is_refused(count: int, tmp_path: Path):
    with pytest.raises(InputError, match=f"count: expected 1 to 120 samples, received {count}"):
        copy_samples(tmp_path / "copy", count)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_has_the_same_files(tmp_path: Path):
    paths = copy_samples(tmp_path / "deep" / "copy")
    assert names(tmp_path / "deep" / "copy") == names(PICTURES)
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in list_samples()]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy"]


def test_an_empty_folder_is_filled_and_a_complete_one_left_alone(tmp_path: Path):
    (tmp_path / "copy").mkdir()
    first = copy_samples(tmp_path / "copy", 5)
    (tmp_path / "copy" / ".hidden").touch()
    before = [path.stat().st_ino for path in first]
    assert copy_samples(tmp_path / "copy", 5) == first
    assert [path.stat().st_ino for path in first] == before


def test_a_folder_with_other_content_is_refused_and_kept(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"mine: expected a new or an empty folder .* Choose another folder"):
        copy_samples(tmp_path / "mine")
    assert names(tmp_path) == {"mine/holiday.jpg"}


def test_the_loser_of_a_race_uses_the_winners_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rename = os.rename

    def late(source: Path, target: Path) -> None:
        monkeypatch.setattr(samples.os, "rename", rename)
        copy_samples(target)
        rename(source, target)

    monkeypatch.setattr(samples.os, "rename", late)
    assert stored_samples(tmp_path).name == "Built-in samples"
    assert names(stored_samples(tmp_path)) == names(PICTURES)
    assert len(list((tmp_path / "samples").iterdir())) == 1


def test_a_killed_copy_leaves_no_folder(tmp_path: Path):
    code = (
        "import sys, time, shutil\nfrom pathlib import Path\nfrom sparkcore import samples\n"
        "copyfile = shutil.copyfile\n"
        "def slow(source, target):\n    copyfile(source, target)\n    print('copied', flush=True)\n    time.sleep(60)\n"
        "samples.shutil.copyfile = slow\nsamples.stored_samples(Path(sys.argv[1]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"copied\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / samples.STORE_FOLDER).exists()
    assert names(stored_samples(tmp_path)) == names(PICTURES)


def test_a_store_keeps_its_copy(tmp_path: Path):
    folder = stored_samples(tmp_path)
    assert folder == tmp_path / "samples" / "Built-in samples"
    modified = folder.stat().st_mtime_ns
    assert stored_samples(tmp_path) == folder
    assert folder.stat().st_mtime_ns == modified
