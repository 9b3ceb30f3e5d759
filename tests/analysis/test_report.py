from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest

from sparkcore.analysis.filters import Filters
from sparkcore.analysis.report import LEAST_JUDGED, Wanted, render_report
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


def report(table: pa.Table = TABLE, manifest: dict[str, Any] = MANIFEST, **wanted: Any) -> Page:
    return Page(render_report(table, manifest, Wanted(**wanted)))


@pytest.fixture(scope="module")
def page() -> Page:
    pictures = {image_id("file:/data/right.jpg"): JPEG, image_id(f"file:/data/{HOSTILE}"): b"<svg onload=alert(3)>"}
    return report(thumbnails=lambda ids: {i: pictures[i] for i in ids if i in pictures})


def test_report_allows_no_request(page: Page):
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_report_holds_nothing_that_acts_or_loads(page: Page):
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "a", "base", "image", "svg"})
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


def test_the_story_of_a_run(page: Page):
    said = [text for text in page.texts if text]
    (lead,) = [text for text in said if text.startswith("efficientnet_lite0 classified")]
    assert lead == (
        "efficientnet_lite0 classified 5 images of photos. Of 4 with a true label by the names of their folders, 50.0 "
        "% are correct (95 % interval for more images of this kind: 6.8 % to 93.2 %)."
    )
    start = said.index("images")
    assert said[start : start + 10] == [
        *("images", "5", "unreadable", "1", "distinct labels", "2"),
        *("correct", "50.0 %", "among the first 2 labels", "100.0 %"),
    ]
    start = said.index("What is in it")
    assert said[start + 2 : start + 6] == ["big cat", "3 · 75.0 %", HOSTILE, "1 · 25.0 %"]
    settings = said[said.index("Settings") + 2 :]
    assert [text for text in settings if text not in ("Model", "Versions")] == [
        *("images", "/data/<b>/photos", "model", "efficientnet_lite0", "top k", "5"),
        *("name", "efficientnet_lite0", "digest", "abc", "resize", "crop", "pyspark", "4.3.0"),
    ]
    order = ("How good it is", "What is in it", "Images", "Unreadable images", "Run details")
    assert list(dict.fromkeys(text for text in said if text in order)) == list(order)


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
    texts = report(title="My <title>").texts
    assert texts.count("My <title>") == 2
    assert "photos · efficientnet_lite0 · crop · 2026-01-02 03:04 UTC" in texts


def test_filters_select_the_rows_and_are_listed():
    texts = report(filters=Filters(status="error")).texts
    assert "unreadable" in texts
    assert "None of these images has a prediction." in texts
    assert "Images" in texts


def test_report_of_nothing():
    texts = report(table_of(), {}, title="Empty <run>").texts
    assert "Empty <run>" in texts
    assert "None of these images has a prediction." in texts


def test_a_large_run_shows_a_bounded_number_of_images():
    asked: list[int] = []

    def thumbnails(ids: list[str]) -> dict[str, bytes]:
        asked.append(len(ids))
        return dict.fromkeys(ids, JPEG)

    report(table_of(*(row(f"{n}.jpg", CAT) for n in range(100))), thumbnails=thumbnails)
    assert asked == [IMAGES_SHOWN, IMAGES_SHOWN]


def files_of(page: Page, heading: str) -> list[str]:
    """Return the names of the files below a heading."""
    after = page.texts[page.texts.index(heading) :]
    end = next(place for place, text in enumerate(after) if text in ("Unreadable images", "Run details"))
    return [text for text in after[:end] if text.endswith(".jpg")]


def measured(number: int, truth: str) -> dict[str, Any]:
    """Return one of 90 images: some are dark, and every twentieth is the same file as the one before."""
    return row(
        f"{number}.jpg",
        ("n1", "cat", number / 100),
        DOG,
        truth=truth,
        brightness=0.01 if number in (33, 50) else 0.5,
        contrast=0.3,
        sharpness=500.0,
        width=300,
        height=200,
        channels=3,
        content_hash=f"{number - (number % 20 == 0):032x}",
        perceptual_hash=hash(number) * 0x9E3779B97F4A7C15 % 2**63,
    )


@pytest.mark.parametrize("filters", [Filters(), Filters(correct="incorrect"), Filters(correct="correct")])
def test_each_image_is_shown_at_most_once(filters: Filters):
    page = report(table_of(*(measured(n, "cat" if n % 2 else "dog") for n in range(1, 91))), filters=filters)
    shown = [text for text in page.texts if text.endswith(".jpg")]
    assert len(shown) == len(set(shown))
    headings = ["Best", "Doubtful", "Wrong", "Problems", "Duplicates"]
    left_out = {"correct": {"Wrong", "Duplicates"}, "incorrect": {"Best", "Duplicates"}}.get(
        filters.correct or "", set()
    )
    assert [text for text in page.texts if text in headings] == [one for one in headings if one not in left_out]


def test_problems_and_duplicates_say_what_they_are():
    texts = report(table_of(*(measured(n, "cat") for n in range(1, 91)))).texts
    assert "Pictures that may be of little use: 2 dark." in texts
    assert texts.count("dark") == 2
    assert "4 groups of equal files and 0 of nearly equal pictures." in texts
    assert texts.count("group 1: 2 equal files") == 2


def test_tables_of_classes_and_scores_need_many_images():
    rows = [row(f"{n}.jpg", ("n1", "cat", n / 100), truth="cat" if n % 3 else "dog") for n in range(1, 91)]
    texts = report(table_of(*rows)).texts
    start = texts.index("If only sure predictions count")
    cells = [text for text in texts[start + 1 :] if text]
    assert cells[1:10] == [
        "score from",
        "images kept",
        "correct",
        "50.0 %",
        "45.6 %",
        "65.9 %",
        "70.0 %",
        "23.3 %",
        "66.7 %",
    ]
    assert "Hardest classes" in texts
    few = report(table_of(*rows[: LEAST_JUDGED - 1])).texts
    assert "Frequent mistakes" in few
    assert not {"Hardest classes", "If only sure predictions count"} & set(few)


def test_a_few_images_are_one_wall(page: Page):
    assert files_of(page, "Images") == ["right.jpg", HOSTILE, "plain.jpg", "label.jpg"]
    assert "Best" not in page.texts


@pytest.mark.parametrize("filters", [Filters(correct="incorrect"), Filters(pair=("dog", "big_cat"))])
def test_accuracy_is_left_out_where_a_filter_decides_it(filters: Filters):
    page = report(filters=filters)
    assert not {"correct", "How good it is"} & set(page.texts)
    assert any(text.startswith("efficientnet_lite0 classified 2 of 5 images of photos.") for text in page.texts)


def test_the_report_tells_what_the_model_cannot_name():
    classes = (ClassName("n1", "big_cat"), ClassName("n2", "dog"))
    rows = [row("a.jpg", CAT, truth="n1"), row("b.jpg", CAT, truth="n2"), row("c.jpg", CAT, truth="n01534433")]
    texts = report(with_class_names(table_of(*rows), classes)).texts
    (lead,) = [text for text in texts if "classified" in text]
    assert lead.endswith("The model has no name for the true class of 1 image. On the others, 50.0 % are correct.")
    assert "true label: junco" in texts
