"""The pages over a store that is not on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.components import opened
from sparkcore.progress import Step, Watch
from sparkcore.runs.layout import manifest_name
from sparkcore.runs.notes import Note, read_notes
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, drawn
from tests.runs_fixture import write_run

PAGES = ("run", "gallery", "image", "labels", "scores", "evaluate", "compare", "problems", "runs")


@pytest.fixture
def remote(store: RunStore, s3_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Give an empty store on an object store, which the pages show."""
    del store
    monkeypatch.setenv("SPARKCORE_STORE", s3_prefix)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return RunStore(s3_prefix)


@pytest.fixture
def run(remote: RunStore) -> str:
    """Write two runs and return the id of the older one."""
    write_run(remote, rows=12, day=1)
    return write_run(remote, rows=30)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(remote: RunStore, open_page: OpenPage, run: str, page: str):
    app = open_page(page, run=run)
    assert app.title[0].value
    assert not app.error
    if page != "run":
        assert any(path.name.startswith(run) for path in (remote.state / "mapped").iterdir())


def test_the_gallery_has_its_pictures(open_page: OpenPage, run: str):
    (tiles,) = drawn(open_page("gallery", run=run), "tiles")
    assert [tile["file_name"] for tile in tiles[:10]] == [f"image-{n:04d}.jpg" for n in (*range(9), 10)]  # 9 is damaged
    assert all(tile["picture"].startswith("data:image/jpeg") for tile in tiles)


def test_a_note_is_kept_in_the_store(remote: RunStore, open_page: OpenPage, run: str):
    app = open_page("runs", run=run)
    app.text_input[0].set_value("Animals")
    next(button for button in app.button if button.label == "Save").click().run()
    assert read_notes(RunStore(remote.uri)).by_run == {run: Note("Animals")}


def test_a_run_is_deleted(remote: RunStore, open_page: OpenPage, run: str):
    app = open_page("runs", run=run)
    next(button for button in app.button if button.label == "Delete").click().run()
    app.button("delete_for_good").click().run()
    assert run not in [manifest.run_id for manifest in remote.runs()]
    assert list(remote.storage.list(f"runs/{run}")) == []
    assert not any(path.name.startswith(run) for path in (remote.state / "mapped").iterdir())


def test_a_run_that_somebody_else_deletes_is_said(remote: RunStore, open_page: OpenPage, run: str):
    open_page("gallery", run=run)
    remote.storage.delete(manifest_name(run))
    assert f"There is no run {run} in this store. Choose another one from the list." in (
        open_page("gallery", run=run).error[0].value
    )


@pytest.mark.usefixtures("remote")
def test_a_store_that_refuses_is_said(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "access was denied" in open_page("gallery").error[0].value


def test_a_long_copy_shows_how_far_it_is(remote: RunStore, run: str, monkeypatch: pytest.MonkeyPatch):
    shown: list[tuple[float, str]] = []

    class Place:
        def progress(self, value: float, said: str) -> None:
            shown.append((value, said))

        def empty(self) -> None:
            shown.append((1.0, ""))

    def copy(_store: RunStore, _run_id: str, watch: Watch) -> None:
        for done in (250_000, 1_000_000):
            watch.progress(Step("opening", done, 1_000_000))

    monkeypatch.setattr(opened.st, "empty", Place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened, "map_results", copy)
        opened._copy_columns(remote, run)
    assert shown == [(0.25, "Opening the run: 250,000 of 1,000,000 images"), (1.0, "")]
