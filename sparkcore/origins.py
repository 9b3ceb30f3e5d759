"""The word `origin`: the URI under which Spark knows a file, and the way to and from local paths."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from urllib.parse import unquote_to_bytes

_ALWAYS_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!.~'()*,;:$&+=@/")


def origin_of(path: Path | str) -> str:
    """Return the origin of an absolute local path, letter for letter what Spark's `_metadata.file_path` says.

    Hadoop builds it with java.net.URI, which quotes illegal ASCII and Unicode spaces and leaves other letters alone;
    bytes that are no UTF-8 (which Java cannot name at all) are quoted too, so that the origin is always valid text.
    """
    return "file:" + "".join(map(_quoted, os.fspath(path)))


def local_path(origin: str) -> Path | None:
    """Return the local path of an origin, or None where it lies on another file system."""
    if not origin.startswith("file:"):
        return None
    path = origin.removeprefix("file:")
    path = path.removeprefix("//") if path.startswith("///") else path
    return Path(os.fsdecode(unquote_to_bytes(path)))


def file_name(origin: str) -> str:
    """Return the last part of an origin, unquoted, as valid text."""
    return unquote_to_bytes(origin.rstrip("/").rsplit("/", 1)[-1]).decode("utf-8", "replace")


def folder_name(origin: str) -> str:
    """Return the name of the folder that holds the file; of `key=value` folders only the value."""
    parts = origin.rsplit("/", 2)
    name = unquote_to_bytes(parts[-2]).decode("utf-8", "replace") if len(parts) == 3 else ""
    return name.partition("=")[2] or name


def _quoted(letter: str) -> str:
    if letter in _ALWAYS_PLAIN:
        return letter
    if letter.isascii() or unicodedata.category(letter) in ("Zs", "Zl", "Zp", "Cc", "Cs"):
        return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
    return letter
