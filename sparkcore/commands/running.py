"""The commands of the command line; `cli.py` has their arguments."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import asdict
from typing import Any

from sparkcore import client
from sparkcore.analysis.policy import Policy
from sparkcore.commands.judging import read_policy
from sparkcore.commands.options import engine_config, existing_store, run_config, truth_file
from sparkcore.commands.reviewing import keep_truth, reviewed_results
from sparkcore.commands.terminal import print_json, print_table, watching
from sparkcore.errors import RequestError
from sparkcore.runs.agreement import agreement_text
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.notes import read_notes
from sparkcore.runs.results import load_results, load_thumbnails
from sparkcore.runs.store import RunStore
from sparkcore.runs.unfinished import unfinished_runs

EXPORT_FORMATS = ("csv", "parquet", "zip", "html")
_SHOWN_LABELS = 15
_AGREEMENT = ("images", "same_label", "low", "high")


def run(options: argparse.Namespace) -> None:
    """Classify images, with progress on standard error."""
    from sparkcore.engine.pipeline import run as run_pipeline

    request, engine = run_config(options), engine_config(options)
    policy, truth = read_policy(options.policy) if options.policy else None, truth_file(options)
    with watching(sys.stderr) as watch:
        outcome = run_pipeline(request, engine, watch=watch, retry_failed=options.retry_failed)
    store = RunStore(engine.store, engine.state)
    decisions = _decisions(store, outcome.manifest, policy)
    labels = {"true_labels": keep_truth(store, outcome.manifest, truth)} if truth else {}
    if options.json:
        print_json({**_run_summary(store, outcome.manifest, outcome.status), **decisions, **labels})
        return
    print(f"Run {outcome.manifest.run_id}: {outcome.status}")
    _print_manifest(store, outcome.manifest)
    print_table(("decision", "images"), list(decisions.get("decisions", {}).items()))


def runs(options: argparse.Namespace) -> None:
    """List the finished runs, or the unfinished ones, newest first."""
    store = existing_store(options)
    if options.unfinished:
        _print_unfinished(store, as_json=options.json)
        return
    found = store.runs()
    if options.json:
        print_json([_run_summary(store, manifest, "complete") for manifest in found])
        return
    rows = [
        (
            m.run_id,
            m.finished_at[:16].replace("T", " "),
            m.model["name"],
            m.counts["images"],
            m.counts["errors"],
            m.config["images"],
        )
        for m in found
    ]
    print_table(("run", "finished (UTC)", "model", "images", "errors", "source"), rows)


def show(options: argparse.Namespace) -> None:
    """Show one run's settings, counts and labels."""
    store = existing_store(options)
    manifest = store.find(options.run)
    if options.json:
        print_json(manifest.to_dict())
        return
    print(f"Run {manifest.run_id}")
    _print_manifest(store, manifest)


def export(options: argparse.Namespace) -> None:
    """Write a run as CSV, Parquet, ZIP of annotated pictures, or HTML report."""
    from sparkcore.analysis import export as exports
    from sparkcore.analysis.archive import write_zip
    from sparkcore.analysis.filters import Filters
    from sparkcore.analysis.groups import find_group
    from sparkcore.analysis.policy import with_decisions
    from sparkcore.analysis.report import render_report
    from sparkcore.analysis.selection import apply
    from sparkcore.intake import open_image

    kind = options.format or options.out.suffix.lstrip(".").lower()
    if kind not in EXPORT_FORMATS:
        raise RequestError(f"--format: expected one of {', '.join(EXPORT_FORMATS)}, received {kind!r}.")
    if options.originals and kind != "zip":
        raise RequestError(f"--originals: expected the format zip, received {kind}. Only a ZIP holds pictures.")
    store = existing_store(options)
    manifest = store.find(options.run)
    table = reviewed_results(store, manifest, map_results(store, manifest.run_id))
    if options.policy:
        table = with_decisions(table, read_policy(options.policy))
    filters = Filters(groups=tuple(find_group(table, name) for name in options.group))
    part = apply(table, filters)

    def thumbnails(image_ids: list[str]) -> dict[str, bytes]:
        return load_thumbnails(store, manifest.run_id, image_ids)

    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("wb") as file:
        if kind == "csv":
            exports.write_csv(part, file)
        elif kind == "parquet":
            exports.write_parquet(part, file, thumbnails=thumbnails, manifest=manifest.to_dict())
        elif kind == "zip":
            write_zip(part, file, open_image, manifest=manifest.to_dict(), originals=options.originals)
        else:
            title = read_notes(store).of(manifest.run_id).name
            settings = manifest.to_dict()
            report = render_report(table, settings, filters=filters, thumbnails=thumbnails, title=title)
            file.write(report.encode())
    print(f"Wrote {options.out} ({options.out.stat().st_size:,} bytes) from run {manifest.run_id}.")


