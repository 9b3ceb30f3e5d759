"""A ZIP archive of pictures: annotated, with a table of their results and, on request, with the originals.

Pictures stream into an open binary file one by one, so memory does not grow with their size.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from sparkcore.analysis.export import write_csv
from sparkcore.errors import SparkcoreError
from sparkcore.imaging.annotate import annotated_jpeg
from sparkcore.imaging.formats import sniff
from sparkcore.schema import STATUS_OK

_RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
_TABLE_FILE = "table.csv"
_MISSING_FILE = "missing.txt"
_MANIFEST_FILE = "manifest.json"
_ORIGINALS = "originals"
_MAX_STEM_LENGTH = 120
# Extensions that differ from the format's name.
_SUFFIXES = {"JPEG": "jpg", "TIFF": "tif", "JPEG2000": "jp2"}


@dataclass(frozen=True, slots=True)
class ZipContents:
    """Hold the number of pictures in an archive and the missing ones as (origin, reason)."""

    pictures: int
    missing: tuple[tuple[str, str], ...]


def write_zip(
    table: pa.Table,
    file: BinaryIO,
    open_image: Callable[[str], bytes],
    *,
    manifest: Mapping[str, Any] | None = None,
    originals: bool = False,
) -> ZipContents:
    """Write the images of these rows as full-size JPEG pictures with label and score, in the rows' order.

    `open_image` returns the bytes of an origin, or raises OSError or a SparkcoreError. With `originals`, these bytes
    are added unchanged in a folder of their own. table.csv is what `write_csv` makes of the rows, led by the names of
    their files in the archive. Images that cannot be opened are listed in missing.txt, each with the reason.
    """
    names = ArchiveNames()
    missing: list[tuple[str, str]] = []
    pictures: list[str | None] = []
    copies: list[str | None] = []
    with zipfile.ZipFile(file, "w") as archive:
        for row in _iterate(table):
            pictures.append(None)
            copies.append(None)
            try:
                content, picture = _read(row, open_image)
            except (OSError, SparkcoreError) as error:
                missing.append((row["origin"], str(error)))
                continue
            stem = names.take(row["file_name"])
            pictures[-1] = _add(archive, f"{stem}.jpg", picture)
            if originals:
                copies[-1] = _add(archive, f"{_ORIGINALS}/{stem}{_suffix(content)}", content)
        _add_table(archive, table, {"picture": pictures, **({"original": copies} if originals else {})})
        if missing:
            archive.writestr(zipfile.ZipInfo(_MISSING_FILE), _list_missing(missing))
        if manifest is not None:
            archive.writestr(zipfile.ZipInfo(_MANIFEST_FILE), json.dumps(manifest, indent=2, default=str))
    return ZipContents(table.num_rows - len(missing), tuple(missing))


def _iterate(table: pa.Table) -> Iterator[dict[str, Any]]:
    columns = ["origin", "file_name", "status", "error_message", "label", "score"]
    for batch in table.select(columns).to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _read(row: Mapping[str, Any], open_image: Callable[[str], bytes]) -> tuple[bytes, bytes]:
    """Return the bytes of the original and of the annotated picture."""
    if row["status"] != STATUS_OK:
        raise SparkcoreError(row["error_message"] or "The image was unreadable in the run.")
    content = open_image(row["origin"])
    return content, annotated_jpeg(content, row["label"], row["score"])


def _suffix(content: bytes) -> str:
    """Return an extension by content, because the file's own may lie."""
    kind = sniff(content) or ""
    return f".{_SUFFIXES.get(kind, kind.lower())}" if kind else ""


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> str:
    archive.writestr(zipfile.ZipInfo(name), content)
    return name


def _add_table(archive: zipfile.ZipFile, table: pa.Table, files: Mapping[str, list[str | None]]) -> None:
    for place, (name, values) in enumerate(files.items()):
        table = table.add_column(place, name, pa.array(values, pa.string()))
    info = zipfile.ZipInfo(_TABLE_FILE)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as stream:
        write_csv(table, stream)


def _list_missing(missing: list[tuple[str, str]]) -> str:
    lines = [f"{_one_line(origin)}\t{_one_line(reason)}" for origin, reason in missing]
    title = "1 image is" if len(lines) == 1 else f"{len(lines):,} images are"
    return "\n".join([f"{title} not in this archive:", "", *lines, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())


class ArchiveNames:
    """Turn file names into unique stems that any operating system can unpack.

    Folders, control and text-direction characters are dropped, and characters that Windows forbids are replaced.
    Stems that differ only in case count as equal.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, file_name: str | None) -> str:
        """Return a stem for this file that has not been returned before."""
        base = self._safe_stem(file_name or "")
        stem, key = base, base.casefold()
        while stem.casefold() in self._taken:
            self._next[key] = self._next.get(key, 1) + 1
            stem = f"{base}-{self._next[key]}"
        self._taken.add(stem.casefold())
        return stem

    @staticmethod
    def _safe_stem(file_name: str) -> str:
        base = unicodedata.normalize("NFC", re.split(r"[/\\]", file_name)[-1])
        stem = base.rpartition(".")[0] or base
        kept = "".join("_" if c in '<>:"|?*' else c for c in stem if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
        kept = kept.strip(" .")[:_MAX_STEM_LENGTH].strip(" .")
        # File systems limit a name to 255 bytes, and a character takes up to four in UTF-8.
        kept = kept.encode()[: 2 * _MAX_STEM_LENGTH].decode(errors="ignore")
        return f"_{kept}" if not kept or kept.casefold() in _RESERVED_NAMES else kept
