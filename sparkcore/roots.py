"""Which local files a request may mean: patterns, and the allowed roots that real paths must lie below."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import bracex
from wcmatch import glob

from sparkcore.errors import InputError

MAX_PATTERNS = 1000
_WILDCARDS = re.compile(r"[*?\[]")
_GLOB_FLAGS = glob.GLOBSTAR | glob.NODOTDIR


def is_allowed(path: Path | str, roots: Sequence[Path]) -> bool:
    """Tell whether a path, with all symbolic links resolved, lies below one of the roots."""
    try:
        resolved = Path(path).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a zero byte in the name
        return False
    return any(resolved.is_relative_to(root) for root in roots)


def expand_braces(pattern: str) -> list[str]:
    """Return the patterns that `{a,b}` stands for; raises InputError for more than MAX_PATTERNS."""
    try:
        return list(dict.fromkeys(bracex.expand(pattern, keep_escapes=True, limit=MAX_PATTERNS)))
    except bracex.ExpansionLimitException:
        raise InputError(
            f"images: expected a pattern whose braces stand for at most {MAX_PATTERNS:,} patterns, "
            f"received {pattern!r}. Use fewer braces."
        ) from None


def fixed_folder(pattern: str) -> Path:
    """Return the part of a pattern before its first wildcard."""
    parts = Path(pattern).parts
    wild = next((number for number, part in enumerate(parts) if _WILDCARDS.search(part)), len(parts))
    return Path(*parts[:wild])


def check_allowed(path: Path, roots: Sequence[Path]) -> None:
    """Raise InputError where a path or pattern can lead out of the roots by its text or its fixed folder."""
    text, exists = os.fspath(path), path.exists()
    for pattern in [text] if exists else expand_braces(text):
        if ".." in Path(pattern).parts or not is_allowed(pattern if exists else fixed_folder(pattern), roots):
            raise InputError(
                f"images: expected a folder below {' or '.join(map(str, roots))}, received {text!r}. "
                "Choose one of these."
            )


def glob_paths(path: Path, *, follow_links: bool) -> Iterator[Path]:
    """Yield what a pattern matches: braces, `*`, `?`, `[...]` and `**`; raises InputError for too many braces.

    `follow_links` says whether `**` descends into links to folders. Names that begin with a dot match only a pattern
    that begins with one.
    """
    flags = _GLOB_FLAGS | (glob.FOLLOW if follow_links else 0)
    for pattern in expand_braces(os.fspath(path)):
        yield from map(Path, glob.iglob(pattern, flags=flags))
