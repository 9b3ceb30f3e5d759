"""The state folder: what only one machine needs of a store, such as jobs, mapped tables, locks and logs."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from sparkcore.errors import ConfigError
from sparkcore.origins import absolute_path, is_local

_MOUNTS = Path("/proc/mounts")
_NETWORK_FILE_SYSTEMS = frozenset(
    [
        "afs", "beegfs", "ceph", "cifs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.ceph", "fuse.gcsfuse",
        "fuse.glusterfs", "fuse.goofys", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs",
        "gpfs", "lustre", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs",
    ]
)  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


def state_folder(store: str, state: Path | None = None) -> Path:
    """Return the state folder of a store, which may not exist yet.

    It is `state`, else SPARKCORE_STATE, else the store itself where that is a folder on a local disk, else one in the
    user's data folder. Raises ConfigError for a network file system: neither SQLite nor locks are safe there.
    """
    given = state or os.environ.get("SPARKCORE_STATE")
    if given:
        return _checked(Path(given).expanduser().absolute())
    if is_local(store) and not is_on_network(absolute_path(store)):
        return absolute_path(store)
    return _checked(_data_folder() / _name(store))


def is_on_network(path: Path) -> bool:
    """Tell whether a path, which need not exist, is on a network file system; False where that is not known."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    real = path.resolve()
    kinds = {Path(_unquoted(fields[1])): fields[2] for fields in map(str.split, mounts.splitlines())}
    nearest = next((folder for folder in (real, *real.parents) if folder in kinds), None)
    return nearest is not None and kinds[nearest] in _NETWORK_FILE_SYSTEMS


def _checked(folder: Path) -> Path:
    if is_on_network(folder):
        raise ConfigError(
            f"state: expected a folder on a local disk, received {folder}, which is on a network file system. "
            "Name another folder with --state or SPARKCORE_STATE."
        )
    return folder


def _data_folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "sparkcore"


def _name(store: str) -> str:
    """Return the last segment of a URI, for people, and the beginning of its digest."""
    segment = re.sub(r"[^A-Za-z0-9._-]+", "_", store.rstrip("/").rsplit("/", 1)[-1]).lstrip(".") or "store"
    return f"{segment}-{hashlib.sha256(store.encode()).hexdigest()[:8]}"


def _unquoted(path: str) -> str:
    """Return a path of the mount table, where spaces are written as octal numbers."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), path)
