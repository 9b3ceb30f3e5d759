"""List the images of a request on the local disk: folders, single files and patterns."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

from sparkcore.engine.spill import ListedFile
from sparkcore.errors import InputError
from sparkcore.origins import (
    absolute_path,
    escape_glob,
    has_image_suffix,
    is_hidden_file,
    is_hidden_folder,
    origin_of,
    quoted,
)
from sparkcore.roots import Root, check_allowed, expand_braces, fixed_folder, glob_paths, is_allowed

_MAX_SPARK_PATHS = 64  # Spark plans thousands of explicit paths far slower than one folder
_CHECKED_NAMES = 256


@dataclass(slots=True)
class LocalListing:
    """List local files below the allowed roots, None for anywhere, and note what is left out on the way.

    `check` is called every few hundred names, and ends the listing by raising. The other properties are complete when
    `files` has yielded its last file.
    """

    images: str
    roots: tuple[Root, ...] | None
    check: Callable[[], None]
    _refused: set[str] = field(default_factory=set)
    _hidden: dict[str, int] = field(default_factory=dict)  # by real folder: two paths may lead to it
    _allowed: dict[str, bool] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)

    def files(self) -> Iterator[ListedFile]:
        """Yield the files that `images` means, in no particular order; overlapping patterns repeat some.

        Raises InputError where there is no such path, or where it may lead out of the roots.
        """
        path = absolute_path(self.images)
        if self.roots is not None:
            check_allowed(path, self.roots)
        if path.exists():
            yield from self._below(os.fspath(path))
            return
        matches = glob_paths(path, follow_links=self.roots is None)
        first = next(matches, None)
        if first is None:
            raise InputError(
                f"Expected a folder, a file or a pattern that matches something, received {self.images!r}, and there "
                "is no such path. Check the spelling; relative paths start in the current folder."
            )
        for number, match in enumerate(map(os.fspath, chain([first], matches))):
            if number % _CHECKED_NAMES == 0:
                self.check()
            if self._admits(match):
                yield from self._below(match)

    @property
    def links_left_out(self) -> int:
        """The number of links that lead out of the allowed roots."""
        return len(self._refused)

    @property
    def hidden_left_out(self) -> int:
        """The number of images in the listed folders whose names begin with a dot."""
        return sum(self._hidden.values())

    @property
    def spark_paths(self) -> tuple[str, ...]:
        """What Spark has to load to find the files."""
        path = absolute_path(self.images)
        if path.exists():
            return (escape_glob(os.fspath(path)),)
        folders = self._folders
        if len(folders) > _MAX_SPARK_PATHS:
            folders = {os.fspath(fixed_folder(one)) for one in expand_braces(os.fspath(path))}
        return tuple(map(escape_glob, sorted(folders)))

    def _below(self, path: str) -> Iterator[ListedFile]:
        """Yield a file, or the files below a folder; each folder is visited once, by its real path if possible."""
        if not os.path.isdir(path):
            file = listed_file(origin_of(path), path)
            if file is not None:
                self._note(os.path.dirname(path))
                yield file
            return
        walked: set[str] = set()
        links = [path]
        while links:
            found: list[str] = []
            for link in sorted(links):
                real = os.path.realpath(link)
                if not _is_walked(real, walked):
                    walked.add(real)
                    yield from self._tree(link, real, walked, found)
            links = found

    def _tree(self, path: str, real: str, walked: set[str], links: list[str]) -> Iterator[ListedFile]:
        """Yield the files below a folder, and put the links to folders into `links`."""
        pending = [(path, real)]
        while pending:
            folder, real = pending.pop()
            folders: list[str] = []
            yield from self._folder(folder, real, folders, links)
            below = ((os.path.join(folder, name), os.path.join(real, name)) for name in folders)
            pending.extend(pair for pair in below if pair[1] not in walked)

    def _folder(self, folder: str, real: str, folders: list[str], links: list[str]) -> Iterator[ListedFile]:
        """Yield the files in a folder, without hidden names, and collect the folders and links in it."""
        start, hidden, any_file = origin_of(folder).rstrip("/") + "/", 0, False
        for entry in self._entries(folder):
            name = entry.name
            if _is_folder(entry):
                if not is_hidden_folder(name) and not entry.is_symlink():
                    folders.append(name)
                elif not is_hidden_folder(name) and self._admits(entry.path):
                    links.append(entry.path)
            elif name[0] in "._" and is_hidden_file(name):
                hidden += name[0] == "." and has_image_suffix(name)
            elif not entry.is_symlink() or self._admits(entry.path):
                file = listed_file(start + quoted(name), entry)
                if file is not None:
                    any_file = True
                    yield file
        if hidden:
            self._hidden[real] = hidden
        if any_file:
            self._note(folder)

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        self.check()
        try:
            with closing(os.scandir(folder)) as entries:
                for number, entry in enumerate(entries, 1):
                    if number % _CHECKED_NAMES == 0:
                        self.check()
                    yield entry
        except OSError:
            return  # a folder that may not be entered, or has gone, has no files for us

    def _note(self, folder: str) -> None:
        if len(self._folders) <= _MAX_SPARK_PATHS:
            self._folders.add(folder)

    def _admits(self, path: str) -> bool:
        """Tell whether a path leads to a place below the roots; the answer for its folder is remembered."""
        if self.roots is None:
            return True
        # Only a link leaves the folder that contains it.
        place = path if os.path.islink(path) else os.path.dirname(path)
        if place not in self._allowed:
            self._allowed[place] = is_allowed(place, self.roots)
        if not self._allowed[place]:
            folder, name = os.path.split(place)
            self._refused.add(os.path.join(os.path.realpath(folder), name))  # one link, whatever path leads to it
        return self._allowed[place]


def _is_walked(real: str, walked: set[str]) -> bool:
    """Tell whether a real folder is, or is visited below, one of those that were walked."""
    while real not in walked:
        parent, name = os.path.split(real)
        if parent == real or is_hidden_folder(name):
            return False
        real = parent
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def listed_file(origin: str, path: str | os.DirEntry[str]) -> ListedFile | None:
    """Return a file, or None for pipes and devices."""
    try:
        found = os.stat(path) if isinstance(path, str) else path.stat()
    except OSError:
        return ListedFile(origin, 0, 0, "0")  # a dangling link: reading it finds the reason
    if not stat.S_ISREG(found.st_mode):
        return None
    return ListedFile(origin, found.st_size, found.st_mtime_ns // 1_000_000, str(found.st_mtime_ns))
