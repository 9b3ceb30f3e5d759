from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of, plain
from tests.runs_fixture import picture, write_run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Write the originals that the rows of a run name."""
    for number in range(12):
        path = tmp_path / "photos" / f"n0{number % 5 + 1}" / f"image-{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).resize((640, 480)).save(path)
    return tmp_path / "photos"


def ids(store: RunStore, run: str) -> list[str]:
    return map_results(store, run)["image_id"].to_pylist()


def test_the_first_image_of_the_filters(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos))
    app = open_page("image", run=run, label="banana")
    assert any("image\\-0001\\.jpg** · 1 of 4" in text.value for text in app.markdown)
    assert app.button(key="browse_previous").disabled
    assert not app.button(key="browse_next").disabled
    predictions = app.dataframe[0].value
    assert predictions["label"].tolist()[:2] == ["banana", "cherry pie"]
    assert predictions["score"].tolist()[0] == pytest.approx(94, abs=0.01)


def test_next_and_previous_stay_within_the_filters(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos))
    all_ids = ids(store, run)
    app = open_page("image", run=run, label="banana", image=all_ids[1])
    app.button(key="browse_next").click().run()
    assert address_of(app) == {"run": [run], "label": ["banana"], "image": [all_ids[5]]}
    app.button(key="browse_next").click().run()
    assert address_of(app)["image"] == [all_ids[6]]
    app.button(key="browse_next").click().run()
    assert address_of(app)["image"] == [all_ids[11]]
    assert app.button(key="browse_next").disabled
    app.button(key="browse_previous").click().run()
    assert address_of(app)["image"] == [all_ids[6]]


def test_details(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos))
    app = open_page("image", run=run, image=ids(store, run)[2])
    details = next(html.proto.body for html in app.get("html") if "<dl" in html.proto.body)
    assert "<dt>Margin</dt>" in details
    assert "<dt>File size</dt><dd>1.1 KB</dd>" in details
    assert "<dt>Size</dt><dd>176 \N{MULTIPLICATION SIGN} 140 pixels</dd>" in details


def test_an_original_that_is_gone_leaves_the_thumbnail(store: RunStore, open_page: OpenPage, tmp_path: Path):
    run = write_run(store, rows=12, images=str(tmp_path / "gone"))
    app = open_page("image", run=run)
    assert len(app.image) == 1
    assert "Only the thumbnail: The file no longer exists" in "".join(c.value for c in app.caption).replace("\\", "")


def test_an_original_outside_of_the_roots_is_not_opened(
    store: RunStore, open_page: OpenPage, photos: Path, monkeypatch: pytest.MonkeyPatch
):
    run = write_run(store, rows=12, images=str(photos))
    monkeypatch.setenv("SPARKCORE_ROOTS", str(photos.parent / "elsewhere"))
    app = open_page("image", run=run)
    assert "outside of the places that this server may read" in "".join(caption.value for caption in app.caption)


def test_an_unreadable_image_says_why(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    app = open_page("image", run=run, image=ids(store, run)[9])
    assert plain(app.error[0].value) == "**Truncated**: Row 9: truncated."
    assert not app.image


def test_other_runs_show_their_predictions(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos))
    other = write_run(store, rows=12, images=str(photos), shift=1, day=1, model="mobilenet_v2")
    app = open_page("image", run=run, image=ids(store, run)[0])
    button = app.button(key=f"other_{other}")
    assert plain(button.label) == "**banana 99.0 %** · differs · photos · mobilenet_v2"
    button.click().run()
    assert address_of(app) == {"run": [other], "image": [ids(store, run)[0]]}
    assert app.dataframe[0].value["label"].tolist()[0] == "banana"


def test_an_unknown_image_is_said(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    app = open_page("image", run=run, image="0123456789abcdef")
    assert app.warning[0].value == "Image 0123456789abcdef is not in this run. This is the first one."


def test_nothing_passes(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12)
    app = open_page("image", run=run, name="no such file")
    assert app.info[0].value == "No image passes all filters. Remove one of them above."


def test_the_true_label_is_told_first_and_marked(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos))
    wrong, right = ids(store, run)[2], ids(store, run)[1]
    app = open_page("image", run=run, image=wrong)
    assert (
        plain(app.warning[0].value)
        == "Prediction: **date palm** (89.0 %). It is incorrect: the true label is **cherry pie**."
    )
    assert app.dataframe[0].value["true"].tolist() == ["", "", "", "", "true label"]
    app = open_page("image", run=run, image=right)
    assert app.success[0].value == "Prediction: **banana** (94.0 %). It is correct."
    assert app.dataframe[0].value["true"].tolist() == ["true label", "", "", "", ""]


def test_a_tick_means_correct_and_nothing_else(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos))
    other = write_run(store, rows=12, images=str(photos), day=1, model="mobilenet_v2")
    button = open_page("image", run=run, image=ids(store, run)[2]).button(key=f"other_{other}")
    assert "same label" in button.label
    assert "check" not in button.proto.icon


def test_an_image_without_a_true_label_has_a_prediction_only(store: RunStore, open_page: OpenPage, photos: Path):
    run = write_run(store, rows=12, images=str(photos), truth=False)
    app = open_page("image", run=run, image=ids(store, run)[2])
    assert "Prediction: **date palm** (89.0 %)" in [plain(text.value) for text in app.markdown]
    assert "true" not in app.dataframe[0].value
