"""Small finished runs with everything that the engine leaves: plan, listing, receipts, parts, columns, manifest."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.runs.files_table import CommittedPart, read_files
from sparkcore.runs.layout import PlanFolder, manifest_name, plan_name, recipe_name
from sparkcore.runs.listing_files import write_listing
from sparkcore.runs.manifests import forget_manifest
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import Receipt
from sparkcore.runs.store import RunStore
from sparkcore.schema import LISTING_SCHEMA
from tests.runs_fixture import write_run

BUCKET_SIZE = 20
_KINDS = {"ok": "ok", "error": "errors", "excluded": "excluded"}


def write_planned_run(store: RunStore, **changes: Any) -> Plan:
    """Write a finished run and return its plan; `changes` are fields of `runs_fixture.Made`."""
    run_id = write_run(store, rows_per_part=BUCKET_SIZE, **changes)
    parts = read_files(store.storage, run_id)
    folder = PlanFolder(run_id, parts[0].name.split("/")[2])
    tables = [pq.read_table(pa.BufferReader(store.storage.read(part.name))) for part in parts]
    sizes = write_listing(store.storage, folder, [table.select(LISTING_SCHEMA.names) for table in tables], BUCKET_SIZE)
    recipe = store.manifest(run_id).recipe_id
    plan = Plan(run_id, folder.word, recipe, sum(map(len, tables)), BUCKET_SIZE, sizes)
    store.storage.write(plan_name(run_id), plan.to_bytes())
    store.storage.write(recipe_name(recipe, run_id), b"")
    for part, table in zip(parts, tables, strict=True):
        store.storage.write(folder.receipt(part.bucket), receipt(part, table).to_bytes())
    return plan


def receipt(part: CommittedPart, table: pa.Table) -> Receipt:
    """Return the receipt of a part."""
    counts = Counter(_KINDS[status] for status in table["status"].to_pylist())
    errors = Counter(table["error_type"].drop_null().to_pylist())
    return Receipt(
        part.bucket, part.name, part.rows, part.size_bytes, part.sha256, part.first_id, part.last_id,
        dict(counts), dict(errors),
    )  # fmt: skip


def unfinish(store: RunStore, run_id: str) -> None:
    """Make a run unfinished."""
    store.storage.delete(manifest_name(run_id))
    forget_manifest(store.storage, run_id)
