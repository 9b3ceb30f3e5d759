from __future__ import annotations

from sparkcore.analysis.report_charts import class_rows, result_figures, truth_figures
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.metrics import evaluate
from sparkcore.analysis.selection import select
from tests.analysis.tables import failed, row, table_of

CAT, DOG = ("n1", "cat", 0.75), ("n2", "dog", 0.25)
TABLE = table_of(
    row("1.jpg", CAT, DOG, truth="cat"),
    row("2.jpg", CAT, DOG, truth="dog"),
    row("3.jpg", CAT, truth="cat"),
    failed("4.jpg", "empty"),
)


def test_result_figures_say_their_numbers_as_tables():
    figures = {figure.title: figure for figure in result_figures(TABLE, select(TABLE, Filters()))}
    assert list(figures) == ["Labels", "Scores", "Coverage", "First and second guess"]
    assert (figures["Labels"].columns, figures["Labels"].rows) == (
        ("label", "count", "share"),
        (("cat", "3", "100.0%"),),
    )
    assert figures["Scores"].rows[15] == ("0.75", "0.8", "3")
    assert figures["Coverage"].rows[15:17] == (("75.0%", "3", "100.0%"), ("80.0%", "0", "0.0%"))
    assert figures["First and second guess"].rows == (("cat", "dog", "2"),)
    assert figures["Labels"].chart.to_dict()["description"] == "Images per label: 1 values, the greatest 3 at cat."


def test_result_figures_of_errors_only_are_none():
    assert list(result_figures(TABLE, select(TABLE, Filters(status="error")))) == []


def test_truth_figures_say_their_numbers_as_tables():
    figures = {figure.title: figure for figure in truth_figures(evaluate(TABLE))}
    assert list(figures) == ["Accuracy at a threshold", "Reliability", "Most frequent mistakes", "Confusion"]
    assert figures["Accuracy at a threshold"].rows[15:17] == (
        ("75.0%", "3", "100.0%", "66.7%"),
        ("80.0%", "0", "0.0%", "-"),
    )
    assert figures["Most frequent mistakes"].rows == (("dog", "cat", "1"),)
    assert figures["Confusion"].rows == (("dog", "cat", "1"), ("cat", "cat", "2"))


def test_a_run_without_mistakes_has_no_such_chart():
    titles = [figure.title for figure in truth_figures(evaluate(TABLE.slice(0, 1)))]
    assert titles == ["Accuracy at a threshold", "Reliability", "Confusion"]


def test_class_rows_are_the_largest_classes():
    assert class_rows(evaluate(TABLE), 1) == (("cat", "66.7%", "100.0%", "80.0%", "2"),)
