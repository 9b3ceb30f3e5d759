from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.analysis.policies import delete_policy, read_policy, save_policy, saved_policies
from sparkcore.analysis.policy import Policy, measure_precision
from sparkcore.errors import RequestError
from sparkcore.runs.store import RunStore
from tests.analysis.tables import row, table_of


def test_policies_are_kept_by_name(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "store")
    for policy in (Policy("b/ü", 0.5), Policy("A", 0.9), Policy("A", 0.8, classes={"cat": 0.7})):
        save_policy(store, policy)
    store.storage.write("policies/broken.json", b"{")
    assert saved_policies(store) == [Policy("A", 0.8, classes={"cat": 0.7}), Policy("b/ü", 0.5)]
    assert read_policy(store, "b/ü") == Policy("b/ü", 0.5)
    (tmp_path / "c.json").write_text(Policy("C", 0.3).to_json())
    assert read_policy(store, str(tmp_path / "c.json")) == Policy("C", 0.3)
    delete_policy(store, "A")
    with pytest.raises(RequestError, match=r"name of a policy of this store \(b/ü\), received 'A'"):
        read_policy(store, "A")


def test_the_precision_of_a_policy_on_other_images() -> None:
    predictions = [
        ("cat", 0.9, "cat"),
        ("cat", 0.8, "dog"),
        ("cat", 0.7, "cat"),
        ("dog", 0.7, "dog"),
        ("cat", 0.9, None),
    ]
    rows = [row(f"{n}.jpg", ("n1", label, score), truth=truth) for n, (label, score, truth) in enumerate(predictions)]
    found = measure_precision(table_of(*rows), Policy("a", 0.8, classes={"dog": 0.6}))
    assert found is not None
    assert (found.kept, found.precision, found.share) == (3, 2 / 3, 3 / 4)
    assert found.low < 2 / 3 < found.high
    assert measure_precision(table_of(*rows), Policy("a", 1.0)) is None
