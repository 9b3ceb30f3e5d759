"""Reading the manifests of a store; a manifest never changes, so that each is read once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from functools import partial

from sparkcore.errors import RunFailedError, StorageError
from sparkcore.runs.layout import manifest_name
from sparkcore.runs.manifest import Manifest
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage

_REQUESTS = 32  # at once

_log = logging.getLogger(__name__)

# By URI of the store and run id, for the life of the process: the version of the object, and what it says.
_known: dict[tuple[str, str], tuple[str, Manifest]] = {}


def read_manifest(storage: Storage, run_id: str, version: str = "") -> Manifest:
    """Read a manifest; raises FileNotFoundError, or RunFailedError for a damaged one."""
    forget_manifest(storage, run_id)
    try:
        manifest = Manifest.from_dict(json.loads(storage.read(manifest_name(run_id))))
    except ValueError as error:  # neither UTF-8 nor JSON
        raise RunFailedError(
            f"Expected a manifest in {storage.uri}/{manifest_name(run_id)}, received a damaged file: {error}."
        ) from error
    if manifest.run_id != run_id:
        raise RunFailedError(f"Expected the manifest of run {run_id}, received that of {manifest.run_id}.")
    _known[storage.uri, run_id] = version, manifest
    return manifest


def recall_manifest(storage: Storage, run_id: str) -> Manifest:
    """Return a manifest that this process has read, else read it.

    On an object store a run that somebody else has deleted is known until it is read again; a local file is looked at.
    """
    version = storage.stat(manifest_name(run_id)).version if isinstance(storage, FolderStorage) else ""
    known = _known.get((storage.uri, run_id))
    return known[1] if known and known[0] == version else read_manifest(storage, run_id, version)


def recall_manifests(storage: Storage, run_ids: Iterable[str]) -> Iterator[Manifest]:
    """Yield the manifests of those runs that have one; damaged ones are left out with a warning."""
    recall = partial(_recall, storage)  # of a local disk in turn: a thread would cost more than the look at a file
    recalled = map(recall, run_ids) if isinstance(storage, FolderStorage) else map_ahead(recall, run_ids, _REQUESTS)
    return (manifest for manifest in recalled if manifest is not None)


def forget_manifest(storage: Storage, run_id: str) -> None:
    """Let the manifest be read again."""
    _known.pop((storage.uri, run_id), None)


def _recall(storage: Storage, run_id: str) -> Manifest | None:
    try:
        return recall_manifest(storage, run_id)
    except FileNotFoundError:
        return None  # not finished, or deleted since it was listed
    except (OSError, StorageError, RunFailedError) as error:
        _log.warning("Left out run %s: %s", run_id, error)
        return None
