from __future__ import annotations

import csv
import io

import altair as alt
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from pages.components.chart import csv_bytes, emphasize, svg_bytes

COUNTS = pa.table({"label": ["=cat()", "dog"], "count": [3, 1], "share": [0.75, 0.25]})


def script() -> None:
    import pyarrow as pa

    from pages.components import chart
    from sparkcore.analysis import charts

    table = pa.table({"label": ["cat", "dog"], "count": [3, 1], "share": [0.75, 0.25], "is_rest": [False, False]})
    columns = {"label": ("Label", "text"), "count": ("Images", "count"), "share": ("Share", "share")}
    panel = chart.Panel("Images per label", charts.label_bars(table), table, columns, note="A note.")
    chart.show(panel, key="bars", on_select=print)


@pytest.fixture(scope="module")
def drawn() -> AppTest:
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    return app


def test_a_panel_says_what_it_shows(drawn: AppTest):
    assert [text.value for text in drawn.markdown] == ["**Images per label**"]
    assert [text.value for text in drawn.caption] == ["A note."]


def test_a_panel_has_the_numbers_of_its_chart_as_a_table(drawn: AppTest):
    assert drawn.dataframe[0].value.to_dict("list") == {
        "Label": ["cat", "dog"],
        "Images": [3, 1],
        "Share": [0.75, 0.25],
    }


def test_a_panel_offers_numbers_and_picture_as_files(drawn: AppTest):
    assert [button.label for button in drawn.get("download_button")] == ["Numbers as CSV", "Picture as SVG"]


def test_the_numbers_run_no_formula_in_a_spreadsheet():
    text = csv_bytes(COUNTS).decode("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(text))) == [
        {"label": "'=cat()", "count": "3", "share": "0.75"},
        {"label": "dog", "count": "1", "share": "0.25"},
    ]


def test_the_picture_is_svg():
    chart = alt.Chart(COUNTS, description="Three cats").mark_bar().encode(x="count:Q", y="label:N")
    assert svg_bytes(chart).decode().startswith("<svg")


def test_emphasis_fades_what_is_not_chosen():
    chart = alt.Chart(COUNTS).mark_bar().encode(x="count:Q")
    assert emphasize(chart, {"label": ("cat", "dog")}).to_dict()["encoding"]["opacity"] == {
        "condition": {"test": {"and": [{"field": "label", "oneOf": ["cat", "dog"]}]}, "value": 1},
        "value": 0.3,
    }


def test_emphasis_of_an_open_range_has_one_end():
    chart = alt.Chart(COUNTS).mark_bar().encode(x="count:Q")
    opacity = emphasize(chart, span=(0.5, None)).to_dict()["encoding"]["opacity"]
    assert opacity["condition"]["test"] == {"and": [{"field": "high", "gt": 0.5}]}


def test_no_choice_leaves_the_chart_alone():
    chart = alt.Chart(COUNTS).mark_bar().encode(x="count:Q")
    assert emphasize(chart) is chart
