"""Reading the results of a run: the light columns as one table, pictures only on request."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.runs.class_names import with_class_names
from sparkcore.runs.store import RunStore
from sparkcore.schema import KEEP_FIELDS, result_schema

_HEAVY = ("thumbnail", *KEEP_FIELDS)


def load_results(store: RunStore, run_id: str, columns: Iterable[str] | None = None) -> pa.Table:
    """Return the rows of a finished run without pictures, or only `columns`; raises RunNotFoundError.

    Labels that several classes of the model share are replaced by names that tell them apart.
    """
    manifest = store.manifest(run_id)
    names = columns or [n for n in result_schema(tuple(manifest.config["keep"])).names if n not in _HEAVY]
    return with_class_names(read_parts(store, run_id, names), store.classes(run_id), manifest.model.get("classes"))


def read_parts(store: RunStore, run_id: str, columns: Iterable[str]) -> pa.Table:
    """Return the rows of the finished parts of a run, in the order of the parts."""
    columns = list(columns)
    schema = result_schema(tuple(KEEP_FIELDS))
    empty = pa.schema([schema.field(name) for name in columns]).empty_table()
    tables = [pq.read_table(path, columns=columns) for path in store.parts(run_id)]
    return pa.concat_tables([empty, *tables])


def load_thumbnails(store: RunStore, run_id: str, image_ids: Iterable[str]) -> dict[str, bytes]:
    """Return the JPEG thumbnails of some images by image_id; images without one are omitted."""
    found = load_rows(store, run_id, image_ids, ["image_id", "thumbnail"])
    pairs = zip(found["image_id"].to_pylist(), found["thumbnail"].to_pylist(), strict=True)
    return {image: picture for image, picture in pairs if picture is not None}


def load_rows(store: RunStore, run_id: str, image_ids: Iterable[str], columns: Iterable[str]) -> pa.Table:
    """Return the rows of some images with any columns, also heavy ones, reading only their row groups."""
    wanted = pa.array(sorted(set(image_ids)), pa.string())
    columns = list(dict.fromkeys(["image_id", *columns]))
    schema = result_schema(tuple(KEEP_FIELDS))
    tables = [pa.schema([schema.field(name) for name in columns]).empty_table()]
    missing = len(wanted)
    for path in store.parts(run_id):
        if not missing:
            break
        found = _rows_of(pq.ParquetFile(path), wanted, columns)
        missing -= sum(table.num_rows for table in found)
        tables.extend(found)
    return pa.concat_tables(tables)


def _rows_of(part: pq.ParquetFile, wanted: pa.Array, columns: list[str]) -> list[pa.Table]:
    tables = []
    for group in range(part.num_row_groups):
        ids = part.read_row_group(group, columns=["image_id"])["image_id"]
        mask = pc.is_in(ids, value_set=wanted)
        if pc.any(mask).as_py():
            tables.append(part.read_row_group(group, columns=columns).filter(mask))
    return tables
