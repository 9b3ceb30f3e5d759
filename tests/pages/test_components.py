"""The parts of the pages that need no page."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from pages.components import text
from pages.components.crossfilter import selection_to_filter
from pages.components.naming import request_name
from sparkcore.config import RunConfig
from sparkcore.runs.jobs import Job

JOB = Job(
    job_id="a",
    request="r",
    config=RunConfig(images="/photos"),
    retry_failed=False,
    state="running",
    phase="classifying",
    done=0,
    done_before=0,
    total=0,
    errors=0,
    message="",
    run_id=None,
    cancel_requested=False,
    created_at=1000.0,
    started_at=1001.0,
    classifying_at=None,
    finished_at=None,
    heartbeat_at=1002.0,
)


@pytest.mark.parametrize(
    ("selection", "name", "expected"),
    [
        ([{"label": "dog"}], "labels", {"labels": ("dog",)}),
        ([{"label": "dog"}, {"label": "cat"}], "labels", {"labels": ("cat",)}),
        ([], "labels", {"labels": None}),
        (None, "score", {"score": None}),
        ({}, "score", {"score": None}),
        ({"low": [0.6, 0.2]}, "score", {"score": (0.2, 0.6)}),
        ({"low": [0.2]}, "score", None),
        ({"low": ["a", "b"]}, "score", None),
        ([{"truth": "cat", "label": "dog"}], "pair", {"pair": ("cat", "dog")}),
        ([{"first": "cat", "second": "dog", "count": 3}], "top_two", {"top_two": ("cat", "dog")}),
        ([{"truth": "cat"}], "pair", None),
        ([{"count": 3}], "labels", None),
    ],
)
def test_a_selection_becomes_a_filter(selection: Any, name: str, expected: dict[str, Any] | None):
    assert selection_to_filter(selection, name) == expected


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (123_456, "123 KB"), (5_050_000, "5.0 MB"), (3 * 10**15, "3000 TB")],
)
def test_bytes(size_bytes: int, expected: str):
    assert text.size(size_bytes) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-1, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599, "59 min 59 s"), (3660, "1 h 01 min")],
)
def test_durations(seconds: float, expected: str):
    assert text.duration(seconds) == expected


def test_text_is_shown_letter_for_letter():
    assert text.escape("a_b *c* [d](e)\n:smile: $x$") == r"a\_b \*c\* \[d\]\(e\) \:smile\: \$x\$"


def test_progress_before_the_files_are_listed():
    assert text.progress(JOB, 1065.0) == "waiting for 1 min 05 s"


def test_progress_while_classifying():
    job = replace(JOB, total=1000, done=300, done_before=100, errors=4, classifying_at=1010.0)
    assert text.progress(job, 1030.0) == "300 of 1,000 images · 10.0 images/s · about 1 min 10 s left · 4 unreadable"


def test_progress_before_the_first_image():
    job = replace(JOB, total=1000, classifying_at=time.time())
    assert text.progress(job, time.time()) == "0 of 1,000 images"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("file:/data/a%20b.jpg", "/data/a b.jpg"),
        ("file:/data/%FF.jpg", "/data/\N{REPLACEMENT CHARACTER}.jpg"),
        ("s3a://bucket/a%20b.jpg", "s3a://bucket/a%20b.jpg"),
    ],
)
def test_a_path_is_readable_text(origin: str, expected: str):
    assert text.path(origin) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "not set"), ([], "not set"), (["pixels", "scores"], "pixels and scores"), (3, "3")]
)
def test_settings(value: object, expected: str):
    assert text.setting(value) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model": "mobilenet_v2", "resize": "crop"}, "photos · mobilenet_v2 · crop"),
        ({"images": "/photos/*.jpg", "model": "/models/birds.keras"}, "*.jpg · birds"),
        ({"model": "vgg16", "sample": 75}, "Quick look: 75 of photos · vgg16"),
        ({"model": "vgg16", "sample": 1200, "seed": 3}, "1,200 of photos · vgg16"),
        ({"images": "/store/uploads/c25f3ca40a5f6f2a", "model": "vgg16"}, "Upload · vgg16"),
        ({"interpolation": "nearest", "top_k": 3, "min_width": 10}, "photos · default model · nearest · predictions 3"),
    ],
)
def test_a_request_has_a_name_for_people(config: dict[str, Any], expected: str):
    assert request_name(RunConfig(**{"images": "/data/photos", **config}).to_dict()).startswith(expected)


def test_a_request_of_another_version_has_a_name_too():
    assert request_name({"images": "/data/photos", "model": "auto", "unheard_of": 1}, "resnet50") == "photos · resnet50"
