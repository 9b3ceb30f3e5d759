"""Commands that explore the pictures of a run: similar ones, duplicates and poor ones."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.commands.options import existing_store
from sparkcore.commands.terminal import print_json, print_table
from sparkcore.errors import ImageError, RequestError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from sparkcore.runs.vectors import check_comparable, map_vectors, vectors_of

_SHOWN_GROUPS = 50
_SHOWN_PROBLEMS = 10

# Options of `quality`, with their meaning.
THRESHOLDS = {
    "dark": "most brightness of a dark picture, 0 to 1 (default: 0.12)",
    "bright": "least brightness of a bright picture, 0 to 1 (default: 0.92)",
    "contrast": "least contrast, 0 to 1 (default: 0.06)",
    "sharpness": "least sharpness (default: 40)",
    "tiny": "least length of the shorter side in pixels (default: 64)",
    "aspect": "most ratio of longer to shorter side (default: 3)",
    "unlike": "least similarity to the most similar image of a sample, 0 to 1 (default: 0.35)",
}


def similar(options: argparse.Namespace) -> None:
    """Show the pictures of a run that are most similar to one of it, to one of another run, or to a file."""
    from sparkcore.analysis.similarity import neighbors

    if options.count < 1:
        raise RequestError(f"--count: expected a whole number of at least 1, received {options.count}.")
    store = existing_store(options)
    manifest = store.find(options.run)
    vectors, table = map_vectors(store, manifest.run_id), map_results(store, manifest.run_id)
    wanted, own = _wanted(store, manifest, options)
    found = neighbors(vectors, wanted, options.count, exclude=own)
    rows = _named(table, found.rows)
    for row, similarity in zip(rows, found.similarities.tolist(), strict=True):
        row["similarity"] = round(similarity, 6)
    if options.json:
        print_json(rows)
        return
    print_table(
        ("image", "file", "similarity"), [(r["image_id"], r["file_name"], f"{r['similarity']:.4f}") for r in rows]
    )


def _wanted(store: RunStore, manifest: Manifest, options: argparse.Namespace) -> tuple[Any, int | None]:
    """Return the embedding that is asked for, and its row where it is one of the run."""
    source = store.find(options.of) if options.of else manifest
    if options.of:
        check_comparable(manifest, source)
    row = row_of(map_results(store, source.run_id), options.image)
    if row is not None:
        vectors = map_vectors(store, source.run_id)
        if not vectors.has(row):
            raise RequestError(f"The image {options.image} could not be read, so that it has no embedding.")
        return vectors.embeddings[row], row if source.run_id == manifest.run_id else None
    path = Path(options.image).expanduser()
    if not path.is_file():
        raise RequestError(
            f"Expected the id of an image of run {source.run_id}, or a picture file, received {options.image!r}."
        )
    from sparkcore.engine.embedding import embed_files

    try:
        return embed_files(manifest, [path])[0], None
    except ImageError as error:
        raise RequestError(str(error)) from error


def duplicates(options: argparse.Namespace) -> None:
    """Show groups of equal and of nearly equal pictures of a run, the best of each first."""
    from sparkcore.analysis.duplicates import find_duplicates

    store = existing_store(options)
    manifest = store.find(options.run)
    table = map_results(store, manifest.run_id)
    _check_measured(table, manifest)
    groups = find_duplicates(table, vectors_of(store, manifest))
    if options.json:
        columns = ("size_bytes", "width", "height", "sharpness")
        print_json([{"kind": group.kind, "images": _named(table, group.rows, columns)} for group in groups])
        return
    exact = sum(group.kind == "exact" for group in groups)
    print(
        f"{exact:,} groups of equal files, {len(groups) - exact:,} of nearly equal pictures. The best of each is first."
    )
    shown = [
        (number, group.kind, row["image_id"], row["file_name"], f"{row['width']} x {row['height']}")
        for number, group in enumerate(groups[:_SHOWN_GROUPS], 1)
        for row in _named(table, group.rows, ("width", "height"))
    ]
    print_table(("group", "kind", "image", "file", "size"), shown)


def quality(options: argparse.Namespace) -> None:
    """Show the pictures of a run that are dark, bright, blurry, odd and so on, with the thresholds."""
    from sparkcore.analysis.quality import Thresholds, find_problems, measures

    store = existing_store(options)
    manifest = store.find(options.run)
    table = map_results(store, manifest.run_id)
    _check_measured(table, manifest)
    given = {field.name: getattr(options, field.name) for field in fields(Thresholds)}
    thresholds = Thresholds(**{name: value for name, value in given.items() if value is not None})
    problems = find_problems(measures(table, vectors_of(store, manifest)), thresholds)
    limits = {field.name: getattr(thresholds, field.name) for field in fields(Thresholds)}
    if options.json:
        found = [{"kind": kind, "images": _named(table, rows)} for kind, rows in problems.items()]
        print_json({"thresholds": limits, "problems": found})
        return
    print("Thresholds: " + ", ".join(f"{name} {value:g}" for name, value in limits.items()))
    print_table(("problem", "images"), [(kind, len(rows)) for kind, rows in problems.items()])
    worst = [(kind, row) for kind, rows in problems.items() for row in _named(table, rows[:_SHOWN_PROBLEMS])]
    print_table(("problem", "image", "file"), [(kind, row["image_id"], row["file_name"]) for kind, row in worst])


def _check_measured(table: pa.Table, manifest: Manifest) -> None:
    """Raise RequestError for a run of a version that measured no pictures."""
    if table.num_rows and table["content_hash"].null_count == table.num_rows:
        raise RequestError(
            f"Expected a run with hashes and measures of its pictures, run {manifest.run_id} was made by an earlier "
            "version. Run again with features."
        )


def row_of(table: pa.Table, image: str) -> int | None:
    """Return the number of the row of an image id, None where there is none."""
    place = pc.index(table["image_id"], image).as_py()
    return None if place < 0 else int(place)


def _named(table: pa.Table, rows: Any, columns: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        table.select(["image_id", "file_name", *columns]).take(pa.array(rows, pa.int64())).to_pylist()
    )
    return found
