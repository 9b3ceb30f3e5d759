"""A folder as a storage."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sparkcore.errors import StorageError
from sparkcore.storage.interface import Entry, FolderContent, Storage, checked_name
from sparkcore.storage.local import creating, is_temporary, replacing, write_bytes

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_AT_CURRENT_FOLDER = -100
_NO_REPLACE = 1
_EXCLUSIVE = 4


class FolderStorage(Storage):
    """The files below a local folder; it is made by the first write."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.uri = str(root)

    def check(self) -> None:
        try:
            os.scandir(self._root).close()
        except FileNotFoundError:
            return  # the first write makes it
        except OSError as error:
            raise StorageError(f"{self.uri}: the folder cannot be listed: {os.strerror(error.errno or 0)}.") from error

    def list(self, prefix: str = "") -> Iterator[Entry]:
        for folder, _, names in os.walk(self._path(prefix) if prefix else self._root):
            for name in names:
                if not is_temporary(name):
                    try:
                        yield self.stat(Path(folder, name).relative_to(self._root).as_posix())
                    except FileNotFoundError:
                        continue  # deleted meanwhile

    def list_folder(self, prefix: str = "") -> FolderContent:
        start = f"{checked_name(prefix)}/" if prefix else ""
        folders: list[str] = []
        entries: list[Entry] = []
        try:
            with self._translated(prefix), os.scandir(self._root / prefix) as found:
                for one in sorted(found, key=lambda one: one.name):
                    if one.is_dir():
                        folders.append(start + one.name)
                    elif one.is_file() and not is_temporary(one.name):
                        entries.append(_entry(start + one.name, one.stat()))
        except FileNotFoundError:
            return [], []
        return folders, entries

    def stat(self, name: str) -> Entry:
        with self._translated(name):
            path = self._path(name)
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return _entry(name, found)

    def read(self, name: str) -> bytes:
        with self._translated(name):
            return self._path(name).read_bytes()

    def open_reader(self, name: str, size_bytes: int | None = None) -> BinaryIO:
        del size_bytes
        with self._translated(name):
            return self._path(name).open("rb")

    def write(self, name: str, content: bytes) -> None:
        with self._translated(name):
            write_bytes(self._path(name), content)

    @contextmanager
    def open_writer(self, name: str) -> Iterator[BinaryIO]:
        path = self._path(name)
        with self._translated(name), replacing(path) as temporary, temporary.open("wb") as file:
            yield file

    def delete(self, name: str) -> None:
        with self._translated(name):
            self._path(name).unlink(missing_ok=True)

    def _read_range(self, name: str, start: int, length: int) -> bytes:
        with self._translated(name), self._path(name).open("rb") as file:
            file.seek(start)
            content = file.read(length)
        if not content:
            raise StorageError(f"{self.uri}: {name!r} ends before byte {start:,}.")
        return content

    def _create(self, name: str, content: bytes) -> bool:
        path = self._path(name)
        with self._translated(name), creating(path, content) as temporary:
            try:
                _place(temporary, path)
            except FileExistsError:
                return False
        return True

    def _path(self, name: str) -> Path:
        return self._root / checked_name(name)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except NotADirectoryError as error:
            raise FileNotFoundError(*error.args) from None
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise StorageError(f"{self.uri}: {name!r} cannot be read or written: {reason}.") from error


def _entry(name: str, found: os.stat_result) -> Entry:
    return Entry(name, found.st_size, found.st_mtime_ns, str(found.st_mtime_ns))


def _place(temporary: Path, path: Path) -> None:
    """Give a finished file its final name, unless that exists: FileExistsError.

    Never by opening the final name exclusively: a crash would leave half a file there.
    """
    try:
        path.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_without_replacing(temporary, path)


def _rename_without_replacing(source: Path, target: Path) -> None:
    system, names = ctypes.CDLL(None, use_errno=True), (os.fsencode(source), os.fsencode(target))
    if sys.platform == "darwin":
        failed = system.renamex_np(*names, _EXCLUSIVE)
    else:
        failed = system.renameat2(_AT_CURRENT_FOLDER, names[0], _AT_CURRENT_FOLDER, names[1], _NO_REPLACE)
    if failed:
        number = ctypes.get_errno()
        if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise StorageError(
                f"{target.parent}: expected a file system with hard links or with a rename that does not replace, "
                "received one that has neither. Choose another place for the store."
            )
        raise OSError(number, os.strerror(number), str(target))
