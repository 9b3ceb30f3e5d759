"""Whatever things are called: origins lead back, patterns stay below the roots, filters are values."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkcore import intake
from sparkcore.analysis.filters import FILTER_KEYS, Filters, describe
from sparkcore.analysis.selection import select
from sparkcore.engine.local_listing import LocalListing
from sparkcore.errors import InputError
from sparkcore.origins import file_name, is_local, local_path, origin_of, truth_of, without_password
from sparkcore.roots import MAX_PATTERNS, expand_braces
from sparkcore.runs.mapped import map_results
from sparkcore.runs.store import RunStore
from tests.runs_fixture import write_run

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name and b"/" not in name)
# Texts that a browser can send: no lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NUMBERS = st.floats(width=32).map(str) | st.integers().map(str)
VALUES = st.sampled_from(["", "ok", "error", "correct", "apple", "n01", "truncated"])
QUERIES = st.dictionaries(st.sampled_from(FILTER_KEYS) | TEXTS, st.lists(TEXTS | NUMBERS | VALUES, max_size=3))
WAYS_OUT = ("..", "{a,..}", "{photos,../secret}", "[.][.]", "out", "o[u]t", "?ut", "\\..")
PIECES = st.sampled_from((*WAYS_OUT, "*", "**", "photos", "{photos,out}", "*.png"))
PATTERNS = st.lists(PIECES, min_size=1, max_size=4).map("/".join) | st.text("{},.*[]/\\ap", max_size=30)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_an_origin_leads_back_to_its_path(names: list[bytes]):
    path = Path("/", *map(os.fsdecode, names))
    origin = origin_of(path)
    assert local_path(origin) == path
    origin.encode()
    assert file_name(origin) == os.fsencode(path.name).decode("utf-8", "replace")
    for truth in ("folder", "filename", "none"):
        (truth_of(origin, truth) or "").encode()


@given(TEXTS)
def test_no_text_is_too_odd_for_an_address(text: str):
    assert is_local(text) in (True, False)
    assert len(without_password(text)) <= len(text)
    with suppress(InputError):
        assert 1 <= len(expand_braces(text)) <= MAX_PATTERNS or not text


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an allowed folder with links that lead out of it, and a secret beside it."""
    folder = tmp_path_factory.mktemp("roots")
    for name in ("root/photos/a.png", "root/a.png", "secret/b.png", "b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"1")
    (folder / "root" / "out").symlink_to(folder / "secret")
    (folder / "root" / "photos" / "out").symlink_to(folder)
    return folder / "root"


@given(PATTERNS)
def test_no_pattern_leads_out_of_the_roots(root: Path, pattern: str):
    images = f"{root}/{pattern}"
    with suppress(InputError):
        paths = [local_path(file.origin) for file in LocalListing(images, (root,), lambda: None).files()]
        assert all(path is not None and path.resolve().is_relative_to(root) for path in paths)
    with suppress(InputError):
        assert intake.choose_images(images, [root]).startswith(str(root))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunStore, str]:
    store = RunStore(tmp_path_factory.mktemp("filters"))
    return store, write_run(store, rows=12)


@given(QUERIES)
def test_any_query_is_a_filter(run: tuple[RunStore, str], query: dict[str, list[str]]):
    filters = Filters.from_query(query)
    written = filters.to_query()
    assert Filters.from_query(written).to_query() == written
    assert len(describe(filters)) == len(written)
    table = map_results(*run)
    assert set(select(table, filters)) <= set(range(table.num_rows))
