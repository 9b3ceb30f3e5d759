"""The commands that write a run to one file: a table, a ZIP of pictures, a report."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.analysis.policies import read_policy
from sparkcore.commands.options import existing_store
from sparkcore.commands.reviewing import reviewed_results
from sparkcore.errors import RequestError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.notes import read_notes
from sparkcore.runs.results import load_thumbnails
from sparkcore.runs.store import RunStore
from sparkcore.runs.vectors import vectors_of

if TYPE_CHECKING:
    from sparkcore.analysis.filters import Filters

FORMATS = ("csv", "parquet", "zip", "html")


def export(options: argparse.Namespace) -> None:
    """Write a run as CSV, Parquet, ZIP of annotated pictures, or HTML report."""
    from sparkcore.analysis import export as exports
    from sparkcore.analysis.archive import write_zip
    from sparkcore.analysis.policy import with_decisions
    from sparkcore.analysis.selection import apply
    from sparkcore.intake import open_image

    kind = options.format or options.out.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise RequestError(f"--format: expected one of {', '.join(FORMATS)}, received {kind!r}.")
    if options.originals and kind != "zip":
        raise RequestError(f"--originals: expected the format zip, received {kind}. Only a ZIP holds pictures.")
    store = existing_store(options)
    manifest = store.find(options.run)
    table = reviewed_results(store, manifest, map_results(store, manifest.run_id))
    if options.policy:
        table = with_decisions(table, read_policy(store, options.policy))
    filters = _groups(options, table)
    part = apply(table, filters)

    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("wb") as file:
        if kind == "csv":
            exports.write_csv(part, file)
        elif kind == "parquet":
            thumbnails = partial(load_thumbnails, store, manifest.run_id)
            exports.write_parquet(part, file, thumbnails=thumbnails, manifest=manifest.to_dict())
        elif kind == "zip":
            write_zip(part, file, open_image, manifest=manifest.to_dict(), originals=options.originals)
        else:
            file.write(_report(store, manifest, table, filters))
    print(f"Wrote {options.out} ({options.out.stat().st_size:,} bytes) from run {manifest.run_id}.")


def report(options: argparse.Namespace) -> None:
    """Write what a run shows as one HTML page of a few printed sheets."""
    store = existing_store(options)
    manifest = store.find(options.run)
    table = reviewed_results(store, manifest, map_results(store, manifest.run_id))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(_report(store, manifest, table, _groups(options, table), options.title or ""))
    print(f"Wrote {options.out} ({options.out.stat().st_size:,} bytes) from run {manifest.run_id}.")


def _groups(options: argparse.Namespace, table: pa.Table) -> Filters:
    from sparkcore.analysis.filters import Filters
    from sparkcore.analysis.groups import find_group

    return Filters(groups=tuple(find_group(table, name) for name in options.group))


def _report(store: RunStore, manifest: Manifest, table: pa.Table, filters: Filters, title: str = "") -> bytes:
    from sparkcore.analysis.report import Wanted, render_report

    wanted = Wanted(
        filters,
        title=title or read_notes(store).of(manifest.run_id).name,
        thumbnails=partial(load_thumbnails, store, manifest.run_id),
        vectors=vectors_of(store, manifest),
    )
    return render_report(table, manifest.to_dict(), wanted).encode()
