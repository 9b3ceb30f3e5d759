"""Look into folders below the allowed roots: their subfolders, numbers of pictures and first pictures.

A folder may have millions of files: looking at a local one ends after 1.5 s, and says what it has seen by then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from sparkcore.background import in_background
from sparkcore.errors import InputError, StorageError
from sparkcore.origins import (
    has_image_suffix,
    is_hidden_file,
    is_hidden_folder,
    object_origin,
    origin_of,
    split_object_uri,
)
from sparkcore.roots import Root, is_allowed, is_allowed_uri
from sparkcore.storage.interface import Storage
from sparkcore.storage.opening import open_storage

FOLDERS_SHOWN = 60
FIRST_PICTURES = 6
_LOOKING_S = 1.5
_MOST_ENTRIES = 20_000  # of one folder
_MOST_COUNTED = 10_000  # pictures of one folder
_OBJECTS = 2_000  # two requests
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Count:
    """A number of pictures; there may be more where not all were counted."""

    pictures: int
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in another one: its place, a path or URI, its name, and what is in it and below."""

    place: str
    name: str
    count: Count


@dataclass(frozen=True, slots=True)
class Content:
    """Hold what a folder has: folders by name, the pictures directly in it, and the origins of the first pictures.

    `parent` is the folder above, None where that is outside of the roots. `is_all` tells whether these are all folders.
    """

    place: str
    parent: str | None
    folders: tuple[Folder, ...]
    own: Count
    first: tuple[str, ...]
    is_all: bool = True


def look_into(place: str, roots: Sequence[Root]) -> Content:
    """Return what a folder or a prefix of an object store has; links that lead out of the roots are left out.

    Raises InputError for a place that is no folder below the roots, StorageError where it cannot be listed.
    """
    if split_object_uri(place) is not None:
        if not is_allowed_uri(place, roots):
            raise InputError(f"images: expected a place below the allowed ones, received {place!r}.")
        return _look_into_prefix(place.rstrip("/"), roots)
    path = Path(place)
    if not is_allowed(path, roots) or not path.is_dir():
        raise InputError(f"images: expected a folder below the allowed ones, received {place!r}.")
    return _look_into_folder(path, roots)


def _look_into_folder(path: Path, roots: Sequence[Root]) -> Content:
    until = time.monotonic() + _LOOKING_S
    names, own, is_all = [], [], True
    for number, entry in enumerate(_entries(os.fspath(path))):
        if number == _MOST_ENTRIES or time.monotonic() > until:
            is_all = False
            break
        if _is_folder(entry):
            if not is_hidden_folder(entry.name) and (not entry.is_symlink() or is_allowed(entry.path, roots)):
                names.append(entry.name)
        elif _is_picture(entry.name) and (not entry.is_symlink() or is_allowed(entry.path, roots)):
            own.append(entry.name)
    names.sort(key=str.casefold)
    first = [os.fspath(path / name) for name in sorted(own)[:FIRST_PICTURES]]
    folders = []
    for name in names[:FOLDERS_SHOWN]:
        count, found = _count(os.fspath(path / name), until)
        folders.append(Folder(os.fspath(path / name), name, count))
        first += found[: FIRST_PICTURES - len(first)]
    parent = os.fspath(path.parent) if is_allowed(path.parent, roots) and path.parent != path else None
    count = Count(len(own), is_all)
    return Content(
        os.fspath(path),
        parent,
        tuple(folders),
        count,
        tuple(map(origin_of, first)),
        is_all and len(names) <= FOLDERS_SHOWN,
    )


def _count(folder: str, until: float) -> tuple[Count, list[str]]:
    """Count the pictures in a folder and below, and return the paths of some of them; no link is followed."""
    pending, count = [folder], 0
    found: list[str] = []
    while pending:
        for entry in _entries(pending.pop()):
            if count >= _MOST_COUNTED or time.monotonic() > until:
                return Count(count, is_all=False), found
            if entry.is_dir(follow_symlinks=False):
                if not is_hidden_folder(entry.name):
                    pending.append(entry.path)
            elif _is_picture(entry.name) and not entry.is_symlink():
                count += 1
                if len(found) < FIRST_PICTURES:
                    found.append(entry.path)
    return Count(count), found


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return  # a folder that may not be entered, or has gone, has no files for us


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def _is_picture(name: str) -> bool:
    return has_image_suffix(name) and not is_hidden_file(name)


def _look_into_prefix(place: str, roots: Sequence[Root]) -> Content:
    bucket, prefix = split_object_uri(place) or ("", "")
    storage = open_storage(bucket)
    storage.check()
    start = f"{prefix}/" if prefix else ""
    keys = [entry.name for entry in islice(storage.list(prefix), _OBJECTS + 1)]
    is_all = len(keys) <= _OBJECTS
    below = [key.removeprefix(start) for key in keys]
    own = [key for key in below if "/" not in key and _is_picture(key)]
    names = {key.partition("/")[0] for key in below if "/" in key}
    seen = [] if is_all else _folders_in_time(storage, prefix)
    names |= {name.removeprefix(start) for name in seen or ()}
    shown = sorted((name for name in names if not is_hidden_folder(name)), key=str.casefold)[:FOLDERS_SHOWN]
    if is_all:
        counts = [Count(sum(key.startswith(f"{name}/") and _is_shown(key) for key in below)) for name in shown]
    else:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            counts = list(threads.map(lambda name: _count_objects(storage, start + name), shown))
    parent = place.rpartition("/")[0] if prefix and is_allowed_uri(place.rpartition("/")[0], roots) else None
    return Content(
        place,
        parent,
        tuple(Folder(f"{place}/{name}", name, count) for name, count in zip(shown, counts, strict=True)),
        Count(len(own), is_all),
        tuple(object_origin(bucket, start + key) for key in [k for k in below if _is_shown(k)][:FIRST_PICTURES]),
        len(names) <= FOLDERS_SHOWN and seen is not None,
    )


def _is_shown(key: str) -> bool:
    *folders, name = key.split("/")
    return _is_picture(name) and not any(map(is_hidden_folder, folders))


def _folders_in_time(storage: Storage, prefix: str) -> list[str] | None:
    """Return the folders of a large prefix; None where that takes long: many objects are directly in it."""
    looking = in_background(lambda _: storage.list_folder(prefix)[0], "look-into")
    try:
        return looking.result(timeout=_LOOKING_S)
    except (StorageError, TimeoutError):
        return None


def _count_objects(storage: Storage, prefix: str) -> Count:
    names = [entry.name for entry in islice(storage.list(prefix), _OBJECTS // 2 + 1)]
    pictures = sum(_is_picture(PurePosixPath(name).name) for name in names)
    return Count(pictures, is_all=len(names) <= _OBJECTS // 2)
