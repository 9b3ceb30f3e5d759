"""Check what users name: folders, pictures and model files below the allowed roots."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sparkcore.config import MODEL_SUFFIXES
from sparkcore.errors import ImageError, InputError, ModelError, StorageError
from sparkcore.origins import absolute_path, local_path, object_key, split_object_uri
from sparkcore.roots import check_allowed, expand_braces, fixed_folder, is_allowed
from sparkcore.storage.opening import open_storage

ROOTS_VARIABLE = "SPARKCORE_ROOTS"
LABEL_SUFFIXES = (".json", ".txt", ".csv")
WEIGHTS_SUFFIXES = (*MODEL_SUFFIXES, ".pth")


def allowed_roots(state: Path) -> tuple[Path, ...]:
    """Return the folders below which files may be read, symbolic links resolved.

    They are the folders of SPARKCORE_ROOTS, separated as in PATH, or the current folder, and always the uploads and
    samples in the state folder of the store.
    """
    text = os.environ.get(ROOTS_VARIABLE, "")
    given = [Path(part) for part in text.split(os.pathsep) if part.strip()] or [Path.cwd()]
    folders = [*given, state / "uploads", state / "samples"]
    return tuple(dict.fromkeys(folder.expanduser().resolve() for folder in folders))


def choose_images(text: str, roots: Sequence[Path]) -> str:
    """Return the absolute path of a folder, file or pattern of images below the roots; raises InputError."""
    text = text.strip()
    if not text or "\0" in text:
        raise InputError("images: expected the path of a folder on the server, received nothing. Enter one.")
    if "://" in text or text.startswith("file:"):
        raise InputError(f"images: expected a path on the server, received the address {text!r}. Use the shell for it.")
    path = absolute_path(text)
    check_allowed(path, roots)
    if path.exists():
        return os.fspath(path.resolve())
    if not any(fixed_folder(pattern).exists() for pattern in expand_braces(os.fspath(path))):
        raise InputError(f"images: expected a folder with pictures, but {text!r} does not exist. Check the spelling.")
    return os.fspath(path)


def choose_file(text: str, roots: Sequence[Path], suffixes: Sequence[str] = MODEL_SUFFIXES) -> str:
    """Return the absolute path of a model, weights or label file below the roots; raises ModelError."""
    path = Path(text.strip()).expanduser().absolute()
    if not is_allowed(path, roots):
        raise ModelError(f"File: expected one below {_listed(roots)}, received {text!r}. Copy it to one of these.")
    if not path.is_file() or path.suffix.lower() not in suffixes:
        raise ModelError(
            f"File: expected a file that ends with {' or '.join(suffixes)}, received {text!r}. Check the spelling."
        )
    return os.fspath(path.resolve())


def open_allowed(origin: str, roots: Sequence[Path]) -> bytes:
    """Return the bytes of an original below the roots; raises ImageError where it is elsewhere or gone."""
    path = local_path(origin)
    if path is not None and not is_allowed(path, roots):
        raise ImageError(
            "unreadable", f"The original lies outside of the folders that this server may read ({ROOTS_VARIABLE})."
        )
    return open_image(origin)


def open_image(origin: str) -> bytes:
    """Return the bytes of a local original; raises ImageError where it is gone or on another file system."""
    path = local_path(origin)
    if path is None:
        raise ImageError("unreadable", f"Only local files can be opened here, and this one is {origin}.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError("vanished", "The file no longer exists.") from None
    except OSError as error:
        raise ImageError("unreadable", f"The file cannot be opened: {error.strerror or error}.") from None


def open_original(origin: str) -> bytes:
    """Return the bytes of an original on this machine or on an object store; raises ImageError where it is gone.

    It asks for no allowed roots: only the command line may use it, whose user has files and keys anyway.
    """
    place = split_object_uri(origin)
    key = object_key(origin, place[0]) if place else None
    if place is None or not key:
        return open_image(origin)
    try:
        return open_storage(place[0]).read(key)
    except FileNotFoundError:
        raise ImageError("vanished", "The object no longer exists.") from None
    except (StorageError, ValueError) as error:
        raise ImageError("unreadable", f"The object cannot be read: {error}") from error


def _listed(roots: Sequence[Path]) -> str:
    return " or ".join(os.fspath(root) for root in roots)
