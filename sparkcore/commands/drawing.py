"""Commands that draw: the map of a run, and why a label was chosen."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sparkcore.commands.exploration import row_of
from sparkcore.commands.options import existing_store
from sparkcore.commands.terminal import print_json, watching
from sparkcore.errors import ImageError, RequestError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results, read_thumbnails

if TYPE_CHECKING:
    from sparkcore.analysis.explanation import Explanation

_ARRAYS = ".npz"


def lay_out(options: argparse.Namespace) -> None:
    """Give each picture of a run a place on a map, near those of similar pictures; write the places as CSV."""
    from sparkcore.analysis.export import write_csv
    from sparkcore.analysis.layout import NEIGHBORS, WITHIN
    from sparkcore.analysis.layout import lay_out as make
    from sparkcore.runs.layouts import X, Y, keep_layout, with_places

    store = existing_store(options)
    manifest = store.find(options.run)
    with watching(sys.stderr, "nothing is kept.") as watch:
        layout = keep_layout(store, manifest.run_id, make, watch)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        table = with_places(map_results(store, manifest.run_id).select(["image_id", "file_name"]), layout)
        with options.out.open("wb") as file:
            write_csv(table.rename_columns({X: "x", Y: "y"}), file)
    if options.json:
        out = None if options.out is None else str(options.out)
        print_json({"run_id": manifest.run_id, "images": len(layout.places), "kept": round(layout.kept, 4), "out": out})
        return
    print(
        f"Of a picture's {NEIGHBORS} most similar ones, {NEIGHBORS * layout.kept:.1f} are among its {WITHIN} nearest "
        "on the map." + (f" Wrote {options.out}." if options.out else "")
    )


def explain(options: argparse.Namespace) -> None:
    """Draw where in a picture the model found evidence for a label, as PNG; or write the evidence for all labels."""
    from sparkcore.analysis.explanation import explanation_png, has_maps, load_explanation
    from sparkcore.intake import open_image

    store = existing_store(options)
    manifest = store.find(options.run)
    table = map_results(store, manifest.run_id)
    row = row_of(table, options.image)
    if row is None:
        raise RequestError(f"Expected the id of an image of run {manifest.run_id}, received {options.image!r}.")
    try:
        content = open_image(table["origin"][row].as_py())
    except ImageError as error:
        if not has_maps(manifest):
            raise RequestError(
                f"Run {manifest.run_id} has no activation maps, so that the picture itself is needed: {error} Put it "
                "back, or run again with features."
            ) from error
        content = read_thumbnails(store, manifest.run_id, [row])[0] or b""
    if has_maps(manifest):
        explanation = load_explanation(store, manifest, options.image)
    else:
        explanation = _by_occlusion(manifest, table.slice(row, 1), content)
    label = options.label or explanation.labels[0]
    evidence = explanation.evidence(options.label, options.against)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.out.suffix == _ARRAYS:
        np.savez(options.out, labels=np.array(explanation.labels), maps=explanation.maps)
    else:
        options.out.write_bytes(explanation_png(content, evidence, manifest))
    _say(options, label, "activation map" if has_maps(manifest) else "occlusion")


def _by_occlusion(manifest: Manifest, row: pa.Table, content: bytes) -> Explanation:
    from sparkcore.analysis.explanation import Explanation
    from sparkcore.engine.occlusion import occlude

    top = row["top"][0].as_py()
    if not top:
        raise RequestError(f"The image {row['image_id'][0].as_py()} could not be read, so that it has no labels.")
    try:
        maps = occlude(manifest, content, [one["class_id"] for one in top])
    except ImageError as error:
        raise RequestError(f"The picture cannot be read any more: {error}") from error
    return Explanation(tuple(one["label"] for one in top), maps)


def _say(options: argparse.Namespace, label: str, method: str) -> None:
    if options.json:
        facts = {"image_id": options.image, "out": str(options.out), "label": label, "against": options.against}
        print_json({**facts, "method": method})
        return
    if options.out.suffix == _ARRAYS:
        print(f"Wrote {options.out}: the evidence for each label, by {method}.")
        return
    other = f"for {options.against}" if options.against else "against it"
    print(f"Wrote {options.out}, by {method}: orange speaks for {label}, blue {other}.")
