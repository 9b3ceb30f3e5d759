"""The run store: one folder per run, written once and named by its content."""

from __future__ import annotations

import json
import logging
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.classes import ClassName
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.manifest import Manifest
from sparkcore.storage.local import hold_lock, replacing, write_json

ROW_GROUP_ROWS = 256  # so that one page of thumbnails does not read a whole part
_DELETED_BY_0_1 = "runs/.deleted-*"  # version 0.1 renamed a run to this before removing it

_LIST_RUNS = "`python -m sparkcore runs` lists what is there."

_log = logging.getLogger(__name__)


class RunStore:
    """Read and write the runs below `root`; creating the object touches nothing on disk."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().absolute()

    @property
    def jobs_path(self) -> Path:
        """Return the path of the job table."""
        return self.root / "jobs.sqlite"

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self.root / "runs" / run_id

    def has(self, run_id: str) -> bool:
        """Tell whether the run is finished: a folder without a manifest is not a run yet."""
        return (self.folder(run_id) / "manifest.json").is_file()

    def manifest(self, run_id: str) -> Manifest:
        """Read the manifest of a finished run; raises RunNotFoundError, or RunFailedError for a damaged manifest."""
        path = self.folder(run_id) / "manifest.json"
        try:
            return _read_manifest(path)
        except (FileNotFoundError, NotADirectoryError):
            raise RunNotFoundError(
                f"Expected the id of a finished run in {self.root}, received {run_id!r}.", shell=_LIST_RUNS
            ) from None

    def runs(self) -> list[Manifest]:
        """Return the manifests of all finished runs, newest first; unreadable ones are left out with a warning."""
        return sorted(self._readable_manifests(), key=lambda m: (m.finished_at, m.run_id), reverse=True)

    def find(self, prefix: str) -> Manifest:
        """Return the finished run whose id starts with `prefix`, or the newest one for "latest"."""
        runs = self.runs()
        matches = runs[:1] if prefix == "latest" else [m for m in runs if prefix and m.run_id.startswith(prefix)]
        if len(matches) != 1:
            raise RunNotFoundError(
                f"Expected the id of one run in {self.root}, received {prefix!r}, which fits {len(matches)} "
                f"of {len(runs)}.",
                shell=_LIST_RUNS,
            )
        return matches[0]

    def unfinished(self) -> list[str]:
        """Return the ids of runs that have a plan but no manifest."""
        return sorted(p.parent.name for p in self._files("plan.json") if not self.has(p.parent.name))

    def plan(self, run_id: str) -> dict[str, Any] | None:
        """Return what `write_plan` was given, or None if the run was never started or its plan is damaged."""
        path = self.folder(run_id) / "plan.json"
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            _log.warning("Left out the plan of run %s: %s", run_id, error)
            return None
        return plan if isinstance(plan, dict) else None

    def parts(self, run_id: str) -> list[Path]:
        """Return the finished part files of a run, whether or not the run is finished."""
        return sorted((self.folder(run_id) / "results").glob("*.parquet"))

    def excluded(self, run_id: str) -> list[Path]:
        """Return the files that list the images excluded by filters."""
        return sorted((self.folder(run_id) / "excluded").glob("*.parquet"))

    def next_part(self, run_id: str) -> int:
        """Return a part number that the run has never used, not even for a part of excluded images only."""
        numbers = (int(path.stem.rpartition("-")[2]) for path in [*self.parts(run_id), *self.excluded(run_id)])
        return max(numbers, default=-1) + 1

    def write_plan(self, run_id: str, plan: dict[str, Any]) -> None:
        """Start a run."""
        self.sweep()
        write_json(self.folder(run_id) / "plan.json", plan)

    def write_part(self, run_id: str, name: str, rows: pa.Table, excluded: pa.Table | None = None) -> None:
        """Add a part; its `excluded` rows are written first, so that every part that exists is complete."""
        if excluded is not None and excluded.num_rows:
            _write_parquet(self.folder(run_id) / "excluded" / f"{name}.parquet", excluded)
        _write_parquet(self.folder(run_id) / "results" / f"{name}.parquet", rows)

    def write_classes(self, run_id: str, classes: Iterable[ClassName]) -> None:
        """Keep all class names of the model, in the order of its outputs."""
        write_json(self.folder(run_id) / "classes.json", {one.class_id: one.label for one in classes})

    def classes(self, run_id: str) -> tuple[ClassName, ...]:
        """Return what `write_classes` was given, or nothing for a run of version 0.1 or a damaged file."""
        path = self.folder(run_id) / "classes.json"
        try:
            classes = json.loads(path.read_text(encoding="utf-8"))
            return tuple(ClassName(class_id, str(label)) for class_id, label in classes.items())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, AttributeError) as error:
            _log.warning("Left out the class names of run %s: %s", run_id, error)
            return ()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, after which the run is immutable; raises RunFailedError if it is finished already."""
        if self.has(manifest.run_id):
            raise RunFailedError(f"Run {manifest.run_id} is finished already and never changes.")
        write_json(self.folder(manifest.run_id) / "manifest.json", manifest.to_dict())

    def delete(self, run_id: str) -> None:
        """Delete a run; it disappears in one step, even if the process is killed meanwhile."""
        self._trash.mkdir(parents=True, exist_ok=True)
        try:
            self.folder(run_id).rename(self._trash / f"{run_id}-{uuid.uuid4().hex[:8]}")
        except FileNotFoundError:
            raise RunNotFoundError(f"Expected the id of a run in {self.root}, received {run_id!r}.") from None
        self.sweep()

    def sweep(self) -> None:
        """Remove what interrupted deletions left behind."""
        for folder in [*self._trash.glob("*"), *self.root.glob(_DELETED_BY_0_1)]:
            shutil.rmtree(folder, ignore_errors=True)

    def size_bytes(self, run_id: str) -> int:
        """Return the disk space of a run."""
        return sum(path.stat().st_size for path in self.folder(run_id).rglob("*") if path.is_file())

    @contextmanager
    def lock(self, run_id: str, check: Callable[[], None] | None = None) -> Iterator[None]:
        """Lock the run for writing; while another process holds it, `check` is called and may give up by raising."""
        with hold_lock(self.root / "locks" / f"{run_id}.lock", check):
            yield

    @property
    def _trash(self) -> Path:
        # Outside of `runs`, where every folder counts as a run.
        return self.root / "trash"

    def _files(self, name: str) -> Iterable[Path]:
        return (path for path in self.root.glob(f"runs/*/{name}") if not path.parent.name.startswith("."))

    def _readable_manifests(self) -> Iterator[Manifest]:
        for path in self._files("manifest.json"):
            try:
                yield _read_manifest(path)
            except FileNotFoundError:
                continue  # deleted since it was listed
            except (OSError, RunFailedError) as error:
                _log.warning("Left out run %s: %s", path.parent.name, error)


def _read_manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # neither UTF-8 nor JSON
        raise RunFailedError(f"Expected a manifest in {path}, received a damaged file: {error}.") from error
    if manifest.run_id != path.parent.name:
        raise RunFailedError(f"Expected the manifest of run {path.parent.name}, received that of {manifest.run_id}.")
    return manifest


def _write_parquet(path: Path, rows: pa.Table) -> None:
    # A dictionary of pictures would store each of them once more and find nothing to share.
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    with replacing(path) as temporary:
        pq.write_table(rows, temporary, row_group_size=ROW_GROUP_ROWS, compression="zstd", use_dictionary=texts)
