"""Check what users name or upload: folders and model files below the allowed roots, and pictures."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from PIL import Image

from sparkcore.config import MODEL_SUFFIXES
from sparkcore.errors import ImageError, InputError, ModelError
from sparkcore.imaging.decode import FORMATS, ImageSize, decode
from sparkcore.origins import absolute_path, local_path
from sparkcore.roots import check_allowed, expand_braces, fixed_folder, is_allowed

ROOTS_VARIABLE = "SPARKCORE_ROOTS"
LABEL_SUFFIXES = (".json", ".txt", ".csv")

MAX_FILES = 500
MAX_FILE_BYTES = 50_000_000
MAX_UPLOAD_BYTES = 500_000_000
MAX_PIXELS = 100_000_000
_PREVIEW = ImageSize(64, 64)  # large JPEG files are decoded at a fraction of their size
_MAX_FOLDERS = 4
_MAX_NAME_LENGTH = 120  # characters; file systems allow 255 bytes, and a character has up to four


@dataclass(frozen=True, slots=True)
class Upload:
    """Hold the folder of uploaded pictures, their number, and the refused files with reasons."""

    folder: Path | None
    accepted: int
    refused: tuple[tuple[str, str], ...]


def allowed_roots(store: Path) -> tuple[Path, ...]:
    """Return the folders below which files may be read, symbolic links resolved.

    They are the folders of SPARKCORE_ROOTS, separated as in PATH, or the current folder, and always the store's uploads
    and samples.
    """
    text = os.environ.get(ROOTS_VARIABLE, "")
    given = [Path(part) for part in text.split(os.pathsep) if part.strip()] or [Path.cwd()]
    folders = [*given, store / "uploads", store / "samples"]
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


def save_upload(files: Iterable[tuple[str, bytes]], store: Path) -> Upload:
    """Check uploaded files by decoding them and write the good ones to `<store>/uploads/<digest of the content>/`.

    The same files give the same folder, and thus the same run. A file that is not a usable image is refused alone.
    Raises InputError for too many files or bytes.
    """
    files = list(files)
    _check_totals(files)
    accepted: dict[PurePosixPath, bytes] = {}
    refused = []
    for name, content in files:
        try:
            path = _free(_safe_path(name), accepted)
            _check_picture(content)
        except (InputError, ImageError) as error:
            refused.append((_printable(name), str(error)))
        else:
            accepted[path] = content
    folder = _write(accepted, store / "uploads") if accepted else None
    return Upload(folder, len(accepted), tuple(refused))


def _listed(roots: Sequence[Path]) -> str:
    return " or ".join(os.fspath(root) for root in roots)


def _check_totals(files: Sequence[tuple[str, bytes]]) -> None:
    if len(files) > MAX_FILES:
        raise InputError(
            f"Upload: expected at most {MAX_FILES:,} files, received {len(files):,}. "
            "Copy them to a folder on the server and enter its path."
        )
    size_bytes = sum(len(content) for _, content in files)
    if size_bytes > MAX_UPLOAD_BYTES:
        raise InputError(
            f"Upload: expected at most {MAX_UPLOAD_BYTES // 10**6:,} MB, received {size_bytes // 10**6:,} MB. "
            "Upload fewer files at once."
        )


def _check_picture(content: bytes) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"larger than {MAX_FILE_BYTES // 10**6} MB")
    pixels = _pixels(content)
    if pixels > MAX_PIXELS:
        raise InputError(f"{pixels // 10**6:,} million pixels, more than the limit of {MAX_PIXELS // 10**6}")
    decode(content, target=_PREVIEW)


def _pixels(content: bytes) -> int:
    """Return the pixel count of the header, or 0 without one: decoding then finds the reason."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as source:
            return source.width * source.height
    except Exception:  # noqa: BLE001 (damaged bytes raise anything)
        return 0


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


def _free(path: PurePosixPath, taken: Iterable[PurePosixPath]) -> PurePosixPath:
    names = {os.fspath(one).casefold() for one in taken}
    number, tried = 1, path
    while os.fspath(tried).casefold() in names:
        number += 1
        tried = path.with_stem(f"{path.stem}-{number}")
    return tried


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:_MAX_NAME_LENGTH]


def _write(pictures: dict[PurePosixPath, bytes], uploads: Path) -> Path:
    digest = hashlib.sha256()
    for path, content in sorted(pictures.items()):
        digest.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    folder = uploads / digest.hexdigest()[:16]
    if folder.is_dir():
        return folder
    temporary = uploads / f".{folder.name}-{uuid.uuid4().hex[:8]}"
    try:
        for path, content in pictures.items():
            target = temporary / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        temporary.replace(folder)
    except OSError:
        if not folder.is_dir():  # else another upload of the same files has won
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
