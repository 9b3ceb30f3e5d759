"""List the images of a request on an object store, without Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from urllib.parse import unquote

from wcmatch import glob

from sparkcore.errors import InputError
from sparkcore.origins import is_hidden_file, is_hidden_folder, object_origin, split_object_uri
from sparkcore.roots import expand_braces, fixed_folder
from sparkcore.storage.interface import Entry, Storage
from sparkcore.storage.opening import open_storage


def list_objects(uri: str) -> Iterator[tuple[str, int, int]]:
    """Yield (origin, size in bytes, mtime in ms) of the images below a URI, which may be a prefix, a key or a pattern.

    Hidden names are left out as in a local folder, and so are the empty objects that stand for folders. Raises
    StorageError within ten seconds where the bucket cannot be listed, InputError for too many braces.
    """
    place = split_object_uri(uri)
    if place is None:
        raise InputError(f"images: expected the URI of an object store, received {uri!r}.")
    bucket, rest = place
    storage = open_storage(bucket)
    storage.check()
    found = _without_folders(list(_entries(storage, rest.rstrip("/"))))
    yield from (
        (object_origin(bucket, entry.name), entry.size_bytes, entry.modified_ns // 1_000_000) for entry in found
    )


def _entries(storage: Storage, rest: str) -> Iterator[Entry]:
    """Yield what a prefix, a key or else a pattern means; a prefix or key may be quoted, as origins are."""
    for key in dict.fromkeys((rest, unquote(rest))):
        found = _below(storage, key)
        first = next(found, None)
        if first is not None:
            yield from chain([first], found)
            return
    seen: set[str] = set()
    for pattern in expand_braces(rest):
        fresh = (entry for entry in _matches(storage, pattern) if entry.name not in seen)
        for entry in fresh:
            seen.add(entry.name)
            yield entry


def _below(storage: Storage, key: str) -> Iterator[Entry]:
    """Yield the objects below a prefix, without hidden names, or else the object of that very name."""
    is_prefix = False
    for entry in storage.list(key):
        is_prefix = True
        if not _is_hidden(entry.name[len(key) :]):
            yield entry
    if key and not is_prefix:
        with suppress(FileNotFoundError):
            yield storage.stat(key)


def _matches(storage: Storage, pattern: str) -> Iterator[Entry]:
    """Yield what a pattern without braces matches: objects, and those below a prefix that it matches."""
    folder = fixed_folder(pattern).as_posix()
    if folder == pattern:
        yield from _below(storage, pattern)
        return
    matcher = glob.compile(pattern, flags=glob.GLOBSTAR | glob.NODOTDIR)
    for entry in storage.list("" if folder == "." else folder):
        ends = [*_slashes(entry.name), len(entry.name)]
        if any(matcher.match(entry.name[:end]) and not _is_hidden(entry.name[end:]) for end in ends):
            yield entry


def _is_hidden(below: str) -> bool:
    """Tell whether a listing skips a key, by its part below the folder that is listed."""
    *folders, name = below.strip("/").split("/")
    return is_hidden_file(name) or any(map(is_hidden_folder, folders))


def _without_folders(entries: list[Entry]) -> Iterator[Entry]:
    """Leave out the empty objects by which consoles make folders: `a/`, listed as `a`."""
    folders = {name[:end] for name in (entry.name for entry in entries) for end in _slashes(name)}
    yield from (entry for entry in entries if entry.size_bytes or entry.name not in folders)


def _slashes(name: str) -> Iterator[int]:
    end = name.find("/")
    while end >= 0:
        yield end
        end = name.find("/", end + 1)
