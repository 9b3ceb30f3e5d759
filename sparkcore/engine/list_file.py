"""List the images of a request that a text file names: one path or origin in each line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sparkcore.engine.local_listing import listed_file
from sparkcore.engine.spill import ListedFile
from sparkcore.errors import InputError
from sparkcore.origins import absolute_path, escape_glob, is_local, local_path, origin_of
from sparkcore.roots import Root, is_allowed

_CHECKED_NAMES = 256


@dataclass(slots=True)
class ListFile:
    """Read a list of local files; of those below no root (None: anywhere) only the number is kept.

    `check` is called every few hundred names. The other properties are complete when `files` has yielded its last file.
    """

    path: Path
    roots: Sequence[Root] | None
    check: Callable[[], None]
    left_out: int = 0
    _folders: set[str] = field(default_factory=set)

    def files(self) -> Iterator[ListedFile]:
        """Yield the files, in the order of the list; raises InputError for a list that cannot be read."""
        for number, line in enumerate(self._lines()):
            if number % _CHECKED_NAMES == 0:
                self.check()
            path = _path_of(line, self.path)
            if self.roots is not None and not is_allowed(path, self.roots):
                self.left_out += 1
                continue
            file = listed_file(origin_of(path), os.fspath(path))
            if file is not None:
                self._folders.add(os.path.dirname(path))
                yield file

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


def _path_of(line: str, source: Path) -> Path:
    if line.startswith("file:"):
        path = local_path(line)
        assert path is not None  # by its scheme
        return path
    if not is_local(line):
        raise InputError(f"list: expected paths and origins on this machine, received {line!r} in {source}.")
    return absolute_path(line)
