from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from sparkcore.origins import (
    file_name,
    folder_name,
    has_password,
    is_local,
    local_path,
    origin_of,
    quoted,
    truth_of,
    without_password,
)


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


def test_quoted_are_illegal_ascii_characters_and_unicode_spaces() -> None:
    plain = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!.~'()*,;:$&+=@/")
    letters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    changed = {letter for letter in letters if quoted(letter) != letter}
    spaces = {letter for letter in letters if unicodedata.category(letter) in ("Zs", "Zl", "Zp", "Cc")}
    assert changed == ({letter for letter in letters if letter.isascii()} | spaces) - plain


@pytest.mark.parametrize(
    ("uri", "plain"),
    [
        ("ftp://user:pass@host/a.jpg", "ftp://user@host/a.jpg"),
        ("ftp://user:p:a@s#s?@host:21/a:b@c.jpg", "ftp://user@host:21/a:b@c.jpg"),
        ("ftp://:pass@host", "ftp://@host"),
        ("ftp://user:@host", "ftp://user@host"),
        ("ftp://user:pa/ss@host/a", "ftp://user@host/a"),
        ("ftp://user:12/34", "ftp://user:12/34"),  # a port
        ("s3://key:secret@bucket/a", "s3://key@bucket/a"),
        ("no ftp://u:p@h/a and ftp://v:q@h/b", "no ftp://u@h/a and ftp://v@h/b"),
    ],
)
def test_a_uri_without_its_password(uri: str, plain: str) -> None:
    assert without_password(uri) == plain
    assert has_password(uri) == (uri != plain)


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://user@host/a:b@c",
        "hdfs://host:8020/a@b.jpg",
        "hdfs://host:8020",
        "file:/a:b@c",
        "s3://bucket/a:b@c",
        "/a:b@c",
    ],
)
def test_a_uri_that_has_no_password_stays(uri: str) -> None:
    assert without_password(uri) == uri
    assert not has_password(uri)


def test_other_forms_of_a_local_origin() -> None:
    assert local_path("file:///a%20b/c.jpg") == Path("/a b/c.jpg")
    assert local_path("s3a://bucket/c.jpg") is None


def test_names() -> None:
    assert file_name("s3a://bucket/folder/a%20b.jpg") == "a b.jpg"
    assert folder_name("file:/data/cls=kittens/x.jpg") == "kittens"
    assert folder_name("file:/data/a%20b/x.jpg") == "a b"


@pytest.mark.parametrize(
    ("origin", "truth", "expected"),
    [
        ("file:/d/n07747607_orange/x.jpg", "folder", "n07747607_orange"),
        ("file:/d/cls=kittens/x.jpg", "folder", "kittens"),
        ("file:/d/n01440764_tench.JPEG", "filename", "n01440764"),
        ("file:/d/n01440764.jpg", "filename", "n01440764"),
        ("file:/d/cat.1042.jpg", "filename", "cat"),
        ("file:/d/golden_retriever%20(12).jpg", "filename", "golden_retriever"),
        ("file:/d/golden-retriever.jpg", "filename", "golden-retriever"),
        ("file:/d/0001.jpg", "filename", None),
        ("file:/d/cat.jpg", "none", None),
    ],
)
def test_truth(origin: str, truth: str, expected: str | None) -> None:
    assert truth_of(origin, truth) == expected


@pytest.mark.parametrize(
    ("images", "local"),
    [
        ("photos", True),
        ("run1:a/x.jpg", True),  # a colon in a folder name
        ("file:/a/b.jpg", True),
        ("file:///a", True),
        ("s3a://bucket/x", False),
        ("hdfs:/photos", False),
    ],
)
def test_only_a_scheme_with_a_slash_makes_a_uri(images: str, local: bool) -> None:
    assert is_local(images) is local
