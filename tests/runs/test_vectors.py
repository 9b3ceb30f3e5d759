from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sparkcore.errors import RequestError
from sparkcore.runs.mapped import forget, map_results, stale_maps
from sparkcore.runs.results import load_rows
from sparkcore.runs.store import RunStore
from sparkcore.runs.vectors import check_comparable, map_vectors
from tests.runs_fixture import write_run


def test_embeddings_are_in_the_order_of_the_table(store: RunStore) -> None:
    run = write_run(store, rows=45)
    ids = map_results(store, run)["image_id"].to_pylist()
    stored = {row["image_id"]: row["embedding"] for row in load_rows(store, run, ids, ["embedding"]).to_pylist()}
    for _ in range(2):
        vectors = map_vectors(store, run)
        assert [row.tobytes() for row in vectors.embeddings] == [stored[one] or bytes(16) for one in ids]
        assert [vectors.has(row) for row in range(45)] == [stored[one] is not None for one in ids]
        expected = (vectors.embeddings.astype(np.float32) - vectors.center) @ vectors.axes
        np.testing.assert_allclose(vectors.short, expected.clip(-127, 127), atol=0.51)
        assert np.abs(vectors.short).max() > 100
    forget(store, run)
    assert not list((store.state / "mapped").glob(f"{run}*"))
    map_vectors(store, run)
    assert stale_maps(store) == []


def test_runs_without_embeddings_and_of_other_models_are_refused(store: RunStore) -> None:
    run = write_run(store, features=False)
    with pytest.raises(RequestError, match=r"has none: the run was started with --features none. Run again with"):
        map_vectors(store, run)
    manifest = store.manifest(write_run(store))
    check_comparable(manifest, replace(manifest, run_id="f" * 16))
    for name, value, said in (("digest", "1" * 64, "model"), ("crop_ratio", 0.5, "resize mode")):
        other = replace(manifest, model={**manifest.model, name: value})
        with pytest.raises(RequestError, match=f"differ in {said}: distances between their embeddings mean nothing"):
            check_comparable(manifest, other)
