from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sparkcore.analysis.filters import Filters, describe
from sparkcore.analysis.groups import (
    all_groups,
    find_group,
    find_labels,
    group_counts,
    label_paths,
    narrowed_labels,
    with_groups,
)
from sparkcore.analysis.label_table import group_accuracy, label_table
from sparkcore.analysis.selection import select
from sparkcore.classes import distinct_names, imagenet_classes
from sparkcore.errors import RequestError
from sparkcore.groups import imagenet_groups
from sparkcore.runs.class_names import with_class_names, with_own_groups
from tests.analysis.tables import failed, row, table_of

RETRIEVER, BEAGLE = ("n02099601", "golden_retriever", 0.9), ("n02088364", "beagle", 0.7)
HOTDOG, JAY, NEW = ("n07697537", "hotdog", 0.5), ("n01580077", "jay", 0.3), ("x1", "gizmo", 0.2)


def table() -> pa.Table:
    rows = [
        row("0.jpg", RETRIEVER, truth="golden retriever"),
        row("1.jpg", BEAGLE, truth="golden retriever"),
        row("2.jpg", RETRIEVER),
        row("3.jpg", HOTDOG, truth="hotdog"),
        row("4.jpg", JAY, truth="n01580077"),
        failed("5.jpg", "empty"),
        row("6.jpg", NEW),
    ]
    return table_of(*rows)


def all_labels() -> list[tuple[str, str]]:
    classes = imagenet_classes()
    return [(one.class_id, name) for one, name in zip(classes, distinct_names(classes), strict=True)]


def test_dog_finds_all_dogs_and_no_hotdog():
    classes, groups = all_labels(), imagenet_groups()
    found = set(find_labels("dog", {name: groups[class_id] for class_id, name in classes}))
    dogs = {name for class_id, name in classes if groups[class_id][:2] == ("Animals", "Dogs")}
    assert len(dogs) == 118
    assert found == dogs | {"African_hunting_dog"}  # its name says so; WordNet counts it as a wild dog


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Dogs", {"golden_retriever", "beagle"}),
        ("dog golden", {"golden_retriever"}),
        ("hot dog", set()),
        ("hotdog, bird", {"hotdog", "jay"}),
        ("retri", {"golden_retriever"}),  # nothing is called so: beginnings of words
        ("GOLDEN-retriever", {"golden_retriever"}),
        (" , ", set()),
        ("gizmo", {"gizmo"}),
    ],
)
def test_a_search_by_words(query: str, expected: set[str]):
    assert set(find_labels(query, label_paths(table()))) == expected


def test_filters_by_group_and_by_search():
    found = table()
    assert select(found, Filters(groups=("Animals > Dogs",))).tolist() == [0, 1, 2]
    assert select(found, Filters(groups=("Animals > Dogs > Hounds", "Food and drink"))).tolist() == [1, 3]
    assert select(found, Filters(groups=("Animals > Dog",))).tolist() == []
    assert select(found, Filters(find="dog")).tolist() == [0, 1, 2]
    assert select(found, Filters(find="animal", labels=("jay",))).tolist() == [4]
    wanted = Filters.from_query({"group": ["Animals > Dogs", " > "], "find": "dog_x"})
    assert wanted == Filters(groups=("Animals > Dogs",), find="dog_x")
    assert wanted.to_query() == {"find": ["dog_x"], "group": ["Animals > Dogs"]}
    assert describe(wanted) == [("find", "label or group like “dog_x”"), ("groups", "Dogs")]
    assert narrowed_labels(label_paths(found), Filters(groups=("Animals > Birds",))) == ["jay"]


def test_groups_are_counted_level_by_level():
    found = table()
    top = group_counts(found).to_pylist()
    assert [(one["label"], one["group"], one["count"], one["labels"]) for one in top] == [
        ("Animals", "Animals", 4, 3),
        ("Food and drink", "Food and drink", 1, 1),
        ("other labels", "", 1, 1),
    ]
    assert [one["is_rest"] for one in top] == [False, False, True]
    assert sum(one["share"] for one in top) == pytest.approx(1)
    below = group_counts(found, np.array([0, 1, 4]), ("Animals",))
    assert below.select(["label", "group", "count"]).to_pylist() == [
        {"label": "Dogs", "group": "Animals > Dogs", "count": 2},
        {"label": "Birds", "group": "Animals > Birds", "count": 1},
    ]
    assert group_counts(found.slice(0, 0)).num_rows == 0


def test_names_of_groups():
    found = table()
    assert all_groups(label_paths(found))[:3] == ("Animals", "Animals > Birds", "Animals > Birds > Songbirds")
    assert find_group(found, "dogs") == "Animals > Dogs"
    assert find_group(found, "DOGS > terriers".replace("terriers", "hounds")) == "Animals > Dogs > Hounds"
    with pytest.raises(RequestError, match=r"run \(Animals, Food and drink\), received 'plants'"):
        find_group(found, "plants")
    assert find_group(with_class_names(found, imagenet_classes()), "terriers") == "Animals > Dogs > Terriers"


def test_the_column_of_an_export():
    named = with_groups(table())
    assert named.column_names[named.column_names.index("label") + 1] == "group"
    assert named["group"].to_pylist()[2:] == [
        "Animals > Dogs > Retrievers",
        "Food and drink > Dishes",
        "Animals > Birds > Songbirds",
        None,
        None,
    ]
    plain = table_of(row("a.jpg", NEW))
    assert with_groups(plain) is plain


def test_groups_that_a_model_brings_along():
    found = table()
    own = found.replace_schema_metadata(with_own_groups(found.schema, {"x1": ("Things",)}).metadata)
    assert select(own, Filters(groups=("Things",))).tolist() == [6]
    assert select(own, Filters(find="thing")).tolist() == [6]
    assert select(own, Filters(groups=("Animals > Dogs",))).tolist() == [0, 1, 2]


def test_the_table_of_labels_and_the_accuracy_of_groups():
    found = label_table(table()).to_pylist()
    assert found[0] == {
        "label": "golden_retriever",
        "group": "Animals > Dogs > Retrievers",
        "count": 2,
        "share": pytest.approx(1 / 3),
        "score": pytest.approx(0.9),
        "correct": 1.0,
    }
    assert [(one["label"], one["group"], one["correct"]) for one in found[1:]] == [
        ("beagle", "Animals > Dogs > Hounds", 0.0),
        ("hotdog", "Food and drink > Dishes", 1.0),
        ("jay", "Animals > Birds > Songbirds", 1.0),
        ("gizmo", None, None),
    ]
    groups = group_accuracy(table()).to_pylist()
    assert [(one["group"], one["images"], one["accuracy"]) for one in groups] == [
        ("Animals > Dogs", 2, 0.5),
        ("Food and drink > Dishes", 1, 1.0),
        ("Animals > Birds", 1, 1.0),
    ]
    assert (groups[0]["low"], groups[0]["high"]) == (pytest.approx(0.0126, abs=1e-4), pytest.approx(0.9874, abs=1e-4))
    assert group_accuracy(table(), np.array([3])).num_rows == 1
    assert label_table(table(), np.array([5])).num_rows == 0
