"""The run store: one folder a run, written once, named by its content."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.manifest import Manifest

ROW_GROUP_ROWS = 256  # a page of thumbnails should not cost the reading of a whole part
_LOCK_POLL_S = 0.2


class RunStore:
    """Read and write the runs below `root`; making one touches nothing on disk."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().absolute()

    @property
    def jobs_path(self) -> Path:
        """Return where the job table lies."""
        return self.root / "jobs.sqlite"

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self.root / "runs" / run_id

    def has(self, run_id: str) -> bool:
        """Tell whether the run is finished: a folder without a manifest is not a run yet."""
        return (self.folder(run_id) / "manifest.json").is_file()

    def manifest(self, run_id: str) -> Manifest:
        """Read a finished run's manifest; raises RunNotFoundError."""
        try:
            text = (self.folder(run_id) / "manifest.json").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise RunNotFoundError(
                f"Expected the id of a finished run in {self.root}, received {run_id!r}. "
                "`python -m sparkcore runs` lists what is there."
            ) from None
        return Manifest.from_dict(json.loads(text))

    def runs(self) -> list[Manifest]:
        """Return the manifests of all finished runs, newest first."""
        folders = sorted(self.root.glob("runs/*/manifest.json"))
        manifests = [Manifest.from_dict(json.loads(path.read_text(encoding="utf-8"))) for path in folders]
        return sorted(manifests, key=lambda m: (m.finished_at, m.run_id), reverse=True)

    def find(self, prefix: str) -> Manifest:
        """Return the finished run whose id begins with `prefix`, or the newest for "latest"."""
        runs = self.runs()
        matches = runs[:1] if prefix == "latest" else [m for m in runs if prefix and m.run_id.startswith(prefix)]
        if len(matches) != 1:
            raise RunNotFoundError(
                f"Expected the id of one run in {self.root}, received {prefix!r}, which fits {len(matches)} "
                f"of {len(runs)}. `python -m sparkcore runs` lists what is there."
            )
        return matches[0]

    def unfinished(self) -> list[str]:
        """Return the ids of runs that were begun and have no manifest."""
        return sorted(p.parent.name for p in self.root.glob("runs/*/plan.json") if not self.has(p.parent.name))

    def plan(self, run_id: str) -> dict[str, Any] | None:
        """Return how the run was cut into parts, or None where it was never begun."""
        path = self.folder(run_id) / "plan.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def parts(self, run_id: str) -> list[Path]:
        """Return the finished result files of a run, finished or not."""
        return sorted((self.folder(run_id) / "results").glob("*.parquet"))

    def excluded(self, run_id: str) -> list[Path]:
        """Return the files that list the images which a filter left out."""
        return sorted((self.folder(run_id) / "excluded").glob("*.parquet"))

    def next_part(self, run_id: str) -> int:
        """Return a number that no part of a run has had, also none of which only the excluded images were written."""
        numbers = (int(path.stem.rpartition("-")[2]) for path in [*self.parts(run_id), *self.excluded(run_id)])
        return max(numbers, default=-1) + 1

    def write_plan(self, run_id: str, plan: dict[str, Any]) -> None:
        """Begin a run."""
        write_json(self.folder(run_id) / "plan.json", plan)

    def write_part(self, run_id: str, name: str, rows: pa.Table, excluded: pa.Table | None = None) -> None:
        """Add a part; `excluded` rows first, so that a part that is there is whole."""
        if excluded is not None and excluded.num_rows:
            _write_parquet(self.folder(run_id) / "excluded" / f"{name}.parquet", excluded)
        _write_parquet(self.folder(run_id) / "results" / f"{name}.parquet", rows)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest: from now on the run is immutable."""
        if self.has(manifest.run_id):
            raise RunFailedError(f"Run {manifest.run_id} is finished already and never changes.")
        write_json(self.folder(manifest.run_id) / "manifest.json", manifest.to_dict())

    def delete(self, run_id: str) -> None:
        """Remove a run for good; its name goes first, so that nobody sees half of it."""
        doomed = self.root / "runs" / f".deleted-{run_id}-{uuid.uuid4().hex[:8]}"
        try:
            self.folder(run_id).rename(doomed)
        except FileNotFoundError:
            raise RunNotFoundError(f"Expected the id of a run in {self.root}, received {run_id!r}.") from None
        shutil.rmtree(doomed, ignore_errors=True)

    def size_bytes(self, run_id: str) -> int:
        """Return what a run takes on disk."""
        return sum(path.stat().st_size for path in self.folder(run_id).rglob("*") if path.is_file())

    @contextmanager
    def lock(self, run_id: str, check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the run for writing; `check` is called while another process holds it and may raise.

        The kernel drops the lock with the process, so a killed one never blocks the next.
        """
        path = self.root / "locks" / f"{run_id}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    check()
                    time.sleep(_LOCK_POLL_S)
            yield


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def _write_parquet(path: Path, rows: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    # A dictionary of pictures would hold each of them once more and find nothing to share.
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    pq.write_table(rows, temporary, row_group_size=ROW_GROUP_ROWS, compression="zstd", use_dictionary=texts)
    temporary.replace(path)


def _temporary(path: Path) -> Path:
    # The dot keeps unfinished files out of every glob above.
    return path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
