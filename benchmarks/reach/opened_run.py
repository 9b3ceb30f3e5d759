"""Open a run as the dashboard does, filter it, read a page of thumbnails; print the seconds as JSON.

    python -m benchmarks.reach.opened_run STORE STATE RUN

A process of its own, so that nothing is known of the run but what the state folder has.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.selection import select
from sparkcore.runs.mapped import map_results, read_thumbnails
from sparkcore.runs.store import RunStore

_PAGE = 60
_TIMES = 5
_FILTERS = {
    "label": Filters(labels=("class_007",)),
    "score": Filters(score=(0.4, 0.6)),
    "name": Filters(name="0012"),
}


def main() -> None:
    """Measure what the command line names, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("state", type=Path)
    parser.add_argument("run")
    options = parser.parse_args()
    store = RunStore(options.store, options.state)
    open_s = _seconds(lambda: map_results(store, options.run))
    table = map_results(store, options.run)
    filter_s = {name: _median_s(lambda one=one: select(table, one)) for name, one in _FILTERS.items()}
    generator = np.random.default_rng(0)

    def scattered() -> None:
        rows = np.sort(generator.choice(table.num_rows, min(_PAGE, table.num_rows), replace=False)).tolist()
        read_thumbnails(store, options.run, rows)

    page_s = _seconds(scattered), _median_s(scattered)
    print(json.dumps({"open_s": open_s, "filter_s": filter_s, "first_page_s": page_s[0], "page_s": page_s[1]}))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median_s(work: Callable[[], object]) -> float:
    return statistics.median(_seconds(work) for _ in range(_TIMES))


if __name__ == "__main__":
    main()
