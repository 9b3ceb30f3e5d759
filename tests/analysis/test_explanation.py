from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sparkcore.analysis.explanation import load_explanation
from sparkcore.errors import RequestError
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.runs_fixture import write_run


def test_evidence_for_a_label_and_against_another(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    manifest = store.manifest(write_run(store))
    table = map_results(store, manifest.run_id)
    found = load_explanation(store, manifest, table["image_id"][0].as_py())
    assert found.labels == tuple(entry["label"] for entry in table["top"][0].as_py())
    assert found.evidence().tolist() == [[1, 0], [0, 0]]
    assert found.evidence(found.labels[4]).tolist() == [[-1, 0], [0, 0]]
    assert found.evidence("date palm", "elderberry").tolist() == found.evidence("date_palm", "elderberry").tolist()
    difference = found.maps[1] - found.maps[0]
    np.testing.assert_allclose(found.evidence(found.labels[1], found.labels[0]), difference / np.abs(difference).max())
    with pytest.raises(RequestError, match="label: expected one of apple"):
        found.evidence("zebra")


def test_what_has_no_maps_is_said(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    manifest = store.manifest(write_run(store))
    table = map_results(store, manifest.run_id)
    broken = table["image_id"][table["status"].to_pylist().index("error")].as_py()
    with pytest.raises(RequestError, match="could not be read"):
        load_explanation(store, manifest, broken)
    with pytest.raises(RequestError, match="Expected the id of an image"):
        load_explanation(store, manifest, "0" * 16)
    without = store.manifest(write_run(store, features=False))
    with pytest.raises(RequestError, match=r"has none: .* --features none\. Run again"):
        load_explanation(store, without, broken)
