from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import EngineConfig
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, plain
from tests.pages.stored_runs import ROWS, RUN, store_run


def test_problems_are_counted_and_listed(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("problems", run=RUN)
    reasons, images = (table.value for table in app.dataframe)
    assert reasons.values.tolist() == [
        ["empty", 1, 50.0, "the file is empty"],
        ["truncated", 1, 50.0, "the image data end early"],
    ]
    assert images.values.tolist() == [
        ["f.jpg", "truncated", "The file ends after 12 bytes.", "12 B", "/data/f.jpg"],
        ["=g.jpg", "empty", "The file is empty.", "0 B", "/data/=g.jpg"],
    ]


def test_a_reason_narrows_the_list_and_not_its_chart(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("problems", run=RUN, error="empty")
    reasons, images = (table.value for table in app.dataframe)
    assert len(reasons) == 2
    assert images["File"].tolist() == ["=g.jpg"]


def test_retry_asks_for_the_unreadable_images_only(store: RunStore, open_page: OpenPage, tmp_path: Path):
    images = tmp_path / "animals"
    images.mkdir()
    _, manifest = store_run(store, images=str(images), resize="crop")
    app = open_page("problems", run=RUN)
    app.button(key="retry").click().run()
    (job,) = client.jobs(EngineConfig(store=store.uri))
    assert (job.config.to_dict(), job.retry_failed) == (manifest.config, True)


def test_retry_reads_only_below_the_allowed_folders(store: RunStore, open_page: OpenPage):
    store_run(store, images="/etc")
    app = open_page("problems", run=RUN)
    app.button(key="retry").click().run()
    assert client.jobs(EngineConfig(store=store.uri)) == []
    assert "/etc" in app.error[0].value


@pytest.mark.parametrize(
    "file", [{"model": "m.keras"}, {"weights": "w.h5"}, {"weights": "w.pth"}, {"weights": "w"}, {"labels": "l.txt"}]
)
def test_retry_reads_files_only_below_the_allowed_folders(
    store: RunStore, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: dict[str, str]
):
    (tmp_path / "animals").mkdir()
    monkeypatch.setenv("SPARKCORE_ROOTS", str(tmp_path / "animals"))
    ((setting, name),) = file.items()
    (tmp_path / name).write_bytes(b"1")
    store_run(store, images=str(tmp_path / "animals"), **{setting: str(tmp_path / name)})
    app = open_page("problems", run=RUN)
    app.button(key="retry").click().run()
    assert client.jobs(EngineConfig(store=store.uri)) == []
    assert plain(app.error[0].value).startswith("File: expected ")


@pytest.mark.parametrize("weights", ["imagenet", "random:3"])
def test_retry_keeps_weights_that_are_no_file(store: RunStore, open_page: OpenPage, tmp_path: Path, weights: str):
    store_run(store, images=str(tmp_path), weights=weights)
    app = open_page("problems", run=RUN)
    app.button(key="retry").click().run()
    assert client.jobs(EngineConfig(store=store.uri))[0].config.weights == weights


def test_a_page_has_200_problems_at_most(store: RunStore, open_page: OpenPage):
    store_run(store, [ROWS[5] | {"image_id": f"{number:04}"} for number in range(250)])
    assert [len(open_page("problems", run=RUN, page=page).dataframe[-1].value) for page in ("1", "2")] == [200, 50]


def test_a_run_without_problems_says_so(store: RunStore, open_page: OpenPage):
    store_run(store, ROWS[:5])
    app = open_page("problems", run=RUN)
    assert [text.value for text in app.success] == ["All 5 images are readable."]


def test_filters_that_leave_nothing_are_told(store: RunStore, open_page: OpenPage):
    store_run(store)
    app = open_page("problems", run=RUN, label="cat")
    assert "passes the filters" in app.info[0].value
