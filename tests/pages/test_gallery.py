from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage, address_of, drawn, plain
from tests.runs_fixture import write_run


def tiles(app: AppTest) -> list[dict[str, str]]:
    """Return what the wall draws."""
    (found,) = drawn(app, "tiles")
    return found


def names(app: AppTest) -> list[int]:
    return [int(tile["file_name"][6:10]) for tile in tiles(app)]


def test_an_empty_store_leads_to_the_first_run(open_page: OpenPage):
    app = open_page("gallery")
    assert app.title[0].value == "Gallery"
    assert app.header[0].value == "Nothing has been classified yet"
    assert not drawn(app, "tiles")


def test_the_newest_run_is_shown_and_named_in_the_address(store: RunStore, open_page: OpenPage):
    write_run(store, rows=10)
    newest = write_run(store, rows=30, day=1)
    app = open_page("gallery")
    assert address_of(app)["run"] == [newest]
    assert (
        plain(app.caption[0].value)
        == "**photos · efficientnet_lite0** · 30 images, 3 unreadable · 2026-01-03 03:04 UTC"
    )
    assert names(app) == [n for n in range(30) if n % 10 != 9][:24]


def test_a_tile_says_all_of_its_image(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    first, third = tiles(open_page("gallery", run=run))[0], tiles(open_page("gallery", run=run))[2]
    assert first["picture"].startswith("data:image/jpeg;base64,/9j/")
    shown = {name: first[name] for name in ("label", "score", "mark", "truth", "alt", "href")}
    assert shown == {
        "label": "apple",
        "score": "99.0 %",
        "mark": "correct",
        "truth": "",
        "alt": "image-0000.jpg, predicted apple with 99.0 %, which is correct",
        "href": f"image?run={run}&image={first['image_id']}",
    }
    assert (third["label"], third["mark"], third["truth"]) == ("date palm", "incorrect", "cherry pie")
    assert third["alt"] == "image-0002.jpg, predicted date palm with 95.0 %, but the true label is cherry pie"


def test_filters_of_the_address_leave_their_images(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    app = open_page("gallery", run=run, label=["apple", "banana"], score=["", "0.8"], correct="correct")
    assert names(app) == [10, 11, 16, 20, 21, 26]
    assert [chip.label for chip in app.button if str(chip.key).startswith("chip_")] == [
        "label apple, banana",
        r"score up to 80 %",
        "prediction correct",
        "Clear all",
    ]
    assert any("**6 of 30 images**" in text.value for text in app.markdown)
    assert app.multiselect(key="filter_label").value == ["apple", "banana"]
    assert app.slider(key="filter_score").value == (0.0, 80.0)


def test_a_chip_removes_its_filter(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    app = open_page("gallery", run=run, label="apple", page="2", name="image-001")
    app.button(key="chip_labels").click().run()
    assert address_of(app) == {"run": [run], "name": ["image-001"]}
    assert names(app) == list(range(10, 20))
    assert app.multiselect(key="filter_label").value == []


def test_all_filters_can_be_cleared(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    app = open_page("gallery", run=run, label="apple", status="ok", sort="name-asc")
    app.button(key="chip_all").click().run()
    assert address_of(app) == {"run": [run], "sort": ["name-asc"]}


def test_widgets_write_the_address(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    app = open_page("gallery", run=run, page="2")
    app.multiselect(key="filter_label").select("banana").run()
    app.slider(key="filter_score").set_range(50.0, 100.0).run()
    app.text_input(key="filter_name").input("00").run()
    app.selectbox(key="sort").select("score-asc").run()
    expected = {"run": [run], "label": ["banana"], "score": ["0.5", ""], "name": ["00"], "sort": ["score-asc"]}
    assert address_of(app) == expected
    assert names(app) == [21, 16, 15, 11, 6, 5, 1]


def test_problems_are_tiles_too(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    app = open_page("gallery", run=run, status="error", sort="name-asc")
    assert [(tile["label"], tile["picture"], tile["mark"]) for tile in tiles(app)] == [
        ("Truncated", "", ""),
        ("Empty", "", ""),
        ("Truncated", "", ""),
    ]


def test_pages_and_their_size(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=40, error_every=0)
    app = open_page("gallery", run=run, page="2", per="12")
    assert names(app) == list(range(12, 24))
    app.get("pagination")[0].set_value(4).run()
    assert address_of(app)["page"] == ["4"]
    assert names(app) == [36, 37, 38, 39]
    app.selectbox(key="wall_per").select(48).run()
    assert address_of(app) == {"run": [run], "per": ["48"]}
    assert names(app) == list(range(40))


def test_a_page_behind_the_last_is_the_last(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30, error_every=0)
    assert names(open_page("gallery", run=run, page="99")) == list(range(24, 30))


def test_the_order_says_its_value_on_the_tiles(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12, error_every=0)
    app = open_page("gallery", run=run, sort="size-desc")
    assert [(tile["file_name"], tile["note"]) for tile in tiles(app)][:2] == [
        ("image-0011.jpg", "1.4 KB"),
        ("image-0010.jpg", "1.4 KB"),
    ]


def test_a_shuffle_is_in_the_address(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=12, error_every=0)
    app = open_page("gallery", run=run, sort="random")
    first = names(app)
    next(button for button in app.button if button.label == "Shuffle").click().run()
    assert address_of(app)["seed"] == ["1"]
    assert sorted(names(app)) == sorted(first) == list(range(12))
    assert names(app) != first
    assert names(open_page("gallery", run=run, sort="random", seed="1")) == names(app)


def test_nothing_passes(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=10)
    app = open_page("gallery", run=run, name="no such file")
    assert app.info[0].value == "No image passes all filters. Remove one of them above."
    assert not drawn(app, "tiles")


def test_an_unknown_run_is_said(store: RunStore, open_page: OpenPage):
    write_run(store, rows=10)
    app = open_page("gallery", run="feedfeedfeedfeed")
    assert plain(app.error[0].value).startswith("There is no run feedfeedfeedfeed in this store.")


@pytest.mark.parametrize("run", ["../../secret", "../../etc", "/etc", "..", "a\0b", "FEEDFEEDFEEDFEED", "[x](y)"])
def test_a_run_is_no_path(store: RunStore, open_page: OpenPage, run: str):
    write_run(store, rows=10)
    (store.state.parent / "secret").mkdir()
    write_run(RunStore(store.state.parent), rows=30)
    app = open_page("gallery", run=run)
    assert plain(app.error[0].value).startswith("There is no run ")
    assert not drawn(app, "tiles")


def test_impossible_parameters_count_as_nothing(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=10, error_every=0)
    query = {"page": "x", "per": "7", "sort": "weight", "score": ["a", "b"], "label": "", "zoom": "huge", "seed": "-1"}
    assert names(open_page("gallery", run=run, **query)) == list(range(10))


def test_another_run_is_chosen(store: RunStore, open_page: OpenPage):
    old = write_run(store, rows=10)
    write_run(store, rows=30, day=1)
    app = open_page("gallery", label="apple", page="2")
    app.selectbox(key="frame_run").select(old).run()
    assert address_of(app) == {"run": [old], "label": ["apple"]}
    assert names(app) == [0]


def test_the_pager_says_where_it_is(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=45, error_every=0)
    app = open_page("gallery", run=run, page="2")
    assert [caption.value for caption in app.main.caption][-1] == "25 to 45 of 45"
    assert app.get("pagination")[0].proto.max_visible_pages >= 7


def test_a_wall_brings_the_picture_of_the_address_into_view(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=30)
    wanted = tiles(open_page("gallery", run=run))[20]["image_id"]
    app = open_page("gallery", run=run, at=wanted)
    assert drawn(app, "at") == [wanted]
    app.selectbox(key="sort").select("score-asc").run()
    assert drawn(app, "at") == [""]
    assert address_of(app) == {"run": [run], "sort": ["score-asc"]}
