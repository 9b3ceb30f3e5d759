"""The commands of the command line; `cli.py` has their arguments."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import asdict
from typing import Any

from sparkcore import client
from sparkcore.analysis.policies import read_policy
from sparkcore.analysis.policy import Policy
from sparkcore.commands.options import engine_config, existing_store, run_config, truth_file
from sparkcore.commands.reviewing import keep_truth
from sparkcore.commands.terminal import print_json, print_table, watching
from sparkcore.imaging.lettering import display_name, percent
from sparkcore.runs.agreement import agreement_text
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from sparkcore.runs.unfinished import unfinished_runs

_SHOWN_LABELS = 15
_AGREEMENT = ("images", "same_label", "low", "high")


def run(options: argparse.Namespace) -> None:
    """Classify images, with progress on standard error."""
    from sparkcore.engine.pipeline import run as run_pipeline

    request, engine = run_config(options), engine_config(options)
    store = RunStore(engine.store, engine.state)
    policy, truth = read_policy(store, options.policy) if options.policy else None, truth_file(options)
    with watching(sys.stderr) as watch:
        outcome = run_pipeline(request, engine, watch=watch, retry_failed=options.retry_failed)
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
    labels = label_counts(table, top=_SHOWN_LABELS).to_pylist()
    print_table(
        ("label", "images", "share"),
        [(display_name(one["label"]), one["count"], percent(one["share"])) for one in labels],
    )
