"""Running some pictures of a run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore import client
from sparkcore.config import RunConfig
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of, plain
from tests.pages.request_form import press
from tests.runs_fixture import write_run


def test_filtered_pictures_become_the_list_of_a_new_run(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=30, images=str(photos), model="mobilenet_v2")
    app = press(open_page("gallery", run=run, label="apple"), "Run these 3 with …")
    assert app.title[0].value == "New run"
    list_id = address_of(app)["list"][0]
    app = open_page("run", repeat=run, list=list_id)
    path = store.state / "lists" / list_id / "3 pictures of photos.txt"
    assert path.read_text().splitlines()[0] == f"file:{photos}/n01/image-0000.jpg"
    assert "**3 pictures of photos**" in [plain(one.value) for one in app.markdown]
    app.selectbox(key=f"request_{run}{list_id}_model").select("resnet50")
    press(app, "Run")
    (job,) = client.jobs()
    assert job.config == RunConfig(images=f"@{path}", model="resnet50", truth="folder")
    assert "**3 pictures of photos · resnet50**" in " ".join(plain(one.value) for one in open_page("run").markdown)


@pytest.mark.parametrize("chosen", [[0, 3], list(range(30))])
def test_chosen_pictures_are_run_again(store: RunStore, open_page: OpenPage, photos: Path, chosen: list[int]):
    run = write_run(store, rows=30, images=str(photos))
    app = open_page("gallery", run=run)
    app.session_state[f"chosen_of_{run}"] = frozenset(chosen)
    app.run().button(key="chosen_again").click().run()
    lists = list(store.state.glob("lists/*/*.txt"))
    assert [len(path.read_text().splitlines()) for path in lists] == ([2] if len(chosen) == 2 else [])
    assert app.segmented_control[0].value == ("list" if len(chosen) == 2 else "folder")


def test_a_list_that_is_gone_is_said(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=30, images=str(photos))
    app = open_page("run", repeat=run, list="../../secret")
    assert app.warning[0].value.startswith("This list of pictures is no longer here.")


def test_a_list_outside_of_the_roots_cannot_be_run(store: RunStore, open_page: OpenPage, photos: Path, tmp_path: Path):
    (tmp_path / "list.txt").write_text(f"{photos}/a.png")
    run = write_run(store, rows=12, images=f"@{tmp_path}/list.txt")
    app = open_page("run", repeat=run)
    assert "expected a list of files below the allowed folders" in plain(app.error[0].value)
    assert next(button for button in app.button if button.label == "Run").disabled
