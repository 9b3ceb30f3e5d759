"""Check what users name: folders, pictures and model files below the allowed roots."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from sparkcore.config import KERAS_SUFFIXES, MODEL_SUFFIXES, RunConfig
from sparkcore.errors import ImageError, InputError, ModelError, StorageError
from sparkcore.origins import absolute_path, list_file, local_path, object_key, split_object_uri
from sparkcore.roots import (
    Root,
    check_allowed,
    check_allowed_uri,
    expand_braces,
    fixed_folder,
    is_allowed,
    is_allowed_uri,
    parse_root,
)
from sparkcore.storage.interface import Storage
from sparkcore.storage.opening import open_storage

ROOTS_VARIABLE = "SPARKCORE_ROOTS"
_OWN_ROOTS = ("uploads", "samples", "lists")  # in the state folder
LABEL_SUFFIXES = (".json", ".txt", ".csv")
WEIGHTS_SUFFIXES = (*KERAS_SUFFIXES, ".pth")
_NAMED_WEIGHTS = re.compile(r"imagenet|random(:.*)?")  # all others are files
_SEPARATOR = re.compile(rf"{re.escape(os.pathsep)}(?!//)")  # not the colon of an address


def allowed_roots(state: Path) -> tuple[Root, ...]:
    """Return the places below which files may be read: folders, symbolic links resolved, and URIs of object stores.

    They are those of SPARKCORE_ROOTS, separated as in PATH, or the current folder, and always the uploads, samples and
    lists in the state folder of the store.
    """
    own = (parse_root(f"{state}/{name}") for name in _OWN_ROOTS)
    return tuple(dict.fromkeys([*given_roots(), *own]))


def given_roots() -> tuple[Root, ...]:
    """Return the allowed roots without those in the state folder."""
    parts = _SEPARATOR.split(os.environ.get(ROOTS_VARIABLE, ""))
    given = [part.strip() for part in parts if part.strip()] or [os.fspath(Path.cwd())]
    return tuple(dict.fromkeys(map(parse_root, given)))


def choose_images(text: str, roots: Sequence[Root]) -> str:
    """Return the absolute path or the URI of a folder, file, pattern or list of images below the roots.

    Raises InputError for any other.
    """
    text = text.strip()
    if not text or "\0" in text:
        raise InputError("images: expected the path of a folder on the server, received nothing. Enter one.")
    if split_object_uri(text) is not None:
        check_allowed_uri(text, roots)
        return text
    listed = list_file(text)
    if listed is not None:
        if not is_allowed(listed, roots) or not listed.is_file():
            raise InputError(f"images: expected a list of files below the allowed folders, received {text!r}.")
        return f"@{listed}"
    if "://" in text or text.startswith("file:"):
        raise InputError(f"images: expected a path on the server, received the address {text!r}. Use the shell for it.")
    path = absolute_path(text)
    check_allowed(path, roots)
    if os.path.exists(path):
        return os.fspath(path.resolve())
    if not any(os.path.exists(fixed_folder(pattern)) for pattern in expand_braces(os.fspath(path))):
        raise InputError(f"images: expected a folder with pictures, but {text!r} does not exist. Check the spelling.")
    return os.fspath(path)


def count_objects(uri: str, most: int) -> int:
    """Return how many objects an address names, at most `most`; those below the fixed part of a pattern.

    Raises StorageError where the bucket cannot be listed.
    """
    bucket, rest = split_object_uri(uri) or ("", "")
    storage = open_storage(bucket)
    storage.check()
    folder = fixed_folder(expand_braces(rest)[0]).as_posix() if rest else ""
    count = sum(1 for _ in islice(storage.list("" if folder == "." else folder), most))
    return count or int(_is_object(storage, rest))


def choose_file(text: str, roots: Sequence[Root], suffixes: Sequence[str] = MODEL_SUFFIXES) -> str:
    """Return the absolute path of a model, weights or label file below the roots; raises ModelError."""
    path = absolute_path(text.strip())
    if not is_allowed(path, roots):
        raise ModelError(f"File: expected one below {_listed(roots)}, received {text!r}. Copy it to one of these.")
    if not os.path.isfile(path) or path.suffix.lower() not in suffixes:
        raise ModelError(
            f"File: expected a file that ends with {' or '.join(suffixes)}, received {text!r}. Check the spelling."
        )
    return os.fspath(path.resolve())


def within_roots(config: RunConfig, roots: Sequence[Root]) -> RunConfig:
    """Return a request of somebody else with absolute paths, once its files are found to lie below the roots.

    Raises InputError or ModelError where one does not.
    """
    model, weights, labels = config.model, config.weights, config.labels
    if model.endswith(MODEL_SUFFIXES):
        model = choose_file(model, roots)
    if weights and not _NAMED_WEIGHTS.fullmatch(weights):
        weights = choose_file(weights, roots, WEIGHTS_SUFFIXES)
    if labels:
        labels = choose_file(labels, roots, LABEL_SUFFIXES)
    return replace(config, images=choose_images(config.images, roots), model=model, weights=weights, labels=labels)


def open_allowed(origin: str, roots: Sequence[Root]) -> bytes:
    """Return the bytes of an original below the roots; raises ImageError where it is elsewhere or gone."""
    path, is_object = local_path(origin), split_object_uri(origin) is not None
    if (path is not None and not is_allowed(path, roots)) or (is_object and not is_allowed_uri(origin, roots)):
        raise ImageError(
            "unreadable", f"The original lies outside of the places that this server may read ({ROOTS_VARIABLE})."
        )
    return open_image(origin)


def open_image(origin: str) -> bytes:
    """Return the bytes of an original, a local file or an object of a store.

    Raises ImageError where it is gone, cannot be read, or is on another file system.
    """
    place = split_object_uri(origin)
    if place is not None:
        return _open_object(origin, place[0])
    path = local_path(origin)
    if path is None:
        raise ImageError("unreadable", f"Only files and objects can be opened here, and this one is {origin}.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError("vanished", "The file no longer exists.") from None
    except OSError as error:
        raise ImageError("unreadable", f"The file cannot be opened: {error.strerror or error}.") from None


def _is_object(storage: Storage, name: str) -> bool:
    try:
        return bool(name) and storage.stat(name).size_bytes > 0
    except FileNotFoundError:
        return False


def _open_object(origin: str, bucket: str) -> bytes:
    try:
        return open_storage(bucket).read(object_key(origin, bucket) or "")
    except FileNotFoundError:
        raise ImageError("vanished", "The object no longer exists.") from None
    except (StorageError, ValueError) as error:
        raise ImageError("unreadable", f"The object cannot be read: {error}") from None


def _listed(roots: Sequence[Root]) -> str:
    return " or ".join(str(root) for root in roots if isinstance(root, Path))
