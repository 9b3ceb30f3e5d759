from __future__ import annotations

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.metrics import evaluate
from sparkcore.analysis.report_charts import class_rows, evaluation_charts, prediction_charts
from sparkcore.analysis.selection import select
from tests.analysis.tables import failed, row, table_of

CAT, DOG = ("n1", "cat", 0.75), ("n2", "dog", 0.25)
TABLE = table_of(
    row("1.jpg", CAT, DOG, truth="cat"),
    row("2.jpg", CAT, DOG, truth="dog"),
    row("3.jpg", CAT, truth="cat"),
    failed("4.jpg", "empty"),
)


def test_prediction_charts_have_their_numbers_as_tables():
    found = {item.title: item for item in prediction_charts(TABLE, select(TABLE, Filters()))}
    assert list(found) == ["Labels", "Scores", "Coverage", "First and second prediction"]
    assert (found["Labels"].columns, found["Labels"].rows) == (
        ("prediction", "images", "share"),
        (("cat", "3", "100.0%"),),
    )
    assert found["Scores"].rows[15] == ("0.75", "0.8", "3")
    assert found["Coverage"].rows[15:17] == (("75.0%", "3", "100.0%"), ("80.0%", "0", "0.0%"))
    assert found["First and second prediction"].rows == (("cat", "dog", "2"),)
    assert found["Labels"].chart.to_dict()["description"] == "Images per label: 1 value, maximum 3 at cat."


def test_prediction_charts_of_errors_only_are_empty():
    assert list(prediction_charts(TABLE, select(TABLE, Filters(status="error")))) == []


def test_evaluation_charts_have_their_numbers_as_tables():
    found = {item.title: item for item in evaluation_charts(evaluate(TABLE))}
    assert list(found) == ["Accuracy by minimum score", "Reliability", "Most frequent mistakes", "Confusion matrix"]
    assert found["Accuracy by minimum score"].rows[15:17] == (
        ("75.0%", "3", "100.0%", "66.7%"),
        ("80.0%", "0", "0.0%", "-"),
    )
    assert found["Most frequent mistakes"].rows == (("dog", "cat", "1"),)
    assert found["Confusion matrix"].rows == (("dog", "cat", "1"), ("cat", "cat", "2"))


def test_a_run_without_mistakes_has_no_such_chart():
    titles = [item.title for item in evaluation_charts(evaluate(TABLE.slice(0, 1)))]
    assert titles == ["Accuracy by minimum score", "Reliability", "Confusion matrix"]


def test_class_rows_are_the_largest_classes():
    assert class_rows(evaluate(TABLE), 1) == (("cat", "66.7%", "100.0%", "80.0%", "2"),)
