from __future__ import annotations

import os
from pathlib import Path

import pytest

from sparkcore.origins import file_name, folder_name, local_path, origin_of


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/a b/50%.jpg", "file:/a%20b/50%25.jpg"),
        ("/x#1?.jpg", "file:/x%231%3F.jpg"),
        ("/[1]{2}.jpg", "file:/%5B1%5D%7B2%7D.jpg"),
        ("/ünï/😀'+*.jpg", "file:/ünï/😀'+*.jpg"),
        ("/a\u00a0b\u3000.jpg", "file:/a%C2%A0b%E3%80%80.jpg"),
    ],
)
def test_origin_is_what_spark_says_and_goes_back(path: str, origin: str) -> None:
    assert origin_of(path) == origin
    assert local_path(origin) == Path(path)


def test_bytes_that_are_no_text_survive() -> None:
    path = os.fsdecode(b"/a/\xff.jpg")
    assert origin_of(path) == "file:/a/%FF.jpg"
    assert local_path("file:/a/%FF.jpg") == Path(path)
    assert file_name("file:/a/%FF.jpg") == "�.jpg"


def test_other_forms_of_a_local_origin() -> None:
    assert local_path("file:///a%20b/c.jpg") == Path("/a b/c.jpg")
    assert local_path("s3a://bucket/c.jpg") is None


def test_names() -> None:
    assert file_name("s3a://bucket/folder/a%20b.jpg") == "a b.jpg"
    assert folder_name("file:/data/cls=kittens/x.jpg") == "kittens"
    assert folder_name("file:/data/a%20b/x.jpg") == "a b"
