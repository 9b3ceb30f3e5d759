"""From a URI to its storage."""

from __future__ import annotations

from sparkcore.errors import StorageError
from sparkcore.origins import absolute_path, is_local, split_object_uri
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage
from sparkcore.storage.objects import MemoryStorage, ObjectStorage


def open_storage(uri: str) -> Storage:
    """Return the storage at a local path, a `file:`, `s3://`, `gs://`, `az://` or `memory://` URI.

    Nothing is opened yet: wrong credentials are found by `check`. Raises StorageError for any other URI.
    """
    if uri.startswith("memory://"):
        return MemoryStorage(uri)
    if split_object_uri(uri) is not None:
        return ObjectStorage(uri)
    if is_local(uri):
        return FolderStorage(absolute_path(uri))
    raise StorageError(f"Expected a path or a URI with one of file:, s3:, gs:, az:, received {uri!r}.")
