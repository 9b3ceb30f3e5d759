from __future__ import annotations

from typing import Any

import pytest

from pages.components.crossfilter import picked
from sparkcore.analysis.filters import Filters


@pytest.mark.parametrize(
    ("wanted", "field", "selection", "change"),
    [
        (Filters(), "labels", [{"label": "cat"}], {"labels": ("cat",)}),
        (Filters(labels=("dog",)), "labels", [{"label": "cat"}], {"labels": ("cat",)}),
        (Filters(labels=("cat",)), "labels", [{"label": "cat"}], {"labels": None}),
        (Filters(), "errors", [{"label": "empty"}], {"errors": ("empty",)}),
        (Filters(), "pair", [{"truth": "cat", "label": "dog"}], {"pair": ("cat", "dog")}),
        (Filters(pair=("cat", "dog")), "pair", [{"truth": "cat", "label": "dog"}], {"pair": None}),
        (Filters(), "top_two", [{"first": "cat", "second": "dog"}], {"top_two": ("cat", "dog")}),
        (Filters(), "score", {"low": [0.25001, 0.7512]}, {"score": (0.25, 0.751)}),
        (Filters(score=(0.2, 0.4)), "score", {}, {"score": None}),
        (Filters(), "score", {}, {"score": None}),
        (Filters(), "labels", [{"count": 3}], {}),
        (Filters(), "pair", [{"truth": "cat"}], {}),
    ],
)
def test_a_selection_becomes_a_filter(wanted: Filters, field: str, selection: Any, change: dict[str, Any]):
    assert picked(wanted, field, selection) == change
