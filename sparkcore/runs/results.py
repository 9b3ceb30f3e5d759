"""Reading the results of a run: the light columns as one table, pictures only on request."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import RunNotFoundError
from sparkcore.runs.class_names import with_own_groups
from sparkcore.runs.light import light_tables, named_tables
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_columns
from sparkcore.runs.parts import FIRST_VERSION, empty_table, read_files_ahead, stored_parts, without_excluded
from sparkcore.runs.store import RunStore
from sparkcore.runs.thumbnails import rows_at, thumbnails_at
from sparkcore.schema import HEAVY_COLUMNS, light_schema


def load_results(store: RunStore, run_id: str, columns: Iterable[str] | None = None) -> pa.Table:
    """Return the rows of a finished run without pictures, or only `columns`; raises RunNotFoundError.

    Labels that several classes of the model share are replaced by names that tell them apart.
    """
    names = list(columns or light_schema().names)
    table = pa.concat_tables(named_tables(store.storage, store.manifest(run_id), store.classes(run_id), names))
    return table.replace_schema_metadata(with_own_groups(table.schema, store.groups(run_id)).metadata)


def read_parts(store: RunStore, run_id: str, columns: Iterable[str]) -> pa.Table:
    """Return columns of all rows, as they were computed; of an unfinished run, those of the committed buckets."""
    columns = list(columns)
    manifest = _manifest(store, run_id)
    if manifest is not None and not set(HEAVY_COLUMNS).intersection(columns):
        return pa.concat_tables(light_tables(store.storage, manifest, columns))
    parts = stored_parts(store.storage, run_id, manifest)
    names = list(dict.fromkeys([*columns, "status"]))
    tables = [without_excluded(rows).select(columns) for rows in read_files_ahead(store.storage, parts, names)]
    return pa.concat_tables([empty_table(columns), *tables])


def load_thumbnails(store: RunStore, run_id: str, image_ids: Iterable[str]) -> dict[str, bytes]:
    """Return the JPEG thumbnails of some images by image_id; images without one are omitted."""
    places = _places(store, run_id, image_ids)
    pictures = thumbnails_at(store.storage, store.recall(run_id), places)
    pairs = zip(places["image_id"].to_pylist(), pictures, strict=True)
    return {image: picture for image, picture in pairs if picture is not None}


def load_rows(store: RunStore, run_id: str, image_ids: Iterable[str], columns: Iterable[str]) -> pa.Table:
    """Return the rows of some images with any columns, also heavy ones, reading only their row groups."""
    columns = list(dict.fromkeys(["image_id", *columns]))
    tables = rows_at(store.storage, store.recall(run_id), _places(store, run_id, image_ids), columns)
    return pa.concat_tables([empty_table(columns), *tables])


def _manifest(store: RunStore, run_id: str) -> Manifest | None:
    try:
        return store.manifest(run_id)
    except RunNotFoundError:
        return None


def _places(store: RunStore, run_id: str, image_ids: Iterable[str]) -> pa.Table:
    """Return the rows of the mapped table that have these ids."""
    table = map_columns(store, run_id)
    ids, wanted = table["image_id"], sorted(set(image_ids))
    if store.recall(run_id).version == FIRST_VERSION:
        return table.filter(pc.is_in(ids, value_set=pa.array(wanted, pa.string())))
    rows = [(bisect_left(ids, name, key=pa.StringScalar.as_py), name) for name in wanted]
    return table.take(pa.array([row for row, name in rows if row < len(ids) and ids[row].as_py() == name], pa.int64()))
