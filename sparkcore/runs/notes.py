"""Names, notes and tags that people give to runs, in one small file beside the immutable runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sparkcore.origins import list_file
from sparkcore.runs.store import RunStore
from sparkcore.storage.local import hold_lock

LONGEST_NAME = 80
LONGEST_TEXT = 4000
LONGEST_TAG = 40
MOST_TAGS = 20
_NAME = "notes.json"
_UPLOADS = "uploads"


@dataclass(frozen=True, slots=True)
class Note:
    """Hold the name, the note and the tags of one run."""

    name: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notes:
    """Hold all notes of a store by run id."""

    by_run: Mapping[str, Note] = field(default_factory=dict)

    def of(self, run_id: str) -> Note:
        """Return the note of a run, empty if it has none."""
        return self.by_run.get(run_id, Note())

    @property
    def tags(self) -> list[str]:
        """Return the tags of all runs, sorted."""
        return sorted({tag for note in self.by_run.values() for tag in note.tags}, key=str.casefold)


def source_name(images: str) -> str:
    """Return the name of what a run reads: its folder, file or list, without the path."""
    path = PurePosixPath(images.rstrip("/"))
    if list_file(images) is not None:
        return path.stem
    # The folder of an upload is named after its content.
    return "Upload" if path.parent.name == _UPLOADS else path.name or images


def run_name(manifest: Mapping[str, Any]) -> str:
    """Return the name of a run without one of its own, as in "photos · mobilenet_v2 · crop".

    `manifest` is `Manifest.to_dict()`; what it lacks is left out.
    """
    config, model = manifest.get("config") or {}, manifest.get("model") or {}
    images = str(config.get("images") or "")
    mode = model.get("resize") or config.get("resize")
    parts = (source_name(images), model.get("name") or config.get("model"), mode)
    return " · ".join(str(part) for part in parts if part)


def read_notes(store: RunStore) -> Notes:
    """Return all notes; a missing or damaged file counts as empty."""
    try:
        values = json.loads(store.storage.read(_NAME))
        return Notes({run: _read(note) for run, note in values.items()})
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return Notes()


def write_note(store: RunStore, run_id: str, note: Note) -> None:
    """Set the note of a run, cut to the maximum lengths; an empty note removes it."""
    tags = tuple(dict.fromkeys(" ".join(tag.split())[:LONGEST_TAG] for tag in note.tags if tag.strip()))[:MOST_TAGS]
    note = Note(" ".join(note.name.split())[:LONGEST_NAME], note.text.strip()[:LONGEST_TEXT], tags)
    with hold_lock(store.state / "locks" / "notes.lock"):  # two people may write at once; on two machines, one wins
        notes = {**read_notes(store).by_run, run_id: note}
        kept = {run: asdict(n) for run, n in notes.items() if n != Note()}
        store.storage.write(_NAME, f"{json.dumps(kept, indent=2, ensure_ascii=False)}\n".encode())


def _read(values: Mapping[str, Any]) -> Note:
    return Note(str(values["name"]), str(values["text"]), tuple(str(tag) for tag in values.get("tags", ())))
