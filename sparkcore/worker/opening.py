"""Read a file or an object, or find the reason why it cannot be read."""

from __future__ import annotations

import errno
import os
import platform
import time
from dataclasses import dataclass

from sparkcore.errors import EngineError, ImageError, StorageError
from sparkcore.origins import local_path, object_key
from sparkcore.storage.interface import Storage

_PASSING = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN)
_PAUSES_S = (0.1, 0.4, 1.6)
MAX_FILE_BYTES = 1 << 30  # Spark's readers hold a whole file in one array of at most 2 GB


@dataclass(frozen=True, slots=True)
class LocalImages:
    """A local path that each executor must see, and some of the files that the driver sees below it.

    A path alone says little: where a shared file system is not mounted, its mount point may still be there.
    """

    root: str
    files: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise EngineError where this machine does not see the path, or none of the files."""
        absent = None if os.path.exists(self.root) else self.root
        if absent is None and self.files and not any(map(os.path.lexists, self.files)):
            absent = self.files[0]
        if absent is not None:
            raise EngineError(
                f"Expected every executor to see {absent}, but {platform.node()} does not. "
                "Use a shared folder that is mounted everywhere at the same path, or an object store."
            )


def read_file(origin: str) -> bytes:
    """Return the bytes of a local file; raises ImageError (vanished, unreadable).

    What a network file system may answer while it recovers is tried again.
    """
    path = local_path(origin)
    if path is None:
        raise ImageError("unreadable", "Spark could not read the file.")
    for pause_s in (*_PAUSES_S, None):
        try:
            return path.read_bytes()
        except OSError as error:
            if error.errno not in _PASSING or pause_s is None:
                reason = f"The file cannot be read: {os.strerror(error.errno or 0)}."
                raise missing_reason(origin, "unreadable", reason) from None
            time.sleep(pause_s)
    raise AssertionError


def read_object(storage: Storage, origin: str) -> bytes:
    """Return the bytes of an object of a bucket; raises ImageError (vanished, unreadable).

    The storage repeats a failing request by itself.
    """
    key = object_key(origin, storage.uri)
    if key is None:
        return read_file(origin)
    try:
        return storage.read(key)
    except FileNotFoundError:
        raise ImageError("vanished", "The object was listed but is gone.") from None
    except (StorageError, ValueError) as error:
        raise ImageError("unreadable", f"The object cannot be read: {error}") from None


def unopened(origin: str, size_bytes: int) -> ImageError | None:
    """Return why a file need not be sent to a worker, or None."""
    if size_bytes > MAX_FILE_BYTES:
        return ImageError(
            "too_large", f"The file has {size_bytes:,} bytes; at most {MAX_FILE_BYTES:,} can be read at once."
        )
    if size_bytes == 0:
        return missing_reason(origin, "empty", "The file is empty.")
    return None


def missing_reason(origin: str, error_type: str, message: str) -> ImageError:
    """Return why a file cannot be opened now; if it can, the given reason."""
    path = local_path(origin)
    if path is None:
        return ImageError(error_type, message)
    try:
        with path.open("rb"):
            return ImageError(error_type, message)
    except FileNotFoundError:
        gone = "The link points to nothing." if path.is_symlink() else "The file was listed but is gone."
        return ImageError("vanished", gone)
    except OSError as error:
        return ImageError("unreadable", f"The file cannot be opened: {os.strerror(error.errno or 0)}.")
