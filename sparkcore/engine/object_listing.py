"""List the images of a request on an object store, without Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from urllib.parse import unquote

from wcmatch import glob

from sparkcore.background import in_background, result_of
from sparkcore.engine.prefix_listing import list_prefix
from sparkcore.engine.spill import ListedFile
from sparkcore.errors import InputError, StorageError
from sparkcore.origins import is_hidden_file, is_hidden_folder, object_origin, split_object_uri
from sparkcore.roots import expand_braces, fixed_folder
from sparkcore.storage.interface import Entry, Storage
from sparkcore.storage.opening import open_storage

_CHECKED_NAMES = 256


def list_objects(uri: str, check: Callable[[], None] = lambda: None) -> Iterator[ListedFile]:
    """Yield the images below a URI, which may be a prefix, a key or a pattern; overlapping patterns repeat some.

    `check` is called every few hundred names, and ends the listing by raising. Hidden names are left out as in a local
    folder, and so are the empty objects that stand for folders. Raises StorageError within ten seconds where the bucket
    cannot be listed, InputError for too many braces.
    """
    place = split_object_uri(uri)
    if place is None:
        raise InputError(f"images: expected the URI of an object store, received {uri!r}.")
    bucket, rest = place
    storage = open_storage(bucket)
    result_of(in_background(lambda _: _folder_of(bucket, rest).check(), "store"), check)
    for entry in _without_folders(_Objects(storage, check).meant_by(rest.rstrip("/"))):
        yield _listed(bucket, entry)


def named_object(uri: str) -> ListedFile:
    """Return the object that a URI names, quoted as in an origin or not; raises StorageError."""
    bucket, rest = split_object_uri(uri) or ("", "")
    storage = open_storage(bucket)
    for key in dict.fromkeys((unquote(rest), rest)):
        with suppress(FileNotFoundError, ValueError):
            return _listed(bucket, storage.stat(key))
    # The size of an object that is gone is not known: reading it finds the reason.
    return ListedFile(f"{bucket}/{rest}", 1, 0, "0")


def _listed(bucket: str, entry: Entry) -> ListedFile:
    return ListedFile(
        object_origin(bucket, entry.name), entry.size_bytes, entry.modified_ns // 1_000_000, entry.version
    )


def _folder_of(bucket: str, rest: str) -> Storage:
    """Return the folder of a prefix or pattern: who may read it need not be allowed to list the whole bucket."""
    folder = fixed_folder(expand_braces(rest)[0]).as_posix() if rest else "."
    with suppress(StorageError, ValueError):  # a key that is no name of ours
        return open_storage(bucket if folder == "." else f"{bucket}/{folder}")
    return open_storage(bucket)


@dataclass(frozen=True, slots=True)
class _Objects:
    """Find objects in a bucket."""

    storage: Storage
    check: Callable[[], None]

    def meant_by(self, rest: str) -> Iterator[Entry]:
        """Yield what a prefix, a key or else a pattern means; a prefix or key may be quoted, as origins are."""
        for key in dict.fromkeys((rest, unquote(rest))):
            found = self._below(key)
            first = next(found, None)
            if first is not None:
                yield from chain([first], found)
                return
        for pattern in expand_braces(rest):
            yield from self._matches(pattern)

    def _below(self, key: str) -> Iterator[Entry]:
        """Yield the objects below a prefix, without hidden names, or else the object of that very name."""
        is_prefix = False
        for entry in self._listed(key):
            is_prefix = True
            if not _is_hidden(entry.name[len(key) :]):
                yield entry
        if key and not is_prefix:
            with suppress(FileNotFoundError):
                yield self.storage.stat(key)

    def _matches(self, pattern: str) -> Iterator[Entry]:
        """Yield what a pattern without braces matches: objects, and those below a prefix that it matches."""
        folder = fixed_folder(pattern).as_posix()
        if folder == pattern:
            yield from self._below(pattern)
            return
        matcher = glob.compile(pattern, flags=glob.GLOBSTAR | glob.NODOTDIR)
        for entry in self._listed("" if folder == "." else folder):
            ends = [*_slashes(entry.name), len(entry.name)]
            if any(matcher.match(entry.name[:end]) and not _is_hidden(entry.name[end:]) for end in ends):
                yield entry

    def _listed(self, prefix: str) -> Iterator[Entry]:
        for number, entry in enumerate(list_prefix(self.storage, prefix, self.check)):
            if number % _CHECKED_NAMES == 0:
                self.check()
            yield entry


def _is_hidden(below: str) -> bool:
    """Tell whether a listing skips a key, by its part below the folder that is listed."""
    *folders, name = below.strip("/").split("/")
    return is_hidden_file(name) or any(map(is_hidden_folder, folders))


def _without_folders(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Leave out the empty objects by which consoles make folders: `a/`, listed as `a`; empty objects come last.

    Stores list a folder before what is in it.
    """
    empty: dict[str, Entry] = {}
    for entry in entries:
        for end in _slashes(entry.name) if empty else ():
            empty.pop(entry.name[:end], None)
        if entry.size_bytes:
            yield entry
        else:
            empty[entry.name] = entry
    yield from empty.values()


def _slashes(name: str) -> Iterator[int]:
    end = name.find("/")
    while end >= 0:
        yield end
        end = name.find("/", end + 1)
