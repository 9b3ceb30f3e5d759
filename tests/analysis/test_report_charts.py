from __future__ import annotations

import pyarrow as pa

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.metrics import evaluate
from sparkcore.analysis.report_charts import class_rows, evaluation_charts, prediction_charts
from sparkcore.analysis.selection import select
from tests.analysis.tables import failed, row, table_of

EVERYTHING = Filters()
CAT, DOG = ("n1", "cat", 0.75), ("n2", "dog", 0.25)
TABLE = table_of(
    row("1.jpg", CAT, DOG, truth="cat"),
    row("2.jpg", CAT, DOG, truth="dog"),
    row("3.jpg", CAT, truth="cat"),
    row("4.jpg", DOG, CAT, truth="dog"),
    failed("5.jpg", "empty"),
)


def test_prediction_charts_have_their_numbers_as_tables():
    found = {item.title: item for item in prediction_charts(TABLE, select(TABLE, Filters()))}
    assert list(found) == ["Labels", "Scores", "Coverage", "First and second prediction"]
    assert (found["Labels"].columns, found["Labels"].rows) == (
        ("prediction", "images", "share"),
        (("cat", "3", "75.0 %"), ("dog", "1", "25.0 %")),
    )
    assert found["Scores"].rows[15] == ("0.75", "0.8", "3")
    assert found["Coverage"].rows[15:17] == (("75.0 %", "3", "75.0 %"), ("80.0 %", "0", "0.0 %"))
    assert found["First and second prediction"].rows == (("cat", "dog", "2"), ("dog", "cat", "1"))
    assert found["Labels"].chart.to_dict()["description"] == "Images per label: 2 values, maximum 3 at cat."


def test_prediction_charts_of_errors_only_are_empty():
    assert list(prediction_charts(TABLE, select(TABLE, Filters(status="error")))) == []


def test_evaluation_charts_have_their_numbers_as_tables():
    found = {item.title: item for item in evaluation_charts(evaluate(TABLE))}
    assert list(found) == ["Accuracy by minimum score", "Reliability", "Confusion matrix"]
    assert found["Accuracy by minimum score"].rows[15:17] == (
        ("75.0 %", "3", "75.0 %", "66.7 %"),
        ("80.0 %", "0", "0.0 %", "-"),
    )
    assert found["Confusion matrix"].rows == (("dog", "dog", "1"), ("dog", "cat", "1"), ("cat", "cat", "2"))


def titles(table: pa.Table, filters: Filters = EVERYTHING) -> list[str]:
    rows = select(table, filters)
    found = [*prediction_charts(table, rows), *evaluation_charts(evaluate(table, rows))]
    return [item.title for item in found]


def test_frequent_mistakes_are_a_chart():
    table = table_of(
        *(row(f"{n}.jpg", CAT, truth="dog") for n in range(3)),
        *(row(f"{n}.png", CAT, truth="owl") for n in range(2)),
        row("a.jpg", CAT, truth="cat"),
    )
    found = {item.title: item for item in evaluation_charts(evaluate(table))}
    assert found["Most frequent mistakes"].rows == (("dog", "cat", "3"), ("owl", "cat", "2"))


def test_charts_that_say_nothing_are_left_out():
    assert titles(TABLE.slice(0, 1)) == []
    correct = table_of(*(row(f"{n}.jpg", ("n1", "cat", n / 10), truth="cat") for n in range(1, 10)))
    assert titles(correct) == ["Scores", "Coverage"]
    each_once = table_of(*(row(f"{n}.jpg", (f"n{n}", f"class {n}", 0.5), CAT, truth="cat") for n in range(3, 33)))
    assert titles(each_once) == []
    assert titles(TABLE, Filters(correct="incorrect")) == []


def test_class_rows_are_the_largest_classes():
    assert class_rows(evaluate(TABLE), 1) == (("cat", "66.7 %", "100.0 %", "80.0 %", "2"),)
