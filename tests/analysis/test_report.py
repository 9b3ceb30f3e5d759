from __future__ import annotations

import base64
from html.parser import HTMLParser

import pytest

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.report import IMAGES_SHOWN, render_report
from sparkcore.schema import image_id
from tests.analysis.tables import failed, row, table_of

HOSTILE = "<img src=x onerror=alert(1)>\"'</title><script>alert(2)</script>.jpg"
CAT, DOG = ("n1", "big_cat", 0.75), ("n2", "dog", 0.25)
JPEG = b"\xff\xd8\xff picture"
MANIFEST = {
    "run_id": "0123456789abcdef",
    "config": {"images": "/data/<b>", "model": "efficientnet_lite0", "keep": [], "sample": None, "top_k": 5},
    "model": {"name": "efficientnet_lite0", "digest": "abc"},
    "timings": {"total": 12.345},
    "versions": {"pyspark": "4.3.0"},
    "created_at": "2026-01-02T03:04:05+00:00",
    "images_per_second_no_load": 30.33,
}
TABLE = table_of(
    row("right.jpg", CAT, DOG, truth="big cat"),
    row(HOSTILE, CAT, DOG, truth="dog"),
    row("label.jpg", (None, HOSTILE, 0.5), truth=HOSTILE),
    failed(f"bad {HOSTILE}", "truncated", HOSTILE),
)


class Page(HTMLParser):
    """Collect the tags, attributes and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(" ".join(data.split()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page() -> Page:
    pictures = {image_id("file:/data/right.jpg"): JPEG, image_id(f"file:/data/{HOSTILE}"): b"<svg onload=alert(3)>"}
    return Page(render_report(TABLE, MANIFEST, thumbnails=lambda ids: {i: pictures[i] for i in ids if i in pictures}))


def test_report_allows_no_request(page: Page):
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_report_holds_nothing_that_acts_or_loads(page: Page):
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "a", "base", "image", "use"})
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("href", "srcset", "action")}
    assert {attributes["src"] for attributes in page.all("img")} == {
        "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
    }


def test_hostile_names_are_shown_as_they_are(page: Page):
    assert HOSTILE in page.texts
    assert f"bad {HOSTILE}" in page.texts
    assert "/data/<b>" in page.texts


def test_every_picture_has_a_text_alternative(page: Page):
    assert {image["alt"] for image in page.all("img")} == {"right.jpg: big cat 75.0%"}
    charts = page.all("svg")
    assert len(charts) == 8
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert len(page.all("details")) == len(charts) + 2  # classes and unreadable files


def test_facts_and_settings(page: Page):
    facts = [text for text in page.texts if text]
    start = facts.index("images")
    assert facts[start : start + 12] == [
        *("images", "4", "unreadable", "1", "distinct labels", "2"),
        *("top-1 accuracy", "66.7%", "top-2 accuracy", "100.0%", "images per second", "30.3"),
    ]
    assert "model efficientnet_lite0 · 2026-01-02 03:04 UTC · /data/<b>" in facts
    settings = facts[facts.index("Settings") + 2 :]
    assert [text for text in settings if text not in ("Model", "Timings", "Versions")] == [
        *("images", "/data/<b>", "model", "efficientnet_lite0", "top k", "5"),
        *("name", "efficientnet_lite0", "digest", "abc", "total", "12.3", "pyspark", "4.3.0"),
    ]


def test_class_names_are_shown_with_spaces(page: Page):
    shown = [text for text in page.texts if "big" in text]
    assert {"big cat", "big cat 75.0%"} <= set(shown)
    assert not [text for text in shown if "big_cat" in text]


def test_walls_show_mistakes_with_their_true_label(page: Page):
    headings = ["Most confident", "Least confident", "Most confident mistakes"]
    assert [text for text in page.texts if text in headings] == headings
    mistakes = page.texts[page.texts.index("Most confident mistakes") :]
    assert [text for text in mistakes if text.startswith("true label:")] == ["true label: dog"]


def test_filters_select_the_rows_and_are_listed():
    texts = Page(render_report(TABLE, MANIFEST, filters=Filters(status="error"))).texts
    assert "unreadable" in texts
    assert "None of these images has a prediction." in texts
    assert "Most confident" not in texts


def test_report_of_nothing():
    texts = Page(render_report(table_of(), {}, title="Empty <run>")).texts
    assert "Empty <run>" in texts
    assert "None of these images has a prediction." in texts


def test_a_large_run_shows_a_bounded_number_of_images():
    asked: list[int] = []

    def thumbnails(ids: list[str]) -> dict[str, bytes]:
        asked.append(len(ids))
        return dict.fromkeys(ids, JPEG)

    render_report(table_of(*(row(f"{n}.jpg", CAT) for n in range(100))), MANIFEST, thumbnails=thumbnails)
    assert asked == [IMAGES_SHOWN, IMAGES_SHOWN]
