from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.errors import ImageError, InputError, ModelError
from sparkcore.intake import allowed_roots, choose_file, choose_images, count_objects, open_allowed
from sparkcore.origins import origin_of
from sparkcore.storage.opening import open_storage
from tests.imaging.pictures import jpeg


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give an allowed folder with a picture, a model, and a link that leads out of it."""
    folder = tmp_path / "allowed"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "a.jpg").write_bytes(jpeg())
    (folder / "model.keras").write_bytes(b"model")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.jpg").write_bytes(jpeg())
    (folder / "way-out").symlink_to(tmp_path / "secret")
    return folder


def test_roots_come_from_the_environment_and_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.setenv("SPARKCORE_ROOTS", f"{tmp_path / 'link'}:{tmp_path / 'b'}:")
    own = tuple(tmp_path / "store" / name for name in ("uploads", "samples", "lists"))
    expected = (tmp_path / "a", tmp_path / "b", *own)
    assert allowed_roots(tmp_path / "store") == expected


def test_the_current_folder_is_the_root_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SPARKCORE_ROOTS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert allowed_roots(tmp_path / "store")[0] == tmp_path


@pytest.mark.parametrize("text", ["photos", "photos/a.jpg", "", "photos/*.jpg", "**/*.jpg"])
def test_images_below_the_root(root: Path, text: str):
    assert choose_images(f" {root / text} ", [root]) == str(root / text)


@pytest.mark.parametrize(
    "text",
    [
        "/etc",
        "/",
        "{root}/..",
        "{root}/../secret",
        "{root}/photos/../../secret",
        "{root}/way-out",
        "{root}/way-out/key.jpg",
        "{root}/way-out/*.jpg",
        "{root}/*/../../secret",
        "{root}/{{a,..}}/{{b,..}}/secret/*",
        "{root}/" + "{{a,b}}" * 25,
        "{root}-next",
        "file:/etc",
        "s3://bucket/photos",
        "",
        "a\0b",
        "{root}/nothing-here",
        "~root",
    ],
)
def test_images_elsewhere_are_refused(root: Path, text: str):
    with pytest.raises(InputError, match=r"^images: expected"):
        choose_images(text.format(root=root), [root])


def test_a_link_to_a_file_outside_is_refused(root: Path):
    (root / "photo.jpg").symlink_to(root.parent / "secret" / "key.jpg")
    with pytest.raises(InputError):
        choose_images(str(root / "photo.jpg"), [root])


def test_a_model_file_below_the_root(root: Path):
    assert choose_file(str(root / "model.keras"), [root]) == str(root / "model.keras")


@pytest.mark.parametrize("name", ["photos/a.jpg", "photos", "gone.keras", "../secret/key.jpg", "/etc/passwd", ""])
def test_other_files_are_refused_as_models(root: Path, name: str):
    with pytest.raises(ModelError, match=r"^File: expected"):
        choose_file(str(root / name), [root])


def test_originals_open_below_the_root_only(root: Path):
    assert open_allowed(origin_of(root / "photos" / "a.jpg"), [root]) == jpeg()
    for path in (root.parent / "secret" / "key.jpg", root / "way-out" / "key.jpg"):
        with pytest.raises(ImageError, match="outside of the places"):
            open_allowed(origin_of(path), [root])
    with pytest.raises(ImageError, match="no longer exists"):
        open_allowed(origin_of(root / "photos" / "b.jpg"), [root])


def test_roots_may_be_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKCORE_ROOTS", f"{tmp_path}:s3://bucket/photos:gs://other")
    roots = allowed_roots(tmp_path / "state")
    assert roots[:3] == (tmp_path, "s3://bucket/photos", "gs://other")
    assert choose_images(" s3://bucket/photos/a ", roots) == "s3://bucket/photos/a"
    with pytest.raises(InputError, match="expected a place below"):
        choose_images("s3://bucket/secret", roots)
    with pytest.raises(ImageError, match="outside of the places"):
        open_allowed("s3://bucket/secret/a.jpg", roots)


def test_originals_on_an_object_store(s3_prefix: str) -> None:
    open_storage(s3_prefix).write("a b.jpg", b"content")
    assert open_allowed(f"{s3_prefix}/a%20b.jpg", [s3_prefix]) == b"content"
    with pytest.raises(ImageError, match="no longer exists"):
        open_allowed(f"{s3_prefix}/gone.jpg", [s3_prefix])
    assert count_objects(s3_prefix, 10) == count_objects(f"{s3_prefix}/a b.jpg", 10) == 1
    assert count_objects(f"{s3_prefix}/nothing", 10) == 0
