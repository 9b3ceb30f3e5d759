"""Save uploaded pictures: limited in number and size, checked one by one, named safely."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import unicodedata
import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sparkcore.errors import ImageError, InputError, RunFailedError
from sparkcore.imaging.bounded import Bounds, PictureChecker

MAX_FILES = 500
MAX_FILE_BYTES = 50_000_000
MAX_UPLOAD_BYTES = 500_000_000
BOUNDS = Bounds()
_MAX_FOLDERS = 4
_MAX_NAME_LENGTH = 120  # characters; file systems allow 255 bytes, and a character has up to four


@dataclass(frozen=True, slots=True)
class SentFile:
    """Name an uploaded file; `read` returns its `size_bytes` bytes."""

    name: str
    size_bytes: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Upload:
    """Hold the folder of uploaded pictures, their number, and the refused files with reasons."""

    folder: Path | None
    accepted: int
    refused: tuple[tuple[str, str], ...]


def save_upload(files: Sequence[SentFile], state: Path) -> Upload:
    """Check uploaded files by decoding them and write the good ones to `<state>/uploads/<digest of the content>/`.

    The same files give the same folder, and thus the same run. A file that is not a usable image, or that takes more
    than BOUNDS to decode, is refused alone. Raises InputError for too many files or bytes, before any file is read,
    and RunFailedError where nothing can be checked or written.
    """
    _check_totals(files)
    uploads = state / "uploads"
    temporary = uploads / f".{uuid.uuid4().hex}"
    try:
        accepted, refused = _write_good(files, temporary)
        folder = _publish(temporary, uploads / _digest(accepted)) if accepted else None
    except OSError as error:
        raise RunFailedError(
            f"Upload: expected to write to {uploads}, but {error.strerror or error}. Free space or change permissions."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Upload(folder, len(accepted), tuple(refused))


def _check_totals(files: Sequence[SentFile]) -> None:
    if len(files) > MAX_FILES:
        raise InputError(
            f"Upload: expected at most {MAX_FILES:,} files, received {len(files):,}. "
            "Copy them to a folder on the server and enter its path."
        )
    size_bytes = sum(file.size_bytes for file in files)
    if size_bytes > MAX_UPLOAD_BYTES:
        raise InputError(
            f"Upload: expected at most {MAX_UPLOAD_BYTES // 10**6:,} MB, received {size_bytes // 10**6:,} MB. "
            "Upload fewer files at once."
        )


def _write_good(files: Sequence[SentFile], folder: Path) -> tuple[dict[PurePosixPath, str], list[tuple[str, str]]]:
    """Write the good files; return their digests by path, and the names of the others with reasons."""
    accepted: dict[PurePosixPath, str] = {}
    refused: list[tuple[str, str]] = []
    taken: set[str] = set()
    with PictureChecker(BOUNDS) as checker:
        for file in files:
            try:
                path = _free(_safe_path(file.name), taken)
                content = _checked(file, checker)
            except (InputError, ImageError) as error:
                refused.append((_printable(file.name), str(error)))
                continue
            _write(folder / path, content)
            taken.add(os.fspath(path).casefold())
            accepted[path] = hashlib.sha256(content).hexdigest()
    return accepted, refused


def _checked(file: SentFile, checker: PictureChecker) -> bytes:
    if file.size_bytes > MAX_FILE_BYTES:
        raise InputError(f"larger than {MAX_FILE_BYTES // 10**6} MB")
    content = file.read()
    checker.check(content)
    return content


def _safe_path(name: str) -> PurePosixPath:
    """Return a safe relative path; subfolders of an uploaded folder are kept."""
    if re.match(r"[/\\~]|[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
        raise InputError("its name leads out of the upload folder")
    parts = [_safe_name(part) for part in re.split(r"[/\\]", name)]
    if not all(parts) or len(parts) > _MAX_FOLDERS + 1:
        raise InputError("its name cannot be used")
    return PurePosixPath(*parts)


def _safe_name(part: str) -> str:
    text = unicodedata.normalize("NFC", part)
    kept = "".join("_" if letter in '<>:"|?*[]{}' else letter for letter in text if letter.isprintable())
    stem, dot, suffix = kept.strip(" ").rpartition(".")
    name = f"{stem[:_MAX_NAME_LENGTH]}{dot}{suffix[:10]}"
    # Spark ignores files whose names begin like this.
    return f"u{name}" if name.startswith((".", "_")) else name


def _free(path: PurePosixPath, taken: Container[str]) -> PurePosixPath:
    number, tried = 1, path
    while os.fspath(tried).casefold() in taken:
        number += 1
        tried = path.with_stem(f"{path.stem}-{number}")
    return tried


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:_MAX_NAME_LENGTH]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _digest(accepted: Mapping[PurePosixPath, str]) -> str:
    lines = (f"{path}\0{digest}\n".encode() for path, digest in sorted(accepted.items()))
    return hashlib.sha256(b"".join(lines)).hexdigest()[:16]


def _publish(temporary: Path, folder: Path) -> Path:
    if not folder.is_dir():
        try:
            temporary.replace(folder)
        except OSError:
            if not folder.is_dir():  # else another upload of the same files has won
                raise
    os.utime(folder)  # an upload is kept for a day, also one that was there before
    return folder
