"""Reuse rows of earlier runs: same recipe, same file, same size and modification time."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparkcore.config import RunConfig
from sparkcore.runs.store import RunStore
from sparkcore.schema import EXCLUDED_SCHEMA, STATUS_OK, result_schema
from sparkcore.worker.image import passes

# Errors of the file system or of this program, which the next run may not see.
TRANSIENT_ERRORS = ("vanished", "unreadable", "internal")
_KEY = ["image_id", "size_bytes", "modified_at"]
_LOOK = [*_KEY, "status", "error_type", "width", "height", "channels"]


def donors(store: RunStore, recipe: str, run_id: str) -> list[str]:
    """Return the other runs of the same recipe: finished ones, newest first, then unfinished ones."""
    finished = [manifest.run_id for manifest in store.runs() if manifest.recipe_id == recipe]
    begun = [name for name in store.unfinished() if (store.plan(name) or {}).get("recipe_id") == recipe]
    return [name for name in (*finished, *begun) if name != run_id]


def take_over(
    store: RunStore, donor: str, files: pa.Table, config: RunConfig, *, errors: bool
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield (results, excluded) of a donor's parts that are valid for `files` and the filters of `config`.

    With `errors`, rows of unreadable images are reused too, except transient ones.
    """
    wanted = _keys(files)
    for path in store.parts(donor):
        look = pq.read_table(path, columns=_LOOK)
        usable = pa.array(
            [_usable(row, errors) for row in look.select(["status", "error_type"]).to_pylist()], pa.bool_()
        )
        held = pc.and_(usable, pc.is_in(_keys(look), value_set=wanted))
        if not pc.any(held).as_py():
            continue
        rows = pq.read_table(path).filter(held)
        inside = _inside(rows, config)
        yield rows.filter(inside), rows.filter(pc.invert(inside)).select(EXCLUDED_SCHEMA.names).cast(EXCLUDED_SCHEMA)
    for path in store.excluded(donor):
        rows = pq.read_table(path)
        held = pc.and_(pc.is_in(_keys(rows), value_set=wanted), pc.invert(_inside(rows, config)))
        if pc.any(held).as_py():
            yield result_schema(config.keep).empty_table(), rows.filter(held)


def _keys(rows: pa.Table) -> pa.Array:
    texts = [rows[name].cast(pa.int64()).cast(pa.string()) for name in _KEY[1:]]
    keys = pc.binary_join_element_wise(rows["image_id"], *texts, "/")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _usable(row: dict[str, str | None], errors: bool) -> bool:
    return row["status"] == STATUS_OK or (errors and row["error_type"] not in TRANSIENT_ERRORS)


def _inside(rows: pa.Table, config: RunConfig) -> pa.Array:
    """Tell which rows pass the size filters; an image that was never opened has no size and passes."""
    sizes = rows.select(["height", "width", "channels"]).to_pylist()
    return pa.array([row["height"] is None or passes(config, **row) for row in sizes], pa.bool_())
