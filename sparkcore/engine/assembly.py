"""Join the listed files of a part with the workers' rows; a file without a row gets a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.config import RunConfig
from sparkcore.errors import ImageError
from sparkcore.origins import file_name, truth_of
from sparkcore.schema import EXCLUDED_SCHEMA, STATUS_ERROR, STATUS_EXCLUDED, image_id, result_schema
from sparkcore.worker.rows import COST_FIELD, worker_schema


@dataclass(frozen=True, slots=True)
class PartRows:
    """The rows of one part: results, images that a filter left out, and the sum of the workers' seconds."""

    results: pa.Table
    excluded: pa.Table
    cost: dict[str, float]


def assemble(files: pa.Table, classified: pa.Table, reasons: dict[str, ImageError], config: RunConfig) -> PartRows:
    """Join listed files with their classified rows, in the order of `files`.

    `classified` has the columns of `worker_schema`; files without a row there become errors by `reasons`
    (by origin).
    """
    rows = pa.concat_tables([classified, _failed(reasons, config)])
    places = pc.index_in(files["image_id"], value_set=rows["image_id"].combine_chunks())
    if places.null_count:
        raise AssertionError(f"{places.null_count} files have neither a row nor a reason")
    joined = rows.take(places)
    source = {name: files[name] for name in files.schema.names}
    columns = {**{name: joined[name] for name in joined.schema.names}, **source}
    status = joined["status"]
    schema = result_schema(config.keep)
    results = pa.table([columns[name] for name in schema.names], schema=schema)
    excluded = pa.table([columns[name] for name in EXCLUDED_SCHEMA.names], schema=EXCLUDED_SCHEMA)
    left_out = pc.equal(status, STATUS_EXCLUDED)
    return PartRows(results.filter(pc.invert(left_out)), excluded.filter(left_out), _cost(classified))


def _failed(reasons: dict[str, ImageError], config: RunConfig) -> pa.Table:
    schema = worker_schema(config)
    rows: Iterable[dict[str, Any]] = (
        {
            "origin": origin,
            "image_id": image_id(origin),
            "file_name": file_name(origin),
            "status": STATUS_ERROR,
            "error_type": error.error_type,
            "error_message": error.message,
            "truth": truth_of(origin, config.truth),
        }
        for origin, error in reasons.items()
    )
    return pa.Table.from_pylist(list(rows), schema=schema)


def _cost(classified: pa.Table) -> dict[str, float]:
    costs = classified["cost"].combine_chunks()
    sums = {f.name: float(pc.sum(costs.field(f.name)).as_py() or 0.0) for f in COST_FIELD.type}
    # Workers load the model in parallel: the run waits for the slowest.
    return {**sums, "load_wall_s": float(pc.max(costs.field("load_s")).as_py() or 0.0)}
