"""Charts filter images, and the filtered images can be exported; exports open without a network."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, settle


def query(page: Page) -> dict[str, list[str]]:
    """Return the parameters of the address but the run."""
    found = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
    found.pop("run", None)
    return found


def mark(page: Page, title: str, place: int) -> None:
    """Click on one mark of a chart."""
    found = page.locator(f"{_canvas(page, title)} .role-mark path").nth(place)
    found.wait_for()
    found.click()


def drag(page: Page, title: str, start: float, end: float) -> None:
    """Drag over a part of the width of a chart."""
    canvas = page.locator(_canvas(page, title))
    canvas.locator(".role-mark path").first.wait_for(state="attached")
    box = canvas.bounding_box()
    assert box is not None
    y = box["y"] + 0.4 * box["height"]
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + end) / 2 * box["width"], y, steps=4)
    page.mouse.move(box["x"] + end * box["width"], y, steps=4)
    page.mouse.up()


def _canvas(page: Page, title: str) -> str:
    settle(page)
    key = {"Scores": "score-brush", "Confusion": "pair-cell", "Reasons": "errors-label", "Groups": "groups-group"}[
        title
    ]
    return f'[class*="st-key-chart-{key}"] [data-testid="stVegaLiteChart"]'


def test_a_range_that_is_dragged_filters_the_gallery(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/scores")
    drag(page, "Scores", 0.5, 0.8)
    expect(page.locator(".st-key-chip_score")).to_be_visible()
    settle(page)
    low, high = map(float, query(page)["score"])
    assert 0.3 < low < high < 0.9
    page.get_by_role("link", name="See them in the gallery").click()
    expect(page.locator(".wall .name").first).to_be_visible()
    settle(page)
    scores = [float(text.rstrip("%")) / 100 for text in page.locator(".wall .bar span").all_inner_texts()]
    assert scores
    assert all(low - 0.001 <= score <= high + 0.001 for score in scores)


def test_a_box_in_the_map_filters_the_gallery(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/map")
    plot = page.locator(".map .plot")
    expect(page.locator(".map .shown img").first).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3, steps=4)
    page.mouse.up()
    expect(page.locator(".st-key-chip_area")).to_be_visible()
    settle(page)
    left, top, right, bottom = map(float, query(page)["area"])
    assert (left, top, bottom) == (0, 0, 1)
    assert 0.4 < right < 0.6
    count = int(page.locator(".st-key-map_selection").inner_text().split()[0])
    assert 0 < count < 54
    page.get_by_role("link", name="See them in the gallery").click()
    expect(page.get_by_text(f"{count} of 60 images")).to_be_visible()


def test_a_bar_leads_into_its_group(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/labels")
    mark(page, "Groups", 0)
    expect(page.locator(".st-key-chip_groups")).to_have_text(re.compile("^Fruit"))
    mark(page, "Groups", 0)
    expect(page.locator(".st-key-group_way")).to_have_text(re.compile("^All groups.*Fruit.*Long|Round$"))
    assert query(page)["group"][0].startswith("Fruit > ")
    page.locator(".st-key-group_way_1 button").click()
    expect(page.locator(".st-key-chip_groups")).to_have_text(re.compile("^Fruit"))


def test_two_runs_are_ticked_and_compared(shown: Server, visit: Callable[..., Page]):
    newer, older = (manifest.run_id for manifest in shown.store.runs())
    page = visit(f"{shown.url}/runs")
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 18, "y": 101})  # the box of the second row
    page.get_by_role("link", name="Compare the two").click()
    expect(page.get_by_role("heading", name="Compare", exact=True, level=1)).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {"run": [newer], "with": [older]}
    page = visit(f"{shown.url}/runs")
    page.get_by_test_id("stDataFrame").first.click(position={"x": 120, "y": 101})
    expect(page.get_by_test_id("stSidebar").locator(".st-key-frame_run input")).to_have_value(
        re.compile("2026-01-02 03:04$")
    )


def test_a_cell_shows_its_images_and_once_more_lets_them_go(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/evaluate")
    mark(page, "Confusion", 1)
    expect(page.locator(".st-key-chip_pair")).to_be_visible()
    settle(page)
    truth, guess = query(page)["pair"]
    labels = page.locator(".wall .bar b").all_inner_texts()
    assert labels
    assert set(labels) == {guess.replace("_", " ")}
    page.go_back()
    expect(page.locator(".st-key-chip_pair")).to_have_count(0)
    assert query(page) == {}
    page.go_forward()
    expect(page.locator(".st-key-chip_pair")).to_be_visible()
    assert query(page) == {"pair": [truth, guess]}


def test_a_reason_narrows_the_problems(shown: Server, visit: Callable[..., Page]):
    page = visit(f"{shown.url}/problems")
    expect(page.get_by_text("6 of 60 images")).to_be_visible()
    mark(page, "Reasons", 0)
    expect(page.get_by_text("3 of 60 images")).to_be_visible()
    assert len(query(page)["error"]) == 1


def test_what_is_shown_is_exported(shown: Server, visit: Callable[..., Page], browser: Browser, tmp_path: Path):
    page = visit(f"{shown.url}/labels?label=banana")
    files = {name: _download(page, name, tmp_path) for name in ("CSV", "Parquet", "ZIP", "HTML")}

    rows = list(csv.DictReader(io.StringIO(files["CSV"].read_text("utf-8-sig"))))
    assert {row["label"] for row in rows} == {"banana"}
    table = pq.read_table(files["Parquet"])
    assert table["file_name"].to_pylist() == [row["file_name"] for row in rows]
    with zipfile.ZipFile(files["ZIP"]) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".jpg")]
        assert pictures == [row["file_name"] for row in rows]
        assert all(min(Image.open(archive.open(name)).size) >= 480 for name in pictures)

    asked: list[str] = []
    context = browser.new_context(offline=True)
    report = context.new_page()
    report.on("request", lambda request: asked.append(request.url))
    report.goto(files["HTML"].as_uri())
    assert report.locator("img").count() >= len(rows)  # each picture, and heat maps
    assert report.locator("img").evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


def _download(page: Page, name: str, folder: Path) -> Path:
    if not page.get_by_role("button", name=f"({name})").is_visible():
        page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"({name})").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path
