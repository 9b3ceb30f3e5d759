"""Names and notes that people give to runs: one small file beside the runs, which themselves never change."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sparkcore.runs.store import RunStore, write_json

LONGEST_NAME = 80
LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Note:
    """Hold what people say about one run."""

    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    """Hold the notes of a store by run id."""

    by_run: Mapping[str, Note] = field(default_factory=dict)

    def of(self, run_id: str) -> Note:
        """Return the note of a run, an empty one where there is none."""
        return self.by_run.get(run_id, Note())


def read_notes(store: RunStore) -> Notes:
    """Return all notes; a file that is missing or was damaged from outside counts as none."""
    try:
        values = json.loads((store.root / "notes.json").read_text(encoding="utf-8"))
        return Notes({run: Note(str(note["name"]), str(note["text"])) for run, note in values.items()})
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return Notes()


def write_note(store: RunStore, run_id: str, note: Note) -> None:
    """Set the note of a run, cut to the longest lengths; an empty one removes it."""
    note = Note(" ".join(note.name.split())[:LONGEST_NAME], note.text.strip()[:LONGEST_TEXT])
    lock = store.root / "locks" / "notes.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # two people may write at once
        notes = {**read_notes(store).by_run, run_id: note}
        write_json(store.root / "notes.json", {run: asdict(n) for run, n in notes.items() if n != Note()})