def models(options: argparse.Namespace) -> None:
    """List the models and whether their weights are on this machine."""
    del options
    rows = [(choice.name, "yes" if choice.ready else "no", choice.note) for choice in client.available_models()]
    print_table(("model", "ready", "weights"), rows)


def samples(options: argparse.Namespace) -> None:
    """Copy the built-in sample pictures to a folder."""
    from sparkcore.samples import copy_samples

    paths = copy_samples(options.folder, options.count)
    print(f"Copied {len(paths):,} pictures to {options.folder}.")


def engine(options: argparse.Namespace) -> None:
    """Run the engine process of a store here, or start it, stop it or show its state."""
    settings = engine_config(options)
    if options.action == "serve":
        from sparkcore.engine.service import serve

        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        serve(settings)
    elif options.action == "start":
        print("Started." if client.start_engine(settings) else "Already running.")
    elif options.action == "stop":
        print("Stopping." if client.stop_engine(settings) else "Not running.")
    else:
        pid = client.engine_pid(settings)
        print(f"Engine of {settings.store}: " + (f"running, process {pid}." if pid else "not running."))


def _print_unfinished(store: RunStore, *, as_json: bool) -> None:
    found = unfinished_runs(store)
    if as_json:
        print_json([asdict(run) for run in found])
        return
    rows = [(r.run_id, r.planned_at[:16].replace("T", " "), r.done, r.images, r.folder) for r in found]
    print_table(("run", "planned (UTC)", "done", "images", "folder"), rows)


def _decisions(store: RunStore, manifest: Manifest, policy: Policy | None) -> dict[str, Any]:
    """Return what a policy does with the images of a run, as counts by decision; nothing without one."""
    from sparkcore.analysis.policy import count_decisions, decide

    if policy is None:
        return {}
    table = load_results(store, manifest.run_id)
    return {"policy": policy.name, "decisions": count_decisions(decide(table, policy))}


def _run_summary(store: RunStore, manifest: Manifest, status: str) -> dict[str, Any]:
    names = ("images", "ok", "errors", "excluded", "computed", "resumed", "reused")
    return {
        "run_id": manifest.run_id,
        "status": status,
        "folder": store.folder(manifest.run_id),
        **{name: manifest.counts[name] for name in names},
        "seconds": manifest.timings["total"],
        "images_per_second": manifest.images_per_second,
        "images_per_second_no_load": manifest.images_per_second_no_load,
        "error_types": manifest.error_types,
        "model": manifest.model["name"],
        "model_source": manifest.model["source"],
        "runtime": manifest.model.get("runtime"),  # runs of 0.1 do not state it
        "precision": manifest.model.get("precision"),
        **_agreement(manifest),
    }


def _agreement(manifest: Manifest) -> dict[str, Any]:
    stated = manifest.agreement
    return {"agreement": {name: stated[name] for name in _AGREEMENT}} if stated else {}


def _print_manifest(store: RunStore, manifest: Manifest) -> None:
    from sparkcore.analysis.aggregates import label_counts

    counts, table = manifest.counts, load_results(store, manifest.run_id)
    print(f"  images   {manifest.config['images']}")
    print(f"  model    {manifest.model['name']}, {manifest.model['source']}")
    if stated := agreement_text(manifest.to_dict()):
        print(f"  labels   {stated}")
    print(
        f"  result   {counts['images']:,} images: {counts['ok']:,} ok, {counts['errors']:,} with errors, "
        f"{counts['excluded']:,} excluded by filters"
    )
    if manifest.left_out:
        print(f"  left out {manifest.left_out}")
    print(f"  work     {counts['computed']:,} computed, {counts['resumed']:,} resumed, {counts['reused']:,} reused")
    print(
        f"  speed    {manifest.timings['total']:.1f} s, "
        f"{manifest.images_per_second_no_load:.1f} images/s after the model was loaded"
    )
    print(f"  folder   {store.folder(manifest.run_id)}")
    if counts["images"] and not counts["ok"]:
        print('  No image could be read: every row has status "error".')
    print_table(("error", "images"), sorted(manifest.error_types.items(), key=lambda item: -item[1]))
    labels = label_counts(table, top=_SHOWN_LABELS)
    print_table(labels.schema.names, [tuple(row.values()) for row in labels.to_pylist()])
