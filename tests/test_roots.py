from __future__ import annotations

from pathlib import Path

import pytest

from sparkcore.errors import InputError
from sparkcore.roots import (
    MAX_PATTERNS,
    check_allowed_uri,
    expand_braces,
    fixed_folder,
    glob_paths,
    is_allowed,
    is_allowed_uri,
    parse_root,
)


def test_braces() -> None:
    assert expand_braces("a{b,c}d{e,f}") == ["abde", "abdf", "acde", "acdf"]
    assert expand_braces("plain") == ["plain"]


def test_braces_that_stand_for_millions_are_refused() -> None:
    with pytest.raises(InputError, match=f"at most {MAX_PATTERNS:,} patterns"):
        expand_braces("{a,b}" * 25)


@pytest.mark.parametrize(
    ("pattern", "folder"), [("/a/b/*.jpg", "/a/b"), ("/a/[bc]/d", "/a"), ("/a/b?", "/a"), ("/a/b", "/a/b")]
)
def test_fixed_folder(pattern: str, folder: str) -> None:
    assert fixed_folder(pattern) == Path(folder)


def test_patterns_match_as_hadoop_does(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/.hidden.jpg", "b/2.png", "b/c/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    def matched(pattern: str) -> list[str]:
        return sorted(str(p.relative_to(tmp_path)) for p in glob_paths(tmp_path / pattern, follow_links=True))

    assert matched("*/*.{jpg,png}") == ["a/1.jpg", "b/2.png"]
    assert matched("**/*.jpg") == ["a/1.jpg", "b/c/3.jpg"]
    assert matched("[ab]") == ["a", "b"]
    assert matched("nothing*") == []


def test_links_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path)
    (tmp_path / "root" / "loop").symlink_to(tmp_path / "root" / "loop")
    assert is_allowed(tmp_path / "root" / "x", [tmp_path / "root"])
    assert not is_allowed(tmp_path / "root" / "out" / "x", [tmp_path / "root"])
    assert not is_allowed(tmp_path / "root" / "..", [tmp_path / "root"])
    assert not is_allowed(f"{tmp_path}/root/a\0b", [tmp_path / "root"])


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("s3://bucket/photos", True),
        ("s3a://bucket/photos/2024/a.jpg", True),
        ("s3://bucket/photos/*/a.jpg", True),
        ("s3://bucket/photos/{a,b}/*", True),
        ("s3://other", True),
        ("s3://bucket", False),
        ("s3://bucket/", False),
        ("s3://bucket/photos2", False),
        ("s3://bucket/photo*", False),
        ("s3://bucket/{photos,secret}/a.jpg", False),
        ("s3://bucket/photos/../secret", False),
        ("s3://bucket/photos%2F..%2Fsecret", False),
        ("s3://bucket/photos/%2E%2E/secret", False),
        ("gs://bucket/photos", False),
        ("s3://elsewhere/photos", False),
        ("/photos", False),
    ],
)
def test_addresses_below_the_allowed_places(uri: str, allowed: bool) -> None:
    roots = (Path("/photos"), parse_root("s3://bucket/photos/"), parse_root("s3a://other"))
    assert is_allowed_uri(uri, roots) is allowed
    if not allowed:
        with pytest.raises(InputError, match="Choose one of these"):
            check_allowed_uri(uri, roots)
