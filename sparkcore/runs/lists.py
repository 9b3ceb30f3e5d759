"""Lists of pictures for runs over a part of another run, in the state folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pyarrow as pa

from sparkcore.errors import RequestError, StorageError
from sparkcore.origins import local_path, split_object_uri
from sparkcore.runs.store import RunStore
from sparkcore.storage.local import write_bytes

FOLDER = "lists"
_LONGEST_NAME = 80
_SEVERAL = re.compile(r"^[\d,]+ pictures? of ")


def write_list(store: RunStore, origins: pa.ChunkedArray, source: str) -> Path:
    """Write a list of origins and return its path; its name says how many pictures of which `source` they are.

    Raises RequestError where an origin is neither a file nor an object, StorageError for a folder that is read-only.
    """
    lines = origins.to_pylist()
    other = next((one for one in lines if local_path(one) is None and split_object_uri(one) is None), None)
    if other is not None:
        raise RequestError(f"list: expected files and objects, received {other}. Run its folder again from the shell.")
    content = "".join(f"{line}\n" for line in lines).encode()
    folder = store.state / FOLDER / hashlib.sha256(content).hexdigest()[:16]
    path = find_list(store, folder.name) or folder / f"{_name(len(lines), source)}.txt"
    try:
        write_bytes(path, content)  # anew where it is there: a list is kept for a day
    except OSError as error:
        raise StorageError(f"{folder}: the list cannot be written: {error.strerror}.") from error
    return path


def find_list(store: RunStore, list_id: str) -> Path | None:
    """Return the path of a list by its id, the name of its folder; None where there is none."""
    if not re.fullmatch(r"[0-9a-f]{16}", list_id):
        return None
    return next((store.state / FOLDER / list_id).glob("*.txt"), None)


def _name(count: int, source: str) -> str:
    source = re.sub(r"[^\w .,()+-]+", "_", _SEVERAL.sub("", source))[:_LONGEST_NAME].strip()
    return f"{count:,} picture{'' if count == 1 else 's'} of {source}"
