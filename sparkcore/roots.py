"""Which files a request may mean: patterns, and the allowed roots that they must lie below."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import bracex
from wcmatch import glob

from sparkcore.errors import InputError
from sparkcore.origins import split_object_uri, without_password

MAX_PATTERNS = 1000
_WILDCARDS = re.compile(r"[*?\[]")
_GLOB_FLAGS = glob.GLOBSTAR | glob.NODOTDIR


Root = Path | str  # a local folder, or the URI of a bucket or of a prefix in it


def parse_root(text: str) -> Root:
    """Return the folder, symbolic links resolved, or the URI that a text names."""
    place = split_object_uri(text)
    return f"{place[0]}/{place[1]}".rstrip("/") if place else Path(text).expanduser().resolve()


def is_allowed_uri(uri: str, roots: Sequence[Root]) -> bool:
    """Tell whether all that a prefix, key or pattern on an object store can mean lies below one of the roots.

    A listing takes a key as it is written or unquoted, so both have to.
    """
    place = split_object_uri(uri)
    if place is None:
        return False
    bucket, rest = place
    patterns = [pattern for text in {rest, unquote(rest)} for pattern in (expand_braces(text) or [text])]
    return all(_is_below(bucket, pattern, roots) for pattern in patterns)


def _is_below(bucket: str, pattern: str, roots: Sequence[Root]) -> bool:
    fixed = fixed_folder(pattern)
    if ".." in Path(pattern).parts:
        return False
    places = [split_object_uri(root) for root in roots if isinstance(root, str)]
    return any(place and place[0] == bucket and fixed.is_relative_to(place[1]) for place in places)


def is_allowed(path: Path | str, roots: Sequence[Root]) -> bool:
    """Tell whether a path, with all symbolic links resolved, lies below one of the local roots."""
    try:
        resolved = Path(path).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a zero byte in the name
        return False
    return any(resolved.is_relative_to(root) for root in roots if isinstance(root, Path))


def expand_braces(pattern: str) -> list[str]:
    """Return the patterns that `{a,b}` stands for; raises InputError for more than MAX_PATTERNS."""
    try:
        return list(dict.fromkeys(bracex.expand(pattern, keep_escapes=True, limit=MAX_PATTERNS)))
    except (bracex.ExpansionLimitException, RecursionError):  # too many, or too deep in each other
        raise InputError(
            f"images: expected a pattern whose braces stand for at most {MAX_PATTERNS:,} patterns, "
            f"received {pattern!r}. Use fewer braces."
        ) from None


def fixed_folder(pattern: str) -> Path:
    """Return the part of a pattern before its first wildcard."""
    parts = Path(pattern).parts
    wild = next((number for number, part in enumerate(parts) if _WILDCARDS.search(part)), len(parts))
    return Path(*parts[:wild])


def check_allowed(path: Path, roots: Sequence[Root]) -> None:
    """Raise InputError where a path or pattern can lead out of the roots by its text or its fixed folder."""
    text, exists = os.fspath(path), os.path.exists(path)  # false for a name that is too long, where Path raises
    for pattern in [text] if exists else expand_braces(text):
        if ".." in Path(pattern).parts or not is_allowed(pattern if exists else fixed_folder(pattern), roots):
            raise InputError(
                f"images: expected a folder below {' or '.join(map(str, roots))}, received {text!r}. "
                "Choose one of these."
            )


def check_allowed_uri(uri: str, roots: Sequence[Root]) -> None:
    """Raise InputError where an address on an object store can mean something outside of the roots."""
    if not is_allowed_uri(uri, roots):
        raise InputError(
            f"images: expected a place below {' or '.join(map(str, roots))}, received the address "
            f"{without_password(uri)!r}. Choose one of these."
        )


def glob_paths(path: Path, *, follow_links: bool) -> Iterator[Path]:
    """Yield what a pattern matches: braces, `*`, `?`, `[...]` and `**`; raises InputError for too many braces.

    `follow_links` says whether `**` descends into links to folders. Names that begin with a dot match only a pattern
    that begins with one.
    """
    flags = _GLOB_FLAGS | (glob.FOLLOW if follow_links else 0)
    for pattern in expand_braces(os.fspath(path)):
        yield from map(Path, glob.iglob(pattern, flags=flags))
