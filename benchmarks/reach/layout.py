"""The map of a million made-up embeddings: how long it takes, how good it is, and what of it is sent to a browser."""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.reach.figure import Figure
from benchmarks.reach.similar import make_up
from sparkcore.analysis.columns import Encoded
from sparkcore.analysis.layout import NEIGHBORS, WITHIN, lay_out
from sparkcore.analysis.map_drawing import WHOLE, draw
from sparkcore.runs.vectors import open_arrays

_LENGTH = 512
_LABELS = 1_000
_AT_MOST_S, _LATER_S, _SENT_KB = 60.0, 1.0, 200.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this figure."""
    parser.add_argument("--count", type=int, default=1_000_000)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield the seconds and memory of making a map, what it keeps, and seconds and bytes of a drawing."""
    conditions = f"{options.count:,} made-up embeddings of {_LENGTH} numbers"
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as name:
        path, shape = Path(name, "x.embeddings"), (options.count, _LENGTH)
        make_up(path, shape)
        started = time.perf_counter()
        layout = lay_out(open_arrays(path, shape))
        yield Figure("map", time.perf_counter() - started, "s", conditions, at_most=_AT_MOST_S)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        yield Figure("memory of a map", peak_mb, "MB", conditions)
        kept = f"of the {NEIGHBORS} most similar, those among the {WITHIN} nearest; {conditions}"
        yield Figure("kept by the map", NEIGHBORS * layout.kept, "", kept)
    codes = np.random.default_rng(0).integers(0, _LABELS, options.count, np.int32)
    label = Encoded(codes, tuple(f"class {code:04d}" for code in range(_LABELS)))
    started = time.perf_counter()
    drawing = draw(layout.places, label, label, np.arange(options.count), WHOLE)
    content = json.dumps(drawing.to_dict(), separators=(",", ":"))
    yield Figure("drawing", time.perf_counter() - started, "s", conditions, at_most=_LATER_S)
    sent = f"without thumbnails, which are at most 110 KB; {conditions}"
    yield Figure("sent to a browser", len(content) / 1000, "KB", sent, at_most=_SENT_KB - 110)
