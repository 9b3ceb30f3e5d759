from __future__ import annotations

import sys
from xml.etree import ElementTree

import altair as alt
import pytest

from sparkcore.analysis import aggregates, charts
from sparkcore.analysis.metrics import evaluate
from sparkcore.analysis.svg import sanitize, to_svg
from sparkcore.errors import RunFailedError
from tests.analysis.tables import row, table_of

HOSTILE = "</text><script>alert(1)</script>&\"'<image href='http://example.com/x'/>"
WIDTH = 420
SVG = "{http://www.w3.org/2000/svg}"


def label_bars(*labels: str) -> alt.Chart:
    rows = [row(f"{n}.jpg", (None, label, 0.5)) for n, label in enumerate(labels)]
    return charts.label_bars(aggregates.label_counts(table_of(*rows)), selection=None)


def texts(svg: str) -> list[str | None]:
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_charts_become_labeled_pictures():
    box = charts.score_box(aggregates.score_spread(table_of(row("a.jpg", (None, "owl", 0.5)))))
    bars, boxes = to_svg(label_bars("cat"), WIDTH), to_svg(box, WIDTH)
    root = ElementTree.fromstring(bars)
    assert (root.tag, root.get("role"), root.get("width")) == (f"{SVG}svg", "img", "420")
    assert root.get("aria-label") == "Images per label: 1 value, maximum 1 at cat."
    assert ElementTree.fromstring(boxes).get("aria-label") == "Scores by label: 1 value, maximum 0.5 at owl."
    assert "cat" in texts(bars)
    assert "owl" in texts(boxes)


def test_names_stay_text():
    table = table_of(row("a.jpg", (None, HOSTILE, 0.5), truth="b"), row("b.jpg", (None, "b", 0.5), truth=HOSTILE))
    found = evaluate(table)
    cells, pairs = charts.confusion(found.block, selection=None), charts.pair_bars(found.pairs, selection=None)
    for chart in (label_bars(HOSTILE), cells, pairs):
        svg = to_svg(chart, WIDTH)
        elements = list(ElementTree.fromstring(svg).iter())
        tags = {element.tag.removeprefix(SVG) for element in elements}
        assert tags <= {"svg", "g", "path", "text", "tspan", "rect", "line", "defs", "clipPath"}
        assert not {name for element in elements for name in element.attrib if "href" in name or name.startswith("on")}
        assert any((text or "").startswith("</text><") for text in texts(svg))


def test_characters_that_cannot_be_drawn_become_boxes():
    characters = ["\x00", "\x01", "\x1b", "\x7f", "\x85", "\ufdd0", "\uffff", "\U0001f600"]
    labels = [f"{number}{character}b" for number, character in enumerate(characters)]
    drawn = texts(to_svg(label_bars(*labels, *(character * 60 for character in characters)), WIDTH))
    assert {f"{number}\u25a1b" for number in range(len(characters))} <= set(drawn)


def test_a_failed_drawing_process_is_reported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RunFailedError, match="Expected a drawn chart, received exit code 1: no message"):
        to_svg(label_bars("cat"), WIDTH)


def test_drawing_times_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sparkcore.analysis.svg.TIMEOUT_S", 0.001)
    with pytest.raises(RunFailedError, match=r"received none within 0.001 s"):
        to_svg(label_bars("cat"), WIDTH)


def test_sanitize_drops_all_that_acts_or_loads():
    text = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="x()" width="9">
      <script>alert(1)</script><foreignObject><b xmlns="http://www.w3.org/1999/xhtml">x</b></foreignObject>
      <style>@import url(http://example.com)</style><a xlink:href="javascript:alert(1)"><text>link</text></a>
      <image href="http://example.com/x.png"/><use href="#a"/>
      <rect id="a" fill="url(http://example.com/#x)" style="color:red" clip-path="url(#a)" onclick="x()" width="3"/>
    </svg>"""
    root = ElementTree.fromstring(sanitize(text, label='a "chart"'))
    assert root.attrib == {"width": "9", "role": "img", "aria-label": 'a "chart"'}
    assert [(child.tag, child.attrib) for child in root] == [
        (f"{SVG}rect", {"id": "a", "clip-path": "url(#a)", "width": "3"})
    ]
