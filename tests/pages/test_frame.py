from __future__ import annotations

from unittest.mock import patch

import streamlit as st

from sparkcore.runs.store import RunStore
from tests.pages.conftest import OpenPage
from tests.runs_fixture import write_run


def test_the_tab_is_named_after_the_run(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=10)
    with patch.object(st, "set_page_config") as named:
        open_page("gallery", run=run)
    assert named.call_args.kwargs["page_title"] == "photos · efficientnet_lite0 · Gallery · sparkcore"


def test_the_tab_of_an_image_is_named_after_the_file(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=10)
    with patch.object(st, "set_page_config") as named:
        open_page("image", run=run)
    assert named.call_args.kwargs["page_title"] == "image-0000.jpg · Image · sparkcore"


def test_the_navigation_is_in_groups_and_keeps_the_view(store: RunStore, open_page: OpenPage):
    run = write_run(store, rows=10)
    app = open_page("gallery", run=run, label="apple", per="48")
    assert [caption.value for caption in app.sidebar.caption] == ["Explore", "Judge", "Runs"]
    links = [link.proto for link in app.sidebar.get("page_link")]
    assert [link.label for link in links] == [
        *("Gallery", "Labels", "Map", "Duplicates", "Image"),
        *("Review", "Evaluate", "Scores", "Compare", "Problems"),
        *("New run", "All runs"),
    ]
    assert {link.query_string for link in links} == {f"run={run}&label=apple&per=48"}


def test_two_runs_that_read_the_same_show_their_ids(store: RunStore, open_page: OpenPage):
    write_run(store, rows=10, rows_per_part=10)
    run = write_run(store, rows=10, rows_per_part=20)
    options = open_page("gallery", run=run).selectbox(key="frame_run").options
    assert len(set(options)) == 2
    assert [option.rpartition(" · ")[2] in run for option in options].count(True) == 1
    assert {option.rpartition(" · ")[0] for option in options} == {
        "photos · efficientnet_lite0 · 10 images · 2026-01-02 03:04"
    }
