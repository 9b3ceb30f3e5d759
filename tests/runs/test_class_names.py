from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pytest

from sparkcore.classes import ClassName, imagenet_classes
from sparkcore.groups import imagenet_groups
from sparkcore.runs.class_names import classes_of, groups_of, with_class_names
from sparkcore.runs.layout import classes_name, groups_name
from sparkcore.runs.mapped import map_results
from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from tests.analysis.tables import failed, row, table_of
from tests.runs_fixture import LABELS, write_run

BIRD, MACHINE, TENCH = ("n02012849", "crane", 0.5), ("n03126707", "crane", 0.25), ("n01440764", "tench", 0.25)
TABLE = table_of(row("a.jpg", BIRD, MACHINE), failed("b.jpg", "empty"), row("c.jpg", TENCH, BIRD))


def labels_of(table: pa.Table) -> list[tuple[str | None, list[str]]]:
    rows = table.select(["label", "top"]).to_pylist()
    return [(row["label"], [one["label"] for one in row["top"] or []]) for row in rows]


@pytest.mark.parametrize("table", [TABLE, pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 1), TABLE.slice(2)])])
def test_equal_labels_are_told_apart_in_every_column(table: pa.Table):
    named = with_class_names(table, imagenet_classes())
    assert labels_of(named) == [
        ("crane (bird)", ["crane (bird)", "crane (machine)"]),
        (None, []),
        ("tench", ["tench", "crane (bird)"]),
    ]
    assert named.schema == table.schema
    others = [name for name in table.column_names if name not in ("label", "top")]
    assert named.select(others).equals(table.select(others))
    assert [one["score"] for one in named["top"][0].as_py()] == [0.5, 0.25]
    assert named["top"].null_count == 1


def test_the_classes_travel_with_the_rows():
    classes = (ClassName("n02012849", "crane"), ClassName("n01440764", "tench"))
    named = with_class_names(TABLE, classes)
    assert labels_of(named)[0][0] == "crane"  # this model has one crane only
    for part in (named, named.take(pa.array([2])), named.select(["label"]), named.slice(1, 1)):
        assert classes_of(part) == classes
    assert classes_of(TABLE) == ()


def test_a_run_without_its_classes_falls_back_to_imagenet():
    named = with_class_names(TABLE, (), 1000)
    assert labels_of(named)[0][0] == "crane (bird)"
    assert classes_of(named) == imagenet_classes()
    of_small_model = with_class_names(TABLE, (), 60)
    assert labels_of(of_small_model)[0][0] == "crane (bird)"
    assert classes_of(of_small_model) == ()


@pytest.mark.parametrize("table", [table_of(row("a.jpg", ("x1", "crane", 0.5))), table_of(failed("a.jpg", "empty"))])
def test_a_custom_model_without_its_classes_keeps_what_the_rows_say(table: pa.Table):
    named = with_class_names(table, (), 1000)
    assert named.equals(table)
    assert classes_of(named) == ()


def test_a_run_keeps_its_classes(tmp_path: Path):
    store = RunStore(tmp_path)
    run = write_run(store)
    assert store.classes(run) == ()
    classes = (*(ClassName(*one) for one in LABELS), ClassName("n06", "APPLE"))
    store.write_classes(run, classes)
    assert store.classes(run) == classes
    assert classes_of(load_results(store, run)) == classes_of(map_results(store, run)) == classes
    assert "apple · n01" in load_results(store, run)["label"].to_pylist()
    assert map_results(store, run).equals(load_results(store, run).combine_chunks())


def test_a_run_keeps_the_groups_of_its_model(tmp_path: Path):
    store = RunStore(tmp_path)
    run, other = write_run(store), write_run(store, day=1)
    store.write_classes(run, [ClassName(*one) for one in LABELS], {"n01": ("Fruit", "Round"), "n05": ("Fruit",)})
    for read in (load_results, map_results):
        groups = groups_of(read(store, run))
        assert (groups["n01"], groups["n05"], groups.get("n02")) == (("Fruit", "Round"), ("Fruit",), None)
        assert groups["n02099601"] == ("Animals", "Dogs", "Retrievers")  # ImageNet's stay known
        assert groups_of(read(store, other)) == imagenet_groups()
    store.storage.write(groups_name(run), b"[1]")
    assert groups_of(load_results(store, run)) == imagenet_groups()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[1]", b"7", b"null"])
def test_damaged_class_names_count_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes):
    store = RunStore(tmp_path)
    run = write_run(store)
    store.storage.write(classes_name(run), content)
    with caplog.at_level(logging.WARNING):
        assert store.classes(run) == ()
    assert f"Left out runs/{run}/classes.json" in caplog.text
