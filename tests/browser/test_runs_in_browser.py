"""Runs that are started, watched and cancelled in a browser, all on one store with one engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from sparkcore import client
from sparkcore.config import EngineConfig
from sparkcore.runs.jobs import Job
from sparkcore.runs.store import RunStore
from tests.browser.conftest import Server, settle
from tests.conftest import ENGINE_LIMIT_S, end_engine, wait_until

RUN_MS = 1000 * ENGINE_LIMIT_S
_READY = {choice.name for choice in client.available_models() if choice.ready}

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(client.default_model() not in _READY, reason="no model's weights are on this machine"),
]


@pytest.fixture(scope="module")
def _server(engine_store: EngineConfig) -> Iterator[Server]:
    server = Server(RunStore(engine_store.store), Path(engine_store.store).parent)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def busy(_server: Server, served: EngineConfig) -> Server:
    """Give a dashboard server with a running engine; both stay from test to test."""
    assert served.store == _server.store.uri
    return _server


@pytest.fixture
def empty(busy: Server) -> Server:
    """Give the same server after its store forgot all runs and jobs."""
    for manifest in busy.store.runs():
        busy.store.delete(manifest.run_id)
    if busy.store.jobs_path.is_file():  # else nobody has submitted a job yet
        with closing(sqlite3.connect(busy.store.jobs_path)) as table, table:
            table.execute("DELETE FROM jobs")
    return busy


def jobs(server: Server) -> list[Job]:
    return client.jobs(EngineConfig(store=server.store.uri))


def wait_for(server: Server, states: tuple[str, ...], job_id: str) -> Job:
    engine = EngineConfig(store=server.store.uri)
    wait_until(lambda: client.status(job_id, engine).state in states)
    return client.status(job_id, engine)


def write_pictures(folder: Path, count: int, side: int = 96) -> Path:
    """Write pictures of noise."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(folder / f"{number:05d}.jpg")
    return folder


def ask_for(page: Page, folder: Path, button: str = "Run") -> None:
    """Fill the form with a folder and send it."""
    page.get_by_role("radio", name="Folder on the server").or_(
        page.get_by_role("button", name="Folder on the server")
    ).first.click()
    field = page.get_by_role("combobox", name="Folder, file or pattern")
    field.fill(str(folder))
    field.press("Enter")
    settle(page)
    page.get_by_role("button", name=button, exact=True).click()


def test_from_nothing_to_a_gallery_and_a_second_run(empty: Server, visit: Callable[..., Page]):
    page = visit(empty.url)
    assert page.url == f"{empty.url}/run"
    page.get_by_role("button", name="Classify 120 sample pictures").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=RUN_MS)
    see = page.get_by_role("button", name="See the 120 pictures")
    expect(see).to_be_visible(timeout=RUN_MS)
    expect(page.locator(".wall .name")).to_have_count(12)
    see.click()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.locator(".wall .name")).to_have_count(24)
    assert page.get_by_text("120 images").first.is_visible()

    first = jobs(empty)[0].run_id
    page.get_by_role("link", name="All runs").click()
    page.get_by_role("link", name="Repeat with changes").click()
    page.get_by_text("More settings").click()
    page.get_by_role("combobox", name="Interpolation").click()
    page.get_by_role("option", name="nearest").click()
    page.get_by_role("button", name="Quick look at 75").click()
    expect(page.get_by_text("75 images in")).to_be_in_viewport(timeout=RUN_MS)
    second = jobs(empty)[0]
    assert (second.state, second.config.interpolation, second.total) == ("complete", "nearest", 75)
    assert second.run_id != first

    page.get_by_role("button", name="Quick look at 75").click()
    expect(page.get_by_text("answered at once").first).to_be_visible(timeout=RUN_MS)
    assert jobs(empty)[0].run_id == second.run_id


