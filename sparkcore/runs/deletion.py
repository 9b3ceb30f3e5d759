"""Deleting runs, so that a killed process neither leaves half a run to be seen nor forgets what is to be deleted."""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from sparkcore.errors import RunFailedError, StorageError
from sparkcore.runs.layout import manifest_name, plan_name, recipe_name, run_folder
from sparkcore.runs.manifests import recall_manifest
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage
from sparkcore.storage.local import write_json

_DELETED_BY_0_1 = "runs/.deleted-*"  # version 0.1 renamed a run to this before removing it
_REQUESTS = 32  # at once


def delete_run(storage: Storage, state: Path, run_id: str) -> bool:
    """Delete all files of a run; tell whether there were any."""
    _forget_recipe(storage, run_id)
    trashed = state / "trash" / f"{run_id}-{uuid.uuid4().hex[:8]}"
    try:
        trashed.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(storage, FolderStorage) and _move(Path(storage.uri, run_folder(run_id)), trashed):
            shutil.rmtree(trashed, ignore_errors=True)
            return True
        return _delete_by_name(storage, trashed.with_suffix(".json"), run_id)
    except OSError as error:
        raise StorageError(
            f"{storage.uri}: run {run_id} cannot be deleted: {os.strerror(error.errno or 0)}."
        ) from error


def sweep_deletions(storage: Storage, state: Path) -> None:
    """Remove what interrupted deletions left behind."""
    for left in interrupted_deletions(storage, state):
        end_deletion(storage, left)


def interrupted_deletions(storage: Storage, state: Path) -> list[Path]:
    """Return the folders in the trash, and the lists of files that were to be deleted one by one."""
    found = [path for path in (state / "trash").glob("*") if path.is_dir()]
    if isinstance(storage, FolderStorage):
        found += [*Path(storage.uri, "trash").glob("*"), *Path(storage.uri).glob(_DELETED_BY_0_1)]
    listed = (path for path in (state / "trash").glob("*.json") if _of_store(storage, path))
    return list(dict.fromkeys([*(path for path in found if path.is_dir()), *listed]))


def left_to_delete(storage: Storage, left: Path) -> dict[str, int]:
    """Return the files that an interrupted deletion has still to remove, with their sizes in bytes."""
    if left.is_dir():
        return {str(path): path.lstat().st_size for path in left.rglob("*") if not path.is_dir()}
    versions = _deletion(left).get("versions", {})
    entries = storage.list(run_folder(_run_of(left)))
    return {entry.name: entry.size_bytes for entry in entries if versions.get(entry.name) == entry.version}


def end_deletion(storage: Storage, left: Path) -> None:
    """End one interrupted deletion; files that were written again since are kept."""
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
        return
    versions = _deletion(left).get("versions", {})
    _delete_all(storage, left, [name for name, version in versions.items() if _has(storage, name, version)])


def _of_store(storage: Storage, listed: Path) -> bool:
    return bool(_deletion(listed).get("store") == storage.uri)


def _deletion(listed: Path) -> dict[str, Any]:
    """Return what a deletion had noted; nothing where another process has just ended it, or where it is damaged."""
    try:
        return dict(json.loads(listed.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _run_of(listed: Path) -> str:
    return listed.name.partition("-")[0]


def _move(folder: Path, trashed: Path) -> bool:
    """Move a run to the trash in one step, if that is on the same disk."""
    try:
        folder.rename(trashed)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def _delete_by_name(storage: Storage, listed: Path, run_id: str) -> bool:
    """Delete files one by one: the manifest, then the plan, so that nobody reads or resumes what is left."""
    versions = {entry.name: entry.version for entry in storage.list(run_folder(run_id))}
    if not versions:
        return False
    first = [name for name in (manifest_name(run_id), plan_name(run_id)) if name in versions]
    ordered = {name: versions[name] for name in dict.fromkeys([*first, *versions])}
    write_json(listed, {"store": storage.uri, "versions": ordered})
    for name in first:
        storage.delete(name)
    _delete_all(storage, listed, [name for name in ordered if name not in first])
    return True


def _delete_all(storage: Storage, listed: Path, names: list[str]) -> None:
    for _ in map_ahead(storage.delete, names, _REQUESTS):
        pass
    if isinstance(storage, FolderStorage):
        _remove_empty_folders(Path(storage.uri, run_folder(_run_of(listed))))
    listed.unlink(missing_ok=True)


def _remove_empty_folders(top: Path) -> None:
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError:
            continue  # somebody computes the run again


def _has(storage: Storage, name: str, version: str) -> bool:
    """Tell whether a file is still the one that was to be deleted, and not that of a run computed again."""
    try:
        return storage.stat(name).version == version
    except FileNotFoundError:
        return False


def _forget_recipe(storage: Storage, run_id: str) -> None:
    """Let later runs no longer find this one; a run that is not found is only not reused."""
    try:
        storage.delete(recipe_name(recall_manifest(storage, run_id).recipe_id, run_id))
    except (FileNotFoundError, RunFailedError):
        return  # not finished
