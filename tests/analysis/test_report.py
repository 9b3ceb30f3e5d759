from __future__ import annotations

import base64
from html.parser import HTMLParser

import pytest

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.report import render_report
from sparkcore.analysis.report_pictures import IMAGES_SHOWN
from sparkcore.classes import ClassName
from sparkcore.runs.class_names import with_class_names
from sparkcore.schema import image_id
from tests.analysis.tables import failed, row, table_of

HOSTILE = "<img src=x onerror=alert(1)>\"'</title><script>alert(2)</script>.jpg"
CAT, DOG = ("n1", "big_cat", 0.75), ("n2", "dog", 0.25)
JPEG = b"\xff\xd8\xff picture"
MANIFEST = {
    "run_id": "0123456789abcdef",
    "config": {"images": "/data/<b>/photos", "model": "efficientnet_lite0", "keep": [], "sample": None, "top_k": 5},
    "model": {"name": "efficientnet_lite0", "digest": "abc", "resize": "crop"},
    "timings": {"total": 12.345},
    "versions": {"pyspark": "4.3.0"},
    "created_at": "2026-01-02T03:04:05+00:00",
    "images_per_second_no_load": 30.33,
}
TABLE = table_of(
    row("right.jpg", CAT, DOG, truth="big cat"),
    row(HOSTILE, CAT, DOG, truth="dog"),
    row("label.jpg", (None, HOSTILE, 0.5), truth=HOSTILE),
    row("plain.jpg", CAT, DOG, truth="dog"),
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
    assert "/data/<b>/photos" in page.texts


def test_every_picture_has_a_text_alternative(page: Page):
    assert {image["alt"] for image in page.all("img")} == {"right.jpg: big cat 75.0\N{NO-BREAK SPACE}%"}
    charts = page.all("svg")
    assert len(charts) == len(page.all("figure")) == 6
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert len(page.all("details")) == len(charts) + 2  # classes and unreadable files


def test_facts_and_settings(page: Page):
    facts = [text for text in page.texts if text]
    start = facts.index("images")
    assert facts[start : start + 12] == [
        *("images", "5", "unreadable", "1", "distinct labels", "2"),
        *("top-1 accuracy", "50.0 %", "top-2 accuracy", "100.0 %", "images per second", "30.3"),
    ]
    assert "model efficientnet_lite0 · 2026-01-02 03:04 UTC · /data/<b>/photos" in facts
    settings = facts[facts.index("Settings") + 2 :]
    assert [text for text in settings if text not in ("Model", "Timings", "Versions")] == [
        *("images", "/data/<b>/photos", "model", "efficientnet_lite0", "top k", "5"),
        *("name", "efficientnet_lite0", "digest", "abc", "resize", "crop", "total", "12.3", "pyspark", "4.3.0"),
    ]


def test_class_names_are_shown_with_spaces(page: Page):
    shown = [text for text in page.texts if "big" in text]
    assert {"big cat", "big cat 75.0 %"} <= set(shown)
    assert not [text for text in shown if "big_cat" in text]


def test_mistakes_have_their_true_label(page: Page):
    assert [text for text in page.texts if text.startswith("true label:")] == ["true label: dog"] * 2


def test_the_title_is_the_name_of_the_run(page: Page):
    assert page.texts.count("photos · efficientnet_lite0 · crop") == 2  # of the document and of the page
    details = page.texts[page.texts.index("Run details") :]
    assert "0123456789abcdef" in details
    assert not [text for text in page.texts[: page.texts.index("Run details")] if "0123456789abcdef" in text]
    assert "My name" in Page(render_report(TABLE, MANIFEST, title="My name")).texts


def test_pictures_come_before_charts(page: Page):
    tags = [tag for tag, _ in page.tags]
    assert tags.index("img") < tags.index("svg")


def test_filters_select_the_rows_and_are_listed():
    texts = Page(render_report(TABLE, MANIFEST, filters=Filters(status="error"))).texts
    assert "unreadable" in texts
    assert "None of these images has a prediction." in texts
    assert "Images" in texts


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


def files_of(page: Page, heading: str) -> list[str]:
    """Return the names of the files below a heading."""
    after = page.texts[page.texts.index(heading) :]
    end = next(place for place, text in enumerate(after) if text in ("Predictions", "Accuracy", "Run details"))
    return [text for text in after[:end] if text.endswith(".jpg")]


@pytest.mark.parametrize("filters", [Filters(), Filters(correct="incorrect"), Filters(correct="correct")])
def test_each_image_is_shown_at_most_once(filters: Filters):
    rows = [row(f"{n}.jpg", ("n1", "cat", n / 100), DOG, truth="cat" if n % 2 else "dog") for n in range(1, 91)]
    page = Page(render_report(table_of(*rows), MANIFEST, filters=filters))
    shown = [text for text in page.texts if text.endswith(".jpg")]
    assert len(shown) == len(set(shown)) == (3 if filters == Filters() else 2) * IMAGES_SHOWN
    headings = ["Most confident", "Most confident mistakes", "Least confident"]
    left_out = {"correct": 1, "incorrect": 0}.get(filters.correct or "")
    assert [text for text in page.texts if text in headings] == [
        heading for place, heading in enumerate(headings) if place != left_out
    ]


def test_a_few_images_are_one_wall(page: Page):
    assert files_of(page, "Images") == ["right.jpg", HOSTILE, "plain.jpg", "label.jpg"]
    assert "Most confident" not in page.texts


@pytest.mark.parametrize("filters", [Filters(correct="incorrect"), Filters(pair=("dog", "big_cat"))])
def test_accuracy_is_left_out_where_a_filter_decides_it(filters: Filters):
    page = Page(render_report(TABLE, MANIFEST, filters=filters))
    assert "top-1 accuracy" not in page.texts
    assert "Accuracy" not in page.texts
    assert page.all("svg") == []


def test_the_report_tells_what_the_model_cannot_name():
    classes = (ClassName("n1", "big_cat"), ClassName("n2", "dog"))
    rows = [row("a.jpg", CAT, truth="n1"), row("b.jpg", CAT, truth="n2"), row("c.jpg", CAT, truth="n01534433")]
    texts = Page(render_report(with_class_names(table_of(*rows), classes), MANIFEST)).texts
    said = [text for text in texts if text]
    start = said.index("top-1 accuracy")
    assert said[start : start + 6] == [
        *("top-1 accuracy", "33.3 %", "images of classes that the model does not know", "1"),
        *("top-1 accuracy on the other images", "50.0 %"),
    ]
    assert "true label: junco" in said
