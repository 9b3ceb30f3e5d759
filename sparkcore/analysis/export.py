"""Export of a result as CSV, Parquet or a ZIP archive of annotated pictures.

All three stream into an open binary file, so memory does not grow with the result.
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
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from sparkcore.analysis.columns import top_depth
from sparkcore.errors import SparkcoreError
from sparkcore.imaging.annotate import annotated_jpeg
from sparkcore.schema import STATUS_OK, result_schema

# image ids -> thumbnails; ids without one are omitted
Thumbnails = Callable[[list[str]], Mapping[str, bytes]]

CSV_ROWS = 16_384  # rows held in memory at once
PARQUET_ROWS = 65_536
THUMBNAIL_ROWS = 512
METADATA_KEY = b"sparkcore"

# Spreadsheets read a cell that begins like this as a formula. FF1D and the like are full-width forms of the signs.
_FORMULA = r"^(\s*[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"
_RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
_MISSING_FILE = "missing.txt"
_MANIFEST_FILE = "manifest.json"
_MAX_STEM_LENGTH = 120


@dataclass(frozen=True, slots=True)
class ZipContents:
    """Hold the number of pictures in an archive and the missing ones as (origin, reason)."""

    pictures: int
    missing: tuple[tuple[str, str], ...]


def write_csv(table: pa.Table, file: BinaryIO) -> None:
    """Write the rows as CSV for spreadsheets: UTF-8 with a byte order mark, times in UTC.

    The top lists become the columns top1_class_id, top1_label, top1_score, top2_class_id and so on. Pictures and
    arrays are omitted. A text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    file.write("\ufeff".encode())
    depth = max(top_depth(table), 1) if "top" in table.column_names else 0
    starts = range(0, table.num_rows, CSV_ROWS) or [0]
    for start in starts:
        buffer = pa.BufferOutputStream()
        rows = _flatten(table.slice(start, CSV_ROWS), depth)
        pa_csv.write_csv(rows, buffer, pa_csv.WriteOptions(include_header=start == 0))
        file.write(buffer.getvalue().to_pybytes())


