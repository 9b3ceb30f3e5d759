from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import RunConfig
from sparkcore.runs.jobs import Job, JobTable
from sparkcore.runs.store import RunStore
from sparkcore.samples import STORE_FOLDER
from tests.pages.conftest import OpenPage, address_of, drawn, plain
from tests.pages.request_form import PREFIX, press, use_folder
from tests.runs_fixture import write_run


def finished(store: RunStore, state: str, **values: str) -> Job:
    """Add a job that has ended."""
    table = JobTable(store.jobs_path)
    job = table.submit(RunConfig(images="/photos", model="efficientnet_lite0"))
    table.claim()
    table.report(job.job_id, done=30, total=30, errors=3)
    table.finish(job.job_id, state, **values)
    return table.get(job.job_id)


def test_the_first_visit_is_one_button(store: RunStore, open_page: OpenPage):
    app = open_page("run")
    assert app.header[0].value == "See what a model says about your pictures"
    press(app, "Classify 120 sample pictures")
    (job,) = client.jobs()
    expected = RunConfig(images=str(store.state / STORE_FOLDER), model=client.default_model(), truth="folder")
    assert job.config == expected
    assert address_of(app) == {"job": [job.job_id]}
    assert app.button(key=f"cancel_{job.job_id}").label == "Cancel"
    assert app.header[0].value == "Now"


def test_settings_become_the_request(open_page: OpenPage, photos: Path):
    app = use_folder(open_page("run"), photos)
    app.selectbox(key=f"{PREFIX}model").select("resnet50")
    app.selectbox(key=f"{PREFIX}resize").select("crop")
    app.number_input(key=f"{PREFIX}top_k").set_value(3)
    app.number_input(key=f"{PREFIX}min_width").set_value(10)
    app.number_input(key=f"{PREFIX}sample").set_value(7)
    app.segmented_control(key=f"{PREFIX}truth_folder").set_value("filename")
    press(app, "Run")
    (job,) = client.jobs()
    assert job.config == RunConfig(
        images=str(photos),
        model="resnet50",
        resize="crop",
        top_k=3,
        min_width=10,
        sample=7,
        truth="filename",
    )


def test_a_quick_look_takes_some_images(open_page: OpenPage, photos: Path):
    press(use_folder(open_page("run"), photos), "Quick look at 75")
    assert client.jobs()[0].config.sample == 75


def test_the_same_request_twice_is_one_job(open_page: OpenPage, photos: Path):
    press(use_folder(open_page("run"), photos), "Run")
    press(use_folder(open_page("run"), photos), "Run")
    assert len(client.jobs()) == 1


def test_impossible_values_are_refused(open_page: OpenPage, photos: Path):
    app = use_folder(open_page("run"), photos)
    app.number_input(key=f"{PREFIX}min_width").set_value(100)
    app.number_input(key=f"{PREFIX}max_width").set_value(10)
    press(app, "Run")
    assert plain(app.error[0].value) == "min_width 100 is above max_width 10: no image passes. Swap them."


def test_a_run_can_be_repeated_with_a_change(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos), model="resnet50")
    app = open_page("run", repeat=run)
    prefix = f"request_{run}_"
    assert app.selectbox(key=f"{prefix}folder").value == str(photos)
    assert app.selectbox(key=f"{prefix}model").value == "resnet50"
    app.selectbox(key=f"{prefix}interpolation").select("nearest")
    press(app, "Run")
    assert client.jobs()[0].config == RunConfig(
        images=str(photos), model="resnet50", truth="folder", interpolation="nearest"
    )


def test_progress_is_said(store: RunStore, open_page: OpenPage):
    table = JobTable(store.jobs_path)
    job = table.submit(RunConfig(images="/photos", model="efficientnet_lite0", sample=75))
    table.claim()
    table.report(job.job_id, phase="classifying", done=20, total=75, errors=2, classifying_at=time.time() - 10)
    app = open_page("run")
    assert any(
        plain(text.value) == "**Quick look: 75 of photos · efficientnet_lite0** · classifying" for text in app.markdown
    )
    progress = app.get("progress")[0]
    assert progress.value == 26
    said = r"20 of 75 images · [\d.]+ images/s · about \d+ s left · 2 unreadable"
    assert re.fullmatch(said, progress.proto.text)


def test_a_job_is_cancelled_from_any_page(store: RunStore, open_page: OpenPage):
    job = JobTable(store.jobs_path).submit(RunConfig(images="/photos", model="efficientnet_lite0"))
    app = open_page("run")
    app.button(key=f"cancel_{job.job_id}").click().run()
    assert client.status(job.job_id).state == "cancelled"
    assert any("cancelled, finished images are kept" in text.value for text in app.markdown)


