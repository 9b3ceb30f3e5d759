"""List the images of a request that a text file names: one path or origin in each line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sparkcore.engine.local_listing import listed_file
from sparkcore.engine.object_listing import named_object
from sparkcore.engine.spill import ListedFile
from sparkcore.errors import InputError
from sparkcore.origins import absolute_path, escape_glob, is_local, origin_of, split_object_uri
from sparkcore.roots import Root, is_allowed, is_allowed_uri

_BLOCK_NAMES = 256
_REQUESTS = 32  # in flight: an object store is asked for each object


@dataclass(slots=True)
class ListFile:
    """Read a list of local files and of objects; of those below no root (None: anywhere) only the number is kept.

    `check` is called every few hundred names. The other properties are complete when `files` has yielded its last file;
    `bucket` is the URI of the bucket that has the objects.
    """

    path: Path
    roots: Sequence[Root] | None
    check: Callable[[], None]
    left_out: int = 0
    bucket: str | None = None
    _folders: set[str] = field(default_factory=set)

    def files(self) -> Iterator[ListedFile]:
        """Yield the files, each few hundred in the order of the list, local ones first.

        Raises InputError for a list that cannot be read, StorageError for an object store that cannot.
        """
        if self.roots is not None and not is_allowed(self.path, self.roots):
            raise InputError(f"list: expected a file in one of the allowed folders, received {self.path}.")
        lines = self._lines()
        with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="list") as threads:
            while block := list(islice(lines, _BLOCK_NAMES)):
                self.check()
                uris = [line for line in block if split_object_uri(line)]
                yield from self._files(line for line in block if not split_object_uri(line))
                yield from threads.map(named_object, [uri for uri in uris if self._admits(uri)])

    @property
    def spark_paths(self) -> tuple[str, ...]:
        """What Spark has to load to find the files: one folder above all of them."""
        return (escape_glob(os.path.commonpath(self._folders)),) if self._folders else ()

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                yield from (line.strip() for line in file if line.strip())
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"list: expected a UTF-8 text file with a path in each line, {self.path}: {error}."
            ) from error

    def _files(self, lines: Iterator[str]) -> Iterator[ListedFile]:
        for line in lines:
            if not is_local(line):
                raise InputError(f"list: expected paths, origins and objects, received {line!r} in {self.path}.")
            path = absolute_path(line)
            if self.roots is not None and not is_allowed(path, self.roots):
                self.left_out += 1
                continue
            file = listed_file(origin_of(path), os.fspath(path))
            if file is not None:
                self._folders.add(os.path.dirname(path))
                yield file

    def _admits(self, uri: str) -> bool:
        """Tell whether an object may be read, and note its bucket; raises InputError for a second one."""
        if self.roots is not None and not is_allowed_uri(uri, self.roots):
            self.left_out += 1
            return False
        bucket, _ = split_object_uri(uri) or ("", "")
        if self.bucket not in (None, bucket):
            raise InputError(f"list: expected objects of one bucket, received {self.bucket} and {bucket}.")
        self.bucket = bucket
        return True
