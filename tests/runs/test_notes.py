from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparkcore.runs.notes import LONGEST_NAME, Note, Notes, read_notes, run_name, write_note
from sparkcore.runs.store import RunStore


def test_no_file_means_no_notes(tmp_path: Path):
    assert read_notes(RunStore(tmp_path)) == Notes()
    assert read_notes(RunStore(tmp_path)).of("a") == Note()


def test_notes_are_kept_and_removed(tmp_path: Path):
    store = RunStore(tmp_path)
    write_note(store, "a", Note(" Dark \n photos ", " all of\nthem "))
    write_note(store, "b", Note("B" * 500))
    assert read_notes(store).by_run == {"a": Note("Dark photos", "all of\nthem"), "b": Note("B" * LONGEST_NAME)}
    write_note(store, "a", Note("", "  "))
    assert read_notes(store).by_run == {"b": Note("B" * LONGEST_NAME)}


def test_a_damaged_file_counts_as_none(tmp_path: Path):
    for text in ("", "[]", '{"a": 1}', '{"a": {"name": "x"}}', "{"):
        (tmp_path / "notes.json").write_text(text)
        assert read_notes(RunStore(tmp_path)) == Notes()


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (
            {
                "config": {"images": "/data/photos/", "resize": "auto"},
                "model": {"name": "mobilenet_v2", "resize": "crop"},
            },
            "photos · mobilenet_v2 · crop",
        ),
        ({"config": {"images": "/data/*.jpg", "model": "vgg16", "resize": "pad"}}, "*.jpg · vgg16 · pad"),
        ({"config": {"images": "/"}}, "/"),
        ({}, ""),
    ],
)
def test_a_run_without_a_name_is_named_after_its_request(manifest: dict[str, Any], expected: str):
    assert run_name(manifest) == expected
