"""Origins: the URIs under which Spark knows files, and what they say of local paths, folders and true labels."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote_to_bytes

# Illegal ASCII characters, Unicode's control characters and spaces, and bytes that are not UTF-8 as Python keeps them.
_QUOTED = re.compile(
    r"[^A-Za-z0-9_\-!.~'()*,;:$&+=@/\xA1-\u167F\u1681-\u1FFF\u200B-\u2027\u202A-\u202E\u2030-\u205E"
    r"\u2060-\u2FFF\u3001-\uD7FF\uE000-\U0010FFFF]"
)
_GLOB_CHARACTERS = re.compile(r"[\[\]{}*?\\]")
_OBJECT_STORES = {"s3": "s3", "s3a": "s3", "gs": "gs", "az": "az"}
# Up to the last "@" before the path; or a password with an unquoted slash, where no port can be meant.
_PASSWORD = re.compile(r"(://[^\s/:@]*):(?:[^/\n]*|(?!\d*(?:[/\s]|$))[^\s@]*)@")
_IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2", ".ppm", ".pgm"]
)


def origin_of(path: Path | str) -> str:
    """Return the origin of an absolute local path, exactly as in Spark's `_metadata.file_path`.

    Hadoop builds it with java.net.URI, which quotes illegal ASCII characters and Unicode spaces and no other
    character. Bytes that are not UTF-8 (Java has no name for them) are quoted too, so that an origin is valid text.
    """
    return "file:" + quoted(os.fspath(path))


def quoted(text: str) -> str:
    """Return a path, or a part of one, as it stands in an origin."""
    return _QUOTED.sub(_quotation, text)


def local_path(origin: str) -> Path | None:
    """Return the local path of an origin, or None if it is on another file system."""
    if not origin.startswith("file:"):
        return None
    path = origin.removeprefix("file:")
    path = path.removeprefix("//") if path.startswith("///") else path
    return Path(os.fsdecode(unquote_to_bytes(path)))


def file_name(origin: str) -> str:
    """Return the last segment of an origin, unquoted, as valid text."""
    return unquote_to_bytes(origin.rstrip("/").rsplit("/", 1)[-1]).decode("utf-8", "replace")


def folder_name(origin: str) -> str:
    """Return the name of the folder that contains the file; for a `key=value` folder only the value."""
    parts = origin.rsplit("/", 2)
    name = unquote_to_bytes(parts[-2]).decode("utf-8", "replace") if len(parts) == 3 else ""
    return name.partition("=")[2] or name


def truth_of(origin: str, truth: str) -> str | None:
    """Return the true label that the `folder` or the `filename` names, or None.

    In a file name a leading ImageNet class id counts, else the name without suffix and running number.
    """
    if truth == "folder":
        return folder_name(origin) or None
    if truth == "filename":
        stem = PurePosixPath(file_name(origin)).stem
        class_id = re.match(r"n\d{8}(?!\d)", stem)
        return class_id[0] if class_id else re.sub(r"[\s_.\-]*[(\[]?\d+[)\]]?$", "", stem) or None
    return None


def list_file(images: str) -> Path | None:
    """Return the path of a list of files, written `@PATH`; None for folders, patterns and URIs."""
    return absolute_path(images[1:]) if images.startswith("@") else None


def is_local(images: str) -> bool:
    """Tell whether a path or URI is on this machine's file system."""
    # The slash tells a URI from a local name with a colon, such as "run1:a".
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/", images)
    return scheme is None or scheme[1] == "file"


def split_object_uri(uri: str) -> tuple[str, str] | None:
    """Return the bucket's URI and the rest, as it is written, of a URI on an object store; else None.

    `s3a://` is Hadoop's name for `s3://`.
    """
    found = re.fullmatch(r"([A-Za-z0-9]+)://([^/]*)/*(.*)", uri, re.DOTALL)
    scheme = _OBJECT_STORES.get(found[1].lower()) if found else None
    return (f"{scheme}://{found[2]}", found[3]) if found and scheme else None


def object_origin(bucket_uri: str, key: str) -> str:
    """Return the origin of an object."""
    return f"{bucket_uri}/{quoted(key)}"


def object_key(origin: str, bucket_uri: str) -> str | None:
    """Return the key of an origin in a bucket, or None if it is elsewhere."""
    start = f"{bucket_uri}/"
    return unquote_to_bytes(origin.removeprefix(start)).decode() if origin.startswith(start) else None


def without_password(text: str) -> str:
    """Return a URI, or a text that has URIs in it, without the passwords of `scheme://user:password@host`."""
    return _PASSWORD.sub(r"\1@", text)


def has_password(uri: str) -> bool:
    """Tell whether a URI contains a password."""
    return _PASSWORD.search(uri) is not None


def is_hidden_folder(name: str) -> bool:
    """Tell whether a listing skips a folder: dot folders and those of Spark, such as `_temporary`."""
    return name.startswith((".", "_"))


def is_hidden_file(name: str) -> bool:
    """Tell whether a listing skips a file: "_DSC0001.jpg" comes from a camera, "_SUCCESS" is a marker of Spark."""
    return name.startswith(".") or (name.startswith("_") and not has_image_suffix(name))


def has_image_suffix(name: str) -> bool:
    """Tell whether a file name ends as those of images do."""
    return PurePosixPath(name).suffix.lower() in _IMAGE_SUFFIXES


def absolute_path(images: str) -> Path:
    """Return the absolute local path of a path or `file:` URI; the origin of a file leads back to that file."""
    if images.startswith("file:"):
        unquoted = local_path(images)
        if unquoted is not None and unquoted.exists():
            return unquoted
        images = re.sub("^file:(//)?", "", images)
    return Path(os.path.abspath(os.path.expanduser(images)))


def escape_glob(path: str) -> str:
    """Return a path so that Hadoop takes it literally."""
    return _GLOB_CHARACTERS.sub(r"\\\g<0>", path)


def spark_path(images: str) -> str:
    """Return what Spark has to load for a path, pattern or URI; an existing local path is taken literally."""
    if not is_local(images):
        return images
    path = absolute_path(images)
    return escape_glob(str(path)) if path.exists() else str(path)


def _quotation(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))
