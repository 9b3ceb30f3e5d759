"""The run store: one folder per run, written once and named by its content."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from sparkcore.classes import ClassName
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.groups import GroupPath, parse_path, path_text
from sparkcore.runs.deletion import delete_run, sweep_deletions
from sparkcore.runs.layout import classes_name, groups_name, manifest_name, plan_name, run_folder
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.manifests import forget_manifest, read_manifest, recall_manifest, recall_manifests
from sparkcore.runs.state import state_folder
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.opening import open_storage

_LIST_RUNS = "`python -m sparkcore runs` lists what is there."

_LOOKS_AT_ONCE = 8

_log = logging.getLogger(__name__)


class RunStore:
    """Read and write the runs at a local path or URI; creating the object touches nothing.

    `state` is the folder of what only this machine needs (None: chosen by `state_folder`). The constructor raises
    StorageError for a URI that is none of a storage.
    """

    def __init__(self, store: str | Path, state: Path | None = None) -> None:
        self.storage = open_storage(os.fspath(store))
        self._given_state = state

    @property
    def uri(self) -> str:
        """Return the absolute path or the URI of the store."""
        return self.storage.uri

    @cached_property
    def state(self) -> Path:
        """Return the state folder; raises ConfigError where it would be on a network file system."""
        return state_folder(self.uri, self._given_state)

    @property
    def jobs_path(self) -> Path:
        """Return the path of the job table."""
        return self.state / "jobs.sqlite"

    def folder(self, run_id: str) -> str:
        """Return the path or URI of the folder of a run."""
        return f"{self.uri}/{run_folder(run_id)}"

    def has(self, run_id: str) -> bool:
        """Tell whether the run is finished: a folder without a manifest is not a run yet."""
        return self.storage.exists(manifest_name(run_id))

    def manifest(self, run_id: str) -> Manifest:
        """Read the manifest of a finished run; raises RunNotFoundError, or RunFailedError for a damaged manifest."""
        try:
            return read_manifest(self.storage, run_id)
        except FileNotFoundError:
            raise self._no_such_run(run_id) from None

    def recall(self, run_id: str) -> Manifest:
        """Return the manifest of a finished run as this process has read it last, else read it as `manifest` does."""
        try:
            return recall_manifest(self.storage, run_id)
        except FileNotFoundError:
            raise self._no_such_run(run_id) from None

    def runs(self) -> list[Manifest]:
        """Return the manifests of all finished runs, newest first; unreadable ones are left out with a warning."""
        manifests = recall_manifests(self.storage, self.run_ids())
        return sorted(manifests, key=lambda m: (m.finished_at, m.run_id), reverse=True)

    def find(self, prefix: str) -> Manifest:
        """Return the finished run whose id starts with `prefix`, or the newest one for "latest"."""
        if prefix == "latest":
            matches = self.runs()[:1]
        else:  # only those that can be meant are read
            named = [run_id for run_id in self.run_ids() if prefix and run_id.startswith(prefix)]
            matches = list(recall_manifests(self.storage, named))
        if len(matches) != 1:
            raise RunNotFoundError(
                f"Expected the id of one run in {self.uri}, received {prefix!r}, which fits {len(matches)} "
                f"of {len(self.runs())}.",
                shell=_LIST_RUNS,
            )
        return matches[0]

    def unfinished(self) -> list[str]:
        """Return the ids of runs that have a plan but no manifest."""
        finished = {manifest.run_id for manifest in self.runs()}  # read several at once
        others = [run for run in self.run_ids() if run not in finished]
        return [run for run in others if not self._is_known(run) and self.storage.exists(plan_name(run))]

    def run_ids(self) -> list[str]:
        """Return the ids of all runs: finished, unfinished and damaged ones."""
        folders, _ = self.storage.list_folder("runs")
        names = [folder.rpartition("/")[2] for folder in folders]
        return [name for name in names if not name.startswith(".")]  # version 0.1 renamed what it deleted

    def write_classes(
        self, run_id: str, classes: Iterable[ClassName], groups: Mapping[str, GroupPath] | None = None
    ) -> None:
        """Keep all class names of the model, in the order of its outputs, and its own groups by class id."""
        self.storage.write(classes_name(run_id), _json({one.class_id: one.label for one in classes}))
        if groups:
            self.storage.write(groups_name(run_id), _json({key: path_text(path) for key, path in groups.items()}))

    def classes(self, run_id: str) -> tuple[ClassName, ...]:
        """Return what `write_classes` was given, or nothing for a run of version 0.1 or a damaged file."""
        return tuple(ClassName(class_id, label) for class_id, label in self._texts(classes_name(run_id)).items())

    def groups(self, run_id: str) -> dict[str, GroupPath]:
        """Return the groups that the model brought along, by class id; none where there is no file or a damaged one."""
        return {class_id: parse_path(path) for class_id, path in self._texts(groups_name(run_id)).items()}

    def finish(self, manifest: Manifest) -> Manifest:
        """Write the manifest, after which the run is immutable; return the one that counts: the first one written."""
        if self.storage.write_new(manifest_name(manifest.run_id), _json(manifest.to_dict())):
            return manifest
        return self.manifest(manifest.run_id)

    def delete(self, run_id: str) -> None:
        """Delete a run, its manifest first; `sweep` ends what a killed process leaves. Raises RunNotFoundError."""
        try:
            found = delete_run(self.storage, self.state, run_id)
        finally:
            forget_manifest(self.storage, run_id)
        if not found:
            raise RunNotFoundError(f"Expected the id of a run in {self.uri}, received {run_id!r}.")

    def sweep(self) -> None:
        """End the deletions that were interrupted."""
        sweep_deletions(self.storage, self.state)

    def size_bytes(self, run_id: str) -> int:
        """Return the size of all files of a run."""
        return sum(entry.size_bytes for entry in self.storage.list(run_folder(run_id)))

    def sizes_bytes(self, run_ids: Sequence[str]) -> list[int]:
        """Return the sizes of several runs, which are looked at at once."""
        return list(map_ahead(self.size_bytes, run_ids, _LOOKS_AT_ONCE))

    def _texts(self, name: str) -> dict[str, str]:
        try:
            return {key: str(value) for key, value in json.loads(self.storage.read(name)).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError) as error:
            _log.warning("Left out %s: %s", name, error)
            return {}

    def _is_known(self, run_id: str) -> bool:
        try:
            self.recall(run_id)
        except RunNotFoundError:
            return False
        except RunFailedError:
            return True  # a damaged manifest is one
        return True

    def _no_such_run(self, run_id: str) -> RunNotFoundError:
        return RunNotFoundError(
            f"Expected the id of a finished run in {self.uri}, received {run_id!r}.", shell=_LIST_RUNS
        )


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode()
