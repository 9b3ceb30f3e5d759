from __future__ import annotations

import csv
import io
import json
import re

import altair as alt
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from pages.components.panel import Panel, _numbers, csv_bytes, emphasize, svg_bytes, themed
from sparkcore.analysis.chart_style import FADED_OPACITY
from sparkcore.analysis.charts import confusion, histogram, label_bars, reliability

BARS = pa.table({"label": ["cat"], "count": [3], "share": [1.0], "is_rest": [False]})
BINS = pa.table({"low": [0.0], "high": [1.0], "count": [3], "confidence": [0.5], "accuracy": [0.6]})
CELLS = pa.table({"truth": ["cat"], "label": ["dog"], "count": [1], "share": [1.0]})
COUNTS = pa.table({"label": ["=cat()", "dog"], "count": [3, 1], "share": [0.75, 0.25]})


def script() -> None:
    import pyarrow as pa

    from pages.components import panel
    from sparkcore.analysis import charts

    table = pa.table({"label": ["cat", "dog"], "count": [3, 1], "share": [0.75, 0.25], "is_rest": [False, False]})
    columns = {"label": ("Label", "text"), "count": ("Images", "count"), "share": ("Share", "share")}
    shown = panel.Panel("Images per label", charts.label_bars(table), table, columns, note="A note.")
    panel.show(shown, key="bars", on_select=print)


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
        "Share": [75.0, 25.0],
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
        "value": FADED_OPACITY,
    }


def test_emphasis_of_an_open_range_has_one_end():
    chart = alt.Chart(COUNTS).mark_bar().encode(x="count:Q")
    opacity = emphasize(chart, span=(0.5, None)).to_dict()["encoding"]["opacity"]
    assert opacity["condition"]["test"] == {"and": [{"field": "high", "gt": 0.5}]}


def test_no_choice_leaves_the_chart_alone():
    chart = alt.Chart(COUNTS).mark_bar().encode(x="count:Q")
    assert emphasize(chart) is chart


@pytest.mark.parametrize("chart", [confusion(CELLS), label_bars(BARS), reliability(BINS)])
def test_colors_follow_the_theme(chart: alt.Chart | alt.LayerChart):
    colors = re.findall(r'"(#[0-9A-Fa-f]{6})"', json.dumps(themed(chart)))
    assert colors == []


def test_a_legend_has_the_colors_of_the_theme():
    bins = pa.table({"label": ["cat"], "low": [0.0], "high": [1.0], "count": [3]})
    assert "range" not in themed(histogram(bins, "score"))["encoding"]["color"]["scale"]


def test_names_have_spaces_in_the_numbers():
    table = pa.table({"label": ["hot_dog"], "file": ["a_b.jpg"]})
    shown = Panel("Labels", label_bars(BARS), table, {"label": ("Label", "label"), "file": ("File", "text")})
    assert _numbers(shown).to_pylist() == [{"Label": "hot dog", "File": "a_b.jpg"}]
