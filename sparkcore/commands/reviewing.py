"""The commands about reviews: what people say of the pictures of a run, in and out of the store."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from sparkcore.commands.options import existing_store
from sparkcore.commands.terminal import print_json, print_table
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name, percent
from sparkcore.reviews.book import ReviewBook
from sparkcore.reviews.review import Change, Entry, State
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore

FORMATS = ("csv", "label-studio", "folders")
_SUFFIXES = {".csv": "csv", ".json": "label-studio", "": "folders"}


def import_reviews(options: argparse.Namespace) -> None:
    """Add the reviews of a file to the store."""
    from sparkcore.analysis.review_files import match_lines, read_lines

    store = existing_store(options)
    manifest = store.find(options.run)
    try:
        content = options.file.read_bytes()
    except OSError as error:
        raise RequestError(f"{options.file}: expected a file of reviews, but {error.strerror}.") from error
    found = match_lines(load_results(store, manifest.run_id), read_lines(content, options.file.name))
    if not found.images:
        raise RequestError(f"{options.file}: expected labels, tags or notes, received none.")
    review_id = ReviewBook(store).add(options.by or getpass.getuser(), found.entries)
    values = {
        "run_id": manifest.run_id,
        "review_id": review_id,
        "imported": found.images,
        "unknown": len(found.unknown),
        "new_classes": list(found.new_classes),
    }
    if options.json:
        print_json(values)
        return
    print(f"Imported reviews of {found.images:,} images of run {manifest.run_id}.")
    if found.unknown:
        print(f"{len(found.unknown):,} lines are about images that are not in this run, as {found.unknown[0]!r}.")
    if found.new_classes:
        print(f"New classes: {', '.join(found.new_classes)}.")


def export_reviews(options: argparse.Namespace) -> None:
    """Write the reviews of a run as CSV, as tasks for Label Studio, or as a folder for each label."""
    store = existing_store(options)
    manifest = store.find(options.run)
    kind = options.format or _SUFFIXES.get(options.out.suffix.lower())
    if kind not in FORMATS:
        raise RequestError(f"--format: expected one of {', '.join(FORMATS)}, received the file {options.out}.")
    if options.links and kind != "folders":
        raise RequestError(f"--links: expected the format folders, received {kind}.")
    table = reviewed_results(store, manifest)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    said = _write(table, manifest, kind, options)
    if options.json:
        print_json({"run_id": manifest.run_id, "format": kind, "out": str(options.out), **said})
    else:
        print(f"Wrote {options.out} from run {manifest.run_id}: " + ", ".join(f"{n:,} {w}" for w, n in said.items()))


def stats(options: argparse.Namespace) -> None:
    """Count the reviews of a run, and estimate the accuracy on all of its images."""
    from sparkcore.analysis.review_stats import review_stats

    store = existing_store(options)
    manifest = store.find(options.run)
    found = review_stats(load_results(store, manifest.run_id), states_of(store), manifest.run_id)
    if options.json:
        print_json({"run_id": manifest.run_id, **asdict(found)})
        return
    print(f"{found.reviewed:,} of {found.images:,} images reviewed, {found.starred:,} starred.")
    if found.accuracy is not None and found.low is not None and found.high is not None:
        interval = f"{percent(found.low)} to {percent(found.high)}"
        print(
            f"Of {found.judged:,} judged images {found.correct:,} are correct: {percent(found.accuracy)} ({interval})."
        )
    if found.whole:
        whole = found.whole
        print(
            f"Of all images, by {whole.judged:,} of a random sample: {percent(whole.accuracy)} "
            f"({percent(whole.low)} to {percent(whole.high)}); about {whole.more:,} more for 3 points on each side."
        )
    print_table(("tag", "images"), list(found.tags.items()))
    print_table(("person", "images"), list(found.people.items()))


def keep_truth(store: RunStore, manifest: Manifest, path: Path) -> int:
    """Keep the true labels of a CSV as reviews of the run's pictures, and return their number; raises RequestError.

    What is known already is not said again.
    """
    from sparkcore.analysis.review_files import match_lines
    from sparkcore.analysis.truth_file import read_truth

    table = load_results(store, manifest.run_id)
    found = match_lines(table, read_truth(path.read_bytes(), path.name, table))
    states = states_of(store)
    entries = [
        Entry(entry.change, tuple(one for one in entry.pictures if _says_more(states, one.keys[0], entry.change)))
        for entry in found.entries
    ]
    if any(entry.pictures for entry in entries):
        ReviewBook(store).add(path.name, entries)
    return found.images


def _says_more(states: Mapping[str, State], key: str, change: Change) -> bool:
    return key not in states or states[key].answer != change.answer


def states_of(store: RunStore) -> dict[str, State]:
    """Return all reviews of a store, those of others included."""
    book = ReviewBook(store)
    book.sync()
    return book.states()


def reviewed_results(
    store: RunStore, manifest: Manifest, table: pa.Table | None = None, *, reviews_first: bool = False
) -> pa.Table:
    """Return the result of a run with its reviews, which are the true labels where there are none."""
    from sparkcore.analysis.reviewed import with_reviews

    table = load_results(store, manifest.run_id) if table is None else table
    return with_reviews(table, states_of(store), given=manifest.config["truth"], reviews_first=reviews_first)


def _write(table: pa.Table, manifest: Manifest, kind: str, options: argparse.Namespace) -> dict[str, int]:
    """Write one file or folder and return what is in it, as counts."""
    from sparkcore.analysis import review_files
    from sparkcore.analysis.class_lookup import ClassLookup
    from sparkcore.analysis.label_folders import write_label_folders
    from sparkcore.intake import open_image

    out: Path = options.out
    if kind == "folders":
        made = write_label_folders(table, out, open_image, links=options.links)
        return {"pictures": made.pictures, "folders": made.folders, "missing": len(made.missing)}
    if kind == "csv":
        with out.open("wb") as file:
            return {"reviews": review_files.write_review_csv(table, file)}
    tasks = review_files.label_studio_tasks(table, manifest.model["name"])
    out.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    names = dict.fromkeys(display_name(one.label) for one in ClassLookup.of(table).classes)
    names |= dict.fromkeys(one["result"][0]["value"]["choices"][0] for task in tasks for one in task["annotations"])
    out.with_suffix(".xml").write_text(review_files.label_studio_config(list(names)), encoding="utf-8")
    return {"tasks": len(tasks), "reviews": sum(bool(task["annotations"]) for task in tasks)}
