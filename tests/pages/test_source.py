"""The choice of pictures for a run."""

from __future__ import annotations

from pathlib import Path

from sparkcore import client
from sparkcore.config import RunConfig
from sparkcore.runs.jobs import JobTable
from sparkcore.runs.store import RunStore
from sparkcore.uploads import MAX_FILES
from tests.pages.conftest import OpenPage, plain
from tests.pages.request_form import PREFIX, press, use_folder


def test_a_folder_outside_of_the_roots_is_refused(store: RunStore, open_page: OpenPage):
    asked_by_others = JobTable(store.jobs_path).submit(RunConfig(images="/etc"))
    app = use_folder(open_page("run"), "/etc")
    assert "expected a folder below" in plain(app.error[0].value)
    assert "received '/etc'" in plain(app.error[0].value)
    assert all(button.disabled for button in app.button if button.label in ("Run", "Quick look at 75"))
    assert client.jobs() == [asked_by_others]


def test_a_folder_says_how_many_files_it_has_before_it_is_run(open_page: OpenPage, photos: Path):
    (photos / "more").mkdir()
    (photos / "more" / "b.png").touch()
    (photos / ".hidden").touch()
    app = use_folder(open_page("run"), photos)
    assert "2 files" in [caption.value for caption in app.main.caption]
    assert not next(button for button in app.button if button.label == "Run").disabled


def test_a_folder_without_files_cannot_be_run(open_page: OpenPage, photos: Path):
    (photos / "a.png").unlink()
    app = use_folder(open_page("run"), photos)
    assert app.warning[0].value == "This folder holds no files. Choose another one."
    assert next(button for button in app.button if button.label == "Run").disabled


def test_an_upload_becomes_a_run_without_its_bad_files(store: RunStore, open_page: OpenPage, photos: Path):
    app = open_page("run")
    app.segmented_control(key=f"{PREFIX}kind").set_value("upload").run()
    app.file_uploader[0].upload("a.png", (photos / "a.png").read_bytes())
    app.file_uploader[0].upload("script.png", b"#!/bin/sh\nrm -rf /\n")
    app.run()
    press(app, "Run")
    (job,) = client.jobs()
    assert Path(job.config.images).parent == store.state / "uploads"
    assert [path.name for path in Path(job.config.images).iterdir()] == ["a.png"]
    assert app.warning[0].value.startswith("Uploaded files left out: 1\n- **script\\.png**: ")


def test_an_upload_of_too_many_files_is_refused(store: RunStore, open_page: OpenPage, photos: Path):
    app = open_page("run")
    app.segmented_control(key=f"{PREFIX}kind").set_value("upload").run()
    content = (photos / "a.png").read_bytes()
    for number in range(MAX_FILES + 300):
        app.file_uploader[0].upload(f"{number}.png", content)
    app.run()
    press(app, "Run")
    assert plain(app.error[0].value).startswith(
        f"Upload: expected at most {MAX_FILES} files, received {MAX_FILES + 300}"
    )
    assert client.jobs() == []
    assert not (store.state / "uploads").exists()


def test_folders_are_clicked_and_their_first_pictures_seen(open_page: OpenPage, photos: Path):
    (photos / "more").mkdir()
    (photos / "more" / "b.png").write_bytes((photos / "a.png").read_bytes())
    (photos / "more" / "broken.png").write_bytes(b"no picture")
    app = open_page("run")
    app.segmented_control(key=f"{PREFIX}kind").set_value("folder").run()
    app.button(key=f"browse_to_{photos}").click().run()
    assert app.selectbox(key=f"{PREFIX}folder").value == str(photos)
    assert "1 picture is directly in this folder." in [caption.value for caption in app.main.caption]
    assert len(app.image) == 2  # of the three files, one cannot be read
    more = app.button(key=f"browse_to_{photos / 'more'}")
    assert plain(more.label) == "more :gray[2 pictures]"
    more.click().run()
    assert len(app.image) == 1
    press(app, "Run")
    assert client.jobs()[0].config.images == str(photos / "more")
    app = use_folder(open_page("run"), photos / "more")
    app.button(key=f"browse_to_{photos}").click().run()
    assert app.selectbox(key=f"{PREFIX}folder").value == str(photos)
