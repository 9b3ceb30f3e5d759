"""Write finished runs without Spark, with the writers that the engine's tasks use."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from sparkcore.runs.files_table import CommittedPart, write_files
from sparkcore.runs.layout import PlanFolder, columns_name
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore
from sparkcore.worker.compaction import compact, file_groups
from sparkcore.worker.writer import PartWriter


def write_finished_run(store: RunStore, manifest: Manifest, tables: Iterable[pa.Table]) -> None:
    """Write a run with one part file for each table; the rows are sorted by image_id over all tables."""
    folder = PlanFolder(manifest.run_id, "plan")
    parts = [_write_part(store, folder, number, table) for number, table in enumerate(tables)]
    for number, group in enumerate(file_groups(parts)):
        compact(store.storage, group, columns_name(manifest.run_id, number))
    write_files(store.storage, manifest.run_id, parts)
    store.finish(manifest)


def _write_part(store: RunStore, folder: PlanFolder, number: int, table: pa.Table) -> CommittedPart:
    writer = PartWriter(store.storage, folder.new_part(number), table.schema)
    for batch in table.to_batches():
        writer.write(batch)
    file, ids = writer.finish(), table["image_id"]
    return CommittedPart(
        part=number,
        name=file.name,
        bucket=number,
        rows=table.num_rows,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        first_id=ids[0].as_py(),
        last_id=ids[-1].as_py(),
    )
