"""Export of a result as CSV or Parquet, streamed into an open binary file in blocks of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import IO, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from sparkcore.analysis.columns import top_depth
from sparkcore.analysis.groups import with_groups
from sparkcore.analysis.truth import match
from sparkcore.schema import result_schema

# image ids -> thumbnails; ids without one are omitted
Thumbnails = Callable[[list[str]], Mapping[str, bytes]]

CSV_ROWS = 16_384  # rows held in memory at once
PARQUET_ROWS = 65_536
THUMBNAIL_ROWS = 512
METADATA_KEY = b"sparkcore"

# Spreadsheets read a cell that begins like this as a formula. FF1D and the like are full-width forms of the signs.
_FORMULA = r"^(\s*[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"
# Columns of class names, here and in the small tables of charts.
_NAME_COLUMNS = frozenset(
    {"label", "true_label", "truth", "first", "second", "left", "right"} | {"left_label", "right_label"}
)


def write_csv(table: pa.Table, file: IO[bytes]) -> None:
    """Write the rows as CSV for spreadsheets: UTF-8 with a byte order mark, times in UTC.

    Class names are words; `group` is the path of their group, where classes have one. The columns true_class_id,
    true_label and correct replace `truth`; they are empty where nothing is known. The second and later predictions
    become the columns top2_class_id, top2_label, top2_score, top3_ and so on. Pictures and arrays are omitted. A text
    that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    file.write("\ufeff".encode())
    is_result = {"top", "truth", "class_id", "label"} <= set(table.column_names)
    table = _with_true_class(with_groups(table)) if is_result else table
    depth = top_depth(table) if is_result else 0
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
    """Write the rows as Parquet, with their groups, and with their thumbnails if `thumbnails` reads them.

    `manifest` is stored as JSON in the file's metadata, under the key "sparkcore".
    """
    table = with_groups(table)
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


def _with_true_class(table: pa.Table) -> pa.Table:
    """Return the table with the columns true_class_id, true_label and correct, behind the score, for `truth`."""
    matched = match(table)
    places = pa.array(matched.stated, mask=matched.stated < 0)
    texts = {
        "true_class_id": pa.array([class_id or None for class_id in matched.class_ids], pa.string()),
        "true_label": pa.array(matched.names, pa.string()),
    }
    columns = {name: table[name] for name in table.column_names if name != "truth"}
    true_class = {name: pa.DictionaryArray.from_arrays(places, values) for name, values in texts.items()}
    true_class["correct"] = pa.array(matched.correct, mask=~matched.judged)
    behind = list(columns).index("score" if "score" in columns else "label") + 1
    items = list(columns.items())
    return pa.table(dict([*items[:behind], *true_class.items(), *items[behind:]]))


def _flatten(table: pa.Table, depth: int) -> pa.Table:
    columns: dict[str, pa.ChunkedArray] = {}
    for field in table.schema:
        if field.name == "top" and depth:
            columns.update(_top_columns(table["top"], depth))
        elif not (pa.types.is_nested(field.type) or pa.types.is_binary(field.type)):
            columns[field.name] = _cell(table[field.name], is_name=field.name in _NAME_COLUMNS)
    return pa.table(columns)


def _top_columns(top: pa.ChunkedArray, depth: int) -> dict[str, pa.ChunkedArray]:
    columns = {}
    for position in range(1, depth):
        entry = pc.list_element(pc.list_slice(top, 0, depth, return_fixed_size_list=True), position)
        for part in ("class_id", "label", "score"):
            columns[f"top{position + 1}_{part}"] = _cell(pc.struct_field(entry, part), is_name=part == "label")
    return columns


def _cell(column: pa.ChunkedArray, *, is_name: bool) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _cell(column.cast(kind.value_type), is_name=is_name)
    if pa.types.is_string(kind):
        words = pc.replace_substring(column, "_", " ") if is_name else column
        return pc.replace_substring_regex(words, _FORMULA, r"'\1")
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