def write_parquet(
    table: pa.Table,
    file: BinaryIO,
    *,
    thumbnails: Thumbnails | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Write the rows as Parquet, with their thumbnails if `thumbnails` reads them.

    `manifest` is stored as JSON in the file's metadata, under the key "sparkcore".
    """
    schema = table.schema if thumbnails is None else _with_thumbnail(table).schema
    if manifest is not None:
        schema = schema.with_metadata({METADATA_KEY: json.dumps(manifest, default=str).encode()})
    group_rows = PARQUET_ROWS if "thumbnail" not in schema.names else THUMBNAIL_ROWS
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, table.num_rows, group_rows):
            rows = table.slice(start, group_rows)
            if thumbnails is not None:
                rows = _with_thumbnail(rows, thumbnails(rows["image_id"].to_pylist()))
            writer.write_table(rows.cast(schema))


def write_zip(
    table: pa.Table,
    file: BinaryIO,
    open_image: Callable[[str], bytes],
    *,
    manifest: Mapping[str, Any] | None = None,
) -> ZipContents:
    """Write the images of these rows as full-size JPEG pictures with label and score, in the rows' order.

    `open_image` returns the bytes of an origin, or raises OSError or a SparkcoreError. Images that cannot be opened
    are listed in the archive's missing.txt, each with the reason.
    """
    names = _ArchiveNames()
    missing: list[tuple[str, str]] = []
    pictures = 0
    with zipfile.ZipFile(file, "w") as archive:
        for row in _iterate(table):
            try:
                content = _annotated(row, open_image)
            except (OSError, SparkcoreError) as error:
                missing.append((row["origin"], str(error)))
                continue
            archive.writestr(zipfile.ZipInfo(names.take(row["file_name"])), content)
            pictures += 1
        if missing:
            archive.writestr(zipfile.ZipInfo(_MISSING_FILE), _list_missing(missing))
        if manifest is not None:
            archive.writestr(zipfile.ZipInfo(_MANIFEST_FILE), json.dumps(manifest, indent=2, default=str))
    return ZipContents(pictures, tuple(missing))


def _flatten(table: pa.Table, depth: int) -> pa.Table:
    columns: dict[str, pa.ChunkedArray] = {}
    for field in table.schema:
        if field.name == "top":
            columns.update(_top_columns(table["top"], depth))
        elif not (pa.types.is_nested(field.type) or pa.types.is_binary(field.type)):
            columns[field.name] = _cell(table[field.name])
    return pa.table(columns)


def _top_columns(top: pa.ChunkedArray, depth: int) -> dict[str, pa.ChunkedArray]:
    columns = {}
    for position in range(depth):
        entry = pc.list_element(pc.list_slice(top, 0, depth, return_fixed_size_list=True), position)
        for part in ("class_id", "label", "score"):
            columns[f"top{position + 1}_{part}"] = _cell(pc.struct_field(entry, part))
    return columns


def _cell(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _cell(column.cast(kind.value_type))
    if pa.types.is_string(kind):
        return pc.replace_substring_regex(column, _FORMULA, r"'\1")
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("s"), safe=False)
    return column


def _with_thumbnail(table: pa.Table, found: Mapping[str, bytes] | None = None) -> pa.Table:
    """Return the table with a thumbnail column in the position that the result schema gives it."""
    images = found or {}
    column = pa.array([images.get(image_id) for image_id in table["image_id"].to_pylist()], pa.binary())
    names = [name for name in table.column_names if name != "thumbnail"]
    known = result_schema().names[: result_schema().names.index("thumbnail")]
    place = sum(name in known for name in names)
    return table.select(names).add_column(place, "thumbnail", column)


def _iterate(table: pa.Table) -> Iterator[dict[str, Any]]:
    columns = ["origin", "file_name", "status", "error_message", "label", "score"]
    for batch in table.select(columns).to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _annotated(row: Mapping[str, Any], open_image: Callable[[str], bytes]) -> bytes:
    if row["status"] != STATUS_OK:
        raise SparkcoreError(row["error_message"] or "The image was unreadable in the run.")
    return annotated_jpeg(open_image(row["origin"]), row["label"], row["score"])


def _list_missing(missing: list[tuple[str, str]]) -> str:
    lines = [f"{_one_line(origin)}\t{_one_line(reason)}" for origin, reason in missing]
    title = "1 image is" if len(lines) == 1 else f"{len(lines):,} images are"
    return "\n".join([f"{title} not in this archive:", "", *lines, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _ArchiveNames:
    """Turn file names into unique names that any operating system can unpack.

    Folders, control and text-direction characters are dropped, and characters that Windows forbids are replaced.
    Names that differ only in case count as equal.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, file_name: str | None) -> str:
        """Return a name for this file that has not been returned before."""
        stem = self._safe_stem(file_name or "")
        name, key = f"{stem}.jpg", stem.casefold()
        while name.casefold() in self._taken:
            self._next[key] = self._next.get(key, 1) + 1
            name = f"{stem}-{self._next[key]}.jpg"
        self._taken.add(name.casefold())
        return name

    @staticmethod
    def _safe_stem(file_name: str) -> str:
        base = unicodedata.normalize("NFC", re.split(r"[/\\]", file_name)[-1])
        stem = base.rpartition(".")[0] or base
        kept = "".join("_" if c in '<>:"|?*' else c for c in stem if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
        kept = kept.strip(" .")[:_MAX_STEM_LENGTH].strip(" .")
        # File systems limit a name to 255 bytes, and a character takes up to four in UTF-8.
        kept = kept.encode()[: 2 * _MAX_STEM_LENGTH].decode(errors="ignore")
        return f"_{kept}" if not kept or kept.casefold() in _RESERVED_NAMES else kept