def test_a_run_outlives_the_tab_and_the_server(busy: Server, visit: Callable[..., Page]):
    end_engine(EngineConfig(store=busy.store.uri))  # so that this server is the one that starts it
    page = visit(f"{busy.url}/run")
    ask_for(page, write_pictures(busy.roots / "pictures", 40))
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.close()
    job = jobs(busy)[0]
    assert job.active

    busy.stop()
    busy.start()
    other = visit(f"{busy.url}/run")
    expect(other.get_by_text("pictures · ").first).to_be_visible()
    expect(other.get_by_text("40 images in").first).to_be_visible(timeout=RUN_MS)
    assert jobs(busy)[0].job_id == job.job_id
    assert jobs(busy)[0].state == "complete"
    other.get_by_role("link", name="Open the gallery").first.click()
    expect(other.locator(".wall img").first).to_be_visible()


def test_cancel_works_from_another_browser(busy: Server, visit: Callable[..., Page]):
    write_pictures(busy.roots / "many", 2000, 64)
    page = visit(f"{busy.url}/run")
    ask_for(page, busy.roots / "many")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.close()
    other = visit(f"{busy.url}/run")
    other.get_by_role("button", name="Cancel").click()
    job = wait_for(busy, ("cancelled", "complete"), jobs(busy)[0].job_id)
    assert job.state == "cancelled"
    expect(other.get_by_text("cancelled, finished images are kept").first).to_be_visible()


def test_two_people_press_run_and_one_run_results(busy: Server, visit: Callable[..., Page]):
    folder = write_pictures(busy.roots / "shared", 40)
    before = len(jobs(busy))
    first, second = visit(f"{busy.url}/run"), visit(f"{busy.url}/run")
    ask_for(first, folder)
    ask_for(second, folder)
    for page in (first, second):
        expect(page.get_by_role("button", name="See the 40 pictures")).to_be_visible(timeout=RUN_MS)
    made = jobs(busy)[: len(jobs(busy)) - before]
    assert len({job.run_id for job in made}) == 1
    assert sum(job.state == "complete" for job in made) == 1


def test_a_failed_run_says_why_and_offers_the_log(busy: Server, visit: Callable[..., Page]):
    (busy.roots / "empty").mkdir()
    page = visit(f"{busy.url}/run")
    ask_for(page, busy.roots / "empty" / "*.jpg")
    download = page.get_by_role("button", name="Download the log").first
    expect(download).to_be_visible(timeout=RUN_MS)
    assert "empty" in page.get_by_test_id("stAlert").first.inner_text()
    with page.expect_download() as got:
        download.click()
    assert "job" in Path(got.value.path()).read_text()


def test_an_upload_becomes_a_run_and_hostile_files_are_refused(busy: Server, visit: Callable[..., Page]):
    folder = write_pictures(busy.roots / "mine", 3)
    (folder / "script.png").write_bytes(b"#!/bin/sh\nrm -rf /\n")
    page = visit(f"{busy.url}/run")
    page.get_by_text("Upload", exact=True).first.click()
    page.locator('input[type="file"]').set_input_files(sorted(folder.iterdir()))
    expect(page.get_by_text("script.png").first).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Uploaded files left out: 1")).to_be_visible()
    assert "The file is text, not an image." in page.get_by_test_id("stAlert").first.inner_text()
    job = wait_for(busy, ("complete", "failed"), jobs(busy)[0].job_id)
    assert (job.state, job.total, job.errors) == ("complete", 3, 0)


def test_a_whole_folder_is_uploaded_with_its_folders(busy: Server, visit: Callable[..., Page]):
    folder = write_pictures(busy.roots / "album", 2)
    (folder / "inner").mkdir()
    (folder / "00000.jpg").rename(folder / "inner" / "deep.jpg")
    page = visit(f"{busy.url}/run")
    page.get_by_text("Upload", exact=True).first.click()
    page.get_by_text("A whole folder").click()
    page.locator('input[type="file"][webkitdirectory]').set_input_files(folder)
    expect(page.get_by_text("deep.jpg").first).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("button", name="Cancel").or_(page.get_by_text("2 images in")).first).to_be_visible()
    uploaded = Path(jobs(busy)[0].config.images)
    found = sorted(path.relative_to(uploaded).as_posix() for path in uploaded.rglob("*.jpg"))
    assert found == ["album/00001.jpg", "album/inner/deep.jpg"]