def test_a_cancelled_job_is_resumed(store: RunStore, open_page: OpenPage, photos: Path):
    table = JobTable(store.jobs_path)
    job = table.submit(RunConfig(images=str(photos), model="efficientnet_lite0", top_k=2))
    table.request_cancel(job.job_id)
    app = open_page("run")
    app.button(key=f"resume_{job.job_id}").click().run()
    newest = table.jobs()[0]
    assert (newest.state, newest.config) == ("queued", job.config)
    assert address_of(app)["job"] == [newest.job_id]
    elsewhere = table.submit(RunConfig(images="/etc", model="efficientnet_lite0"))
    table.request_cancel(elsewhere.job_id)
    app = open_page("run")
    app.button(key=f"resume_{elsewhere.job_id}").click().run()
    assert "expected a folder below" in plain(app.toast[0].value)
    assert table.jobs()[0].job_id == elsewhere.job_id


def test_a_failed_job_says_why_and_offers_its_log(store: RunStore, open_page: OpenPage):
    finished(store, "failed", message="Expected a model, received nothing.")
    app = open_page("run")
    assert plain(app.error[0].value) == "Expected a model, received nothing."
    assert app.get("download_button")[0].proto.label == "Download the log"


@pytest.mark.parametrize(
    ("state", "said"), [("complete", "30 images in 0 s, 3 unreadable"), ("cached", "answered at once")]
)
def test_a_finished_job_leads_to_its_gallery(store: RunStore, open_page: OpenPage, state: str, said: str):
    run = write_run(store, rows=30)
    finished(store, state, run_id=run)
    app = open_page("run")
    assert any(said in text.value for text in app.markdown)
    links = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
    assert links["Open the gallery"] == f"run={run}"


def test_a_finished_job_is_the_selected_run_from_then_on(store: RunStore, open_page: OpenPage):
    old = write_run(store, rows=30)
    new = write_run(store, rows=20, day=1)
    job = finished(store, "complete", run_id=new)
    app = open_page("run", run=old, job=job.job_id)
    assert address_of(app) == {"run": [new], "job": [job.job_id]}
    links = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
    assert links["Gallery"] == f"run={new}"


def test_a_new_job_shows_its_first_pictures_and_the_way_to_all(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=20)
    job = finished(store, "complete", run_id=run)
    app = open_page("run", job=job.job_id)
    (tiles,) = drawn(app, "tiles")
    assert len(tiles) == 12
    see = app.button(key=f"see_{job.job_id}")
    assert (see.label, see.proto.type) == ("See the 20 pictures", "primary")
    see.click().run()
    assert app.title[0].value == "Gallery"
    assert address_of(app) == {"run": [run]}


@pytest.mark.parametrize("weights", ["weights.h5", None])
def test_another_model_starts_without_the_files_of_the_last(
    store: RunStore, open_page: OpenPage, photos: Path, weights: str | None
):
    job = JobTable(store.jobs_path).submit(RunConfig(images=str(photos), model="mobilenet_v2", weights=weights))
    app = open_page("run", repeat=job.job_id)
    prefix = f"request_{job.job_id}_"
    assert app.text_input(key=f"{prefix}weights_mobilenet_v2").value == (weights or "")
    app.selectbox(key=f"{prefix}model").select("vgg16").run()
    assert app.text_input(key=f"{prefix}weights_vgg16").value == ""
    app.selectbox(key=f"{prefix}model").select("own model file").run()
    assert app.text_input(key=f"{prefix}labels").value == ""


def test_a_model_with_given_weights_needs_none(open_page: OpenPage):
    app = open_page("run")
    app.selectbox(key=f"{PREFIX}model").select("vgg16").run()
    assert "vgg16 (needs weights)" in app.selectbox(key=f"{PREFIX}model").options
    app.text_input(key=f"{PREFIX}weights_vgg16").input("/photos/vgg16.h5").run()
    assert "vgg16" in app.selectbox(key=f"{PREFIX}model").options


def test_a_run_with_the_default_model_is_repeated_with_it(store: RunStore, open_page: OpenPage, photos: Path):
    job = JobTable(store.jobs_path).submit(RunConfig(images=str(photos)))
    app = open_page("run", repeat=job.job_id)
    assert app.selectbox(key=f"request_{job.job_id}_model").value == client.default_model()
