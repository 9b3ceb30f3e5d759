"""Does a storage keep its promises? Receipts need one that creates an object at most once."""

from __future__ import annotations

import platform
import uuid
from functools import partial

from sparkcore.errors import StorageError
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.interface import Storage


def check_exclusive(storage: Storage) -> None:
    """Create an object twice at once; raises StorageError where it cannot be written or is created a second time."""
    name = f"probes/{uuid.uuid4().hex}"
    try:
        created = list(map_ahead(partial(storage.write_new, name), (b"one", b"two"), threads=2))
    finally:
        storage.delete(name)
    if sum(created) != 1:
        raise StorageError(
            f"{storage.uri}: expected a store that refuses to create an object twice (If-None-Match), received one "
            "that does not. Two drivers could commit the same images there: choose another store."
        )


def check_shared(storage: Storage, name: str) -> None:
    """Look for an object that another machine has written, and write one.

    Raises StorageError where it is not there, or where the storage cannot be written.
    """
    try:
        storage.stat(name)
    except FileNotFoundError:
        raise StorageError(
            f"Expected a store that the driver and all executors share, but {platform.node()} does not find in "
            f"{storage.uri} what the driver has just written. Use an object store, or a shared folder at the same path "
            "everywhere."
        ) from None
    written = f"{name}-{uuid.uuid4().hex}"
    try:
        storage.write(written, b"executor")
    finally:
        storage.delete(written)
