"""Measuring what the list of all runs shows of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.reviewed import reviewed_rows, with_said
from sparkcore.analysis.truth import has_truth, is_correct
from sparkcore.imaging.thumbnail import smaller
from sparkcore.reviews.review import State
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.mapped import map_results, read_thumbnails
from sparkcore.runs.run_cards import ANY_REVIEWS, RunCard
from sparkcore.runs.store import RunStore

PICTURE_SIDE = 72  # pixels


def measure_card(store: RunStore, manifest: Manifest, states: Mapping[str, State], revision: int) -> RunCard:
    """Count the correct images of a run by its true labels and reviews, and take one of its pictures.

    Reads the columns of all rows. Raises SparkcoreError for a run that cannot be read.
    """
    table = map_results(store, manifest.run_id)
    is_open = table["truth"].null_count > 0  # reviews are true labels where there are none
    if is_open:
        table = with_said(table, reviewed_rows(table, states), given=manifest.config["truth"])
    correct, judged = _count(table)
    return RunCard(correct, judged, _picture(store, manifest, table), revision if is_open else ANY_REVIEWS)


def _count(table: pa.Table) -> tuple[int, int]:
    if not has_truth(table):
        return 0, 0
    found = is_correct(table)
    return int(pc.sum(found).as_py() or 0), len(found) - found.null_count


def _picture(store: RunStore, manifest: Manifest, table: pa.Table) -> bytes:
    readable = np.flatnonzero(table["label"].slice(0, 1000).is_valid().to_numpy())
    if not len(readable):
        return b""
    content = read_thumbnails(store, manifest.run_id, [int(readable[0])])[0]
    return b"" if content is None else smaller(content, PICTURE_SIDE)
