from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparkcore.classes import ClassName
from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.layout import manifest_name, plan_name
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.store import RunStore

MANIFEST = Manifest(
    run_id="00aa", request_id="r", recipe_id="c", retry=0, config={"keep": []}, model={"name": "m"}, versions={},
    created_at="2026-01-01T00:00:00+00:00", finished_at="2026-01-01T00:00:01+00:00", counts={"images": 3},
)  # fmt: skip


def test_creating_a_store_touches_nothing(store: RunStore, tmp_path: Path) -> None:
    before = list(tmp_path.iterdir())
    assert (store.runs(), store.unfinished()) == ([], [])
    assert not store.has("00aa")
    assert list(tmp_path.iterdir()) == before


def test_a_run_is_there_when_its_manifest_is(store: RunStore) -> None:
    store.storage.write(plan_name("00aa"), b"{}")
    store.storage.write("runs/00bb/word/listing/00000.parquet", b"not planned yet")
    assert (store.has("00aa"), store.unfinished()) == (False, ["00aa"])
    for read in (store.manifest, store.recall):
        with pytest.raises(RunNotFoundError, match="received '00aa'"):
            read("00aa")
    assert store.finish(MANIFEST) == MANIFEST
    assert (store.has("00aa"), store.unfinished()) == (True, [])
    assert store.manifest("00aa") == store.recall("00aa") == MANIFEST
    store.storage.write("runs/00aa/word/results/1.parquet", bytes(1000))
    assert store.size_bytes("00aa") == 1000 + 2 + store.storage.stat(manifest_name("00aa")).size_bytes


def test_the_first_of_two_manifests_counts(store: RunStore) -> None:
    later = replace(MANIFEST, finished_at="2026-01-01T00:00:02+00:00")
    assert store.finish(MANIFEST) == store.finish(MANIFEST) == store.finish(later) == MANIFEST
    assert store.manifest("00aa") == MANIFEST


def test_runs_and_prefixes(store: RunStore) -> None:
    for name, finished in (("00aa", "1"), ("00ab", "3"), ("11cc", "2")):
        store.finish(replace(MANIFEST, run_id=name, finished_at=finished))
    assert [m.run_id for m in store.runs()] == ["00ab", "11cc", "00aa"]
    assert store.find("latest").run_id == "00ab"
    assert store.find("1").run_id == "11cc"
    for wrong in ("00", "", "zz"):
        with pytest.raises(RunNotFoundError):
            store.find(wrong)


def test_class_names_keep_their_order(store: RunStore) -> None:
    assert store.classes("00aa") == ()
    classes = (ClassName("n2", "dog"), ClassName("n1", "Katze ä"))
    store.write_classes("00aa", classes)
    assert store.classes("00aa") == classes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged file"),
        (b"\xff\xfe", "damaged file"),
        (b"[]", "JSON object, received list"),
        (b'{"version": 99}', "version 2, received 99"),
        (b'{"version": 2}', "field run_id"),
        ({"counts": 3}, "dict in the manifest's field counts, received int"),
        ({"finished_at": None}, "str in the manifest's field finished_at, received NoneType"),
        ({"run_id": "00bb"}, "run 00aa, received that of 00bb"),
    ],
)
def test_a_bad_manifest_is_left_out_with_a_warning(
    store: RunStore, caplog: pytest.LogCaptureFixture, content: bytes | dict[str, Any], reason: str
) -> None:
    store.finish(MANIFEST)
    store.finish(replace(MANIFEST, run_id="11cc"))
    changed = json.dumps({**MANIFEST.to_dict(), **content}).encode() if isinstance(content, dict) else content
    store.storage.write(manifest_name("00aa"), changed)
    assert [manifest.run_id for manifest in store.runs()] == ["11cc"]
    assert store.find("latest").run_id == "11cc"
    (warning, _) = caplog.messages
    assert warning.startswith("Left out run 00aa: ")
    assert reason in warning
    for read in (store.manifest, store.recall):
        with pytest.raises(RunFailedError):
            read("00aa")
    assert store.unfinished() == []


@pytest.mark.parametrize(
    ("links", "hidden", "said"),
    [(0, 0, ""), (1, 0, "1 link"), (0, 1, "1 hidden file"), (1200, 3, "1,200 links, 3 hidden files")],
)
def test_what_was_not_listed_is_said(links: int, hidden: int, said: str) -> None:
    counts = {"images": 3, "links_left_out": links, "hidden_left_out": hidden}
    assert replace(MANIFEST, counts=counts).left_out == said
    assert MANIFEST.left_out == ""  # runs of 0.1 do not know


def test_unknown_fields_of_a_manifest_are_ignored(store: RunStore, caplog: pytest.LogCaptureFixture) -> None:
    store.storage.write(manifest_name("00aa"), json.dumps({**MANIFEST.to_dict(), "mood": "sunny"}).encode())
    assert store.runs() == [MANIFEST]
    assert caplog.messages == []


def test_a_manifest_is_read_once(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.finish(MANIFEST)
    assert store.runs() == [MANIFEST]
    monkeypatch.setattr(type(store.storage), "read", None)
    assert RunStore(store.uri).runs() == [MANIFEST]
    assert RunStore(store.uri).recall("00aa") == MANIFEST


def test_a_run_that_is_computed_again_has_its_new_manifest(store: RunStore) -> None:
    store.finish(MANIFEST)
    assert store.runs() == [MANIFEST]
    again = replace(MANIFEST, finished_at="2026-01-02T00:00:00+00:00")
    store.storage.write(manifest_name("00aa"), json.dumps(again.to_dict()).encode())  # by another process
    assert store.manifest("00aa") == again
    assert store.runs() == [again]
    store.storage.delete(manifest_name("00aa"))
    assert not store.has("00aa")
    with pytest.raises(RunNotFoundError):
        store.manifest("00aa")
    assert store.runs() == []
