from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sparkcore.analysis.filters import Area, Filters
from sparkcore.analysis.selection import select
from sparkcore.errors import RequestError, RunFailedError
from sparkcore.progress import Watch
from sparkcore.runs.layouts import Layout, X, is_laid_out, keep_layout, read_layout, with_places
from sparkcore.runs.mapped import forget, map_results, mapped_path, stale_maps
from sparkcore.runs.store import RunStore
from sparkcore.runs.vectors import Vectors
from tests.runs_fixture import write_run


def along_a_line(vectors: Vectors, watch: Watch) -> Layout:
    del watch
    count = len(vectors.short)
    places = np.column_stack([np.linspace(0, 1, count), np.full(count, 0.5)]).astype(np.float32)
    places[[not vectors.has(row) for row in range(count)]] = np.nan
    return Layout(places, 0.75)


def test_a_map_is_made_once_and_kept(store: RunStore) -> None:
    run = write_run(store, rows=20)
    manifest = store.manifest(run)
    assert not is_laid_out(store, manifest)
    made = keep_layout(store, run, along_a_line)
    assert made.kept == 0.75
    never: Callable[[Vectors, Watch], Layout] = lambda _vectors, _watch: pytest.fail("made again")  # noqa: E731
    np.testing.assert_array_equal(keep_layout(store, run, never).places, made.places)
    assert is_laid_out(store, manifest)

    table = with_places(map_results(store, run), made)
    assert table[X].null_count == 2
    assert select(table, Filters(area=Area(0, 0, 0.3, 1))).tolist() == [0, 1, 2, 3, 4, 5]
    assert select(table, Filters(area=Area(0, 0, 1, 0.4))).tolist() == []
    assert select(map_results(store, run), Filters(area=Area(0, 0, 1, 1))).tolist() == []

    assert stale_maps(store) == []
    mapped_path(store, manifest, ".layout").write_bytes(b"PK")
    with pytest.raises(RunFailedError, match="Delete this file"):
        read_layout(store, manifest)
    forget(store, run)
    assert not is_laid_out(store, manifest)


def test_a_run_without_embeddings_has_no_map(store: RunStore) -> None:
    with pytest.raises(RequestError, match="Run again with features"):
        keep_layout(store, write_run(store, features=False), along_a_line)
