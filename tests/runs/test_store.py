from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkcore.errors import RunFailedError, RunNotFoundError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.results import load_results, load_rows, load_thumbnails, read_parts
from sparkcore.runs.store import ROW_GROUP_ROWS, RunStore
from sparkcore.schema import result_schema

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = Manifest(
    run_id="00aa", request_id="r", recipe_id="c", attempt=0, config={"keep": []}, model={"name": "m"}, versions={},
    created_at="2026-01-01T00:00:00+00:00", finished_at="2026-01-01T00:00:01+00:00", counts={"images": 3},
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "store")


def rows(*ids: str, **more: Any) -> pa.Table:
    entries = [{"image_id": i, "thumbnail": f"picture of {i}".encode(), "status": "ok", **more} for i in ids]
    return pa.Table.from_pylist(entries, schema=result_schema())


def test_creating_a_store_touches_nothing(store: RunStore) -> None:
    assert store.runs() == store.unfinished() == []
    assert not store.root.exists()


def test_a_run_is_there_when_its_manifest_is(store: RunStore) -> None:
    store.write_plan("00aa", {"recipe_id": "recipe"})
    store.write_part("00aa", "part-00000", rows("a", "b"))
    assert (store.has("00aa"), store.unfinished()) == (False, ["00aa"])
    with pytest.raises(RunNotFoundError, match="received '00aa'"):
        store.manifest("00aa")
    store.finish(MANIFEST)
    assert (store.has("00aa"), store.unfinished()) == (True, [])
    assert store.manifest("00aa") == MANIFEST
    assert store.size_bytes("00aa") > 1000


def test_part_numbers_are_never_reused(store: RunStore) -> None:
    assert store.next_part("00aa") == 0
    store.write_part("00aa", "part-00000", rows("a"))
    store.write_part("00aa", "part-00003", rows("b"))  # 1 and 2 were being computed when the process was killed
    assert store.next_part("00aa") == 4
    store.write_part("00aa", "reused-00004", rows("c"), rows("d"))
    (store.folder("00aa") / "results" / "reused-00004.parquet").unlink()
    assert store.next_part("00aa") == 5


def test_a_finished_run_never_changes(store: RunStore) -> None:
    store.finish(MANIFEST)
    with pytest.raises(RunFailedError, match="never changes"):
        store.finish(MANIFEST)


def test_runs_and_prefixes(store: RunStore) -> None:
    for name, finished in (("00aa", "1"), ("00ab", "3"), ("11cc", "2")):
        store.finish(replace(MANIFEST, run_id=name, finished_at=finished))
    assert [m.run_id for m in store.runs()] == ["00ab", "11cc", "00aa"]
    assert store.find("latest").run_id == "00ab"
    assert store.find("1").run_id == "11cc"
    for wrong in ("00", "", "zz"):
        with pytest.raises(RunNotFoundError):
            store.find(wrong)


def test_delete(store: RunStore) -> None:
    store.finish(MANIFEST)
    store.delete("00aa")
    assert store.runs() == []
    assert list((store.root / "runs").iterdir()) == []
    with pytest.raises(RunNotFoundError):
        store.delete("00aa")


def test_a_deletion_that_is_killed_does_not_bring_the_run_back(store: RunStore) -> None:
    store.write_plan("00aa", {"recipe_id": "recipe"})
    store.write_part("00aa", "part-00000", rows("a"))
    store.finish(MANIFEST)
    code = (
        "import os, shutil, signal, sys\n"
        "from sparkcore.runs.store import RunStore\n"
        "shutil.rmtree = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "RunStore(sys.argv[1]).delete('00aa')"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(store.root)], check=False, cwd=ROOT, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert list(store.root.rglob("manifest.json"))  # its files are still there
    assert (store.runs(), store.unfinished(), store.has("00aa")) == ([], [], False)
    with pytest.raises(RunNotFoundError):
        store.find("latest")
    store.write_plan("00bb", {"recipe_id": "recipe"})
    assert not list(store.root.rglob("manifest.json"))


def test_what_0_1_left_of_a_deletion_is_no_run_and_is_swept(store: RunStore) -> None:
    store.write_plan("00aa", {"recipe_id": "recipe"})
    store.finish(MANIFEST)
    store.folder("00aa").rename(store.root / "runs" / ".deleted-00aa-12345678")
    assert (store.runs(), store.unfinished()) == ([], [])
    store.sweep()
    assert list((store.root / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged file"),
        (b"\xff\xfe", "damaged file"),
        (b"[]", "JSON object, received list"),
        (b'{"version": 99}', "version 1, received 99"),
        (b'{"version": 1}', "field run_id"),
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
    (store.folder("00aa") / "manifest.json").write_bytes(changed)
    assert [manifest.run_id for manifest in store.runs()] == ["11cc"]
    assert store.find("latest").run_id == "11cc"
    (warning, _) = caplog.messages
    assert warning.startswith("Left out run 00aa: ")
    assert reason in warning
    with pytest.raises(RunFailedError):
        store.manifest("00aa")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]"])
def test_a_damaged_plan_counts_as_none(store: RunStore, content: bytes) -> None:
    store.write_plan("00aa", {"recipe_id": "recipe"})
    assert store.plan("00aa") == {"recipe_id": "recipe"}
    (store.folder("00aa") / "plan.json").write_bytes(content)
    assert store.plan("00aa") is store.plan("00bb") is None
    assert store.unfinished() == ["00aa"]


@pytest.mark.parametrize(
    ("links", "hidden", "said"),
    [(0, 0, ""), (1, 0, "1 link"), (0, 1, "1 hidden file"), (1200, 3, "1,200 links, 3 hidden files")],
)
def test_what_was_not_listed_is_said(links: int, hidden: int, said: str) -> None:
    counts = {"images": 3, "links_left_out": links, "hidden_left_out": hidden}
    assert replace(MANIFEST, counts=counts).left_out == said
    assert MANIFEST.left_out == ""  # runs of 0.1 do not know


def test_unknown_fields_of_a_manifest_are_ignored(store: RunStore, caplog: pytest.LogCaptureFixture) -> None:
    store.finish(MANIFEST)
    path = store.folder("00aa") / "manifest.json"
    path.write_text(json.dumps({**MANIFEST.to_dict(), "mood": "sunny"}))
    assert store.runs() == [MANIFEST]
    assert caplog.messages == []


def test_half_written_files_are_invisible(store: RunStore) -> None:
    store.write_part("00aa", "part-00000", rows("a"))
    (store.folder("00aa") / "results" / ".part-00001.parquet.123-abc").write_bytes(b"half")
    assert [p.name for p in store.parts("00aa")] == ["part-00000.parquet"]


def test_manifest_of_another_version(store: RunStore) -> None:
    store.finish(MANIFEST)
    path = store.folder("00aa") / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(RunFailedError, match="Expected a manifest of version 1, received 99"):
        store.manifest("00aa")


def test_results_without_and_with_pictures(store: RunStore) -> None:
    ids = [f"{n:03}" for n in range(ROW_GROUP_ROWS + 20)]
    store.write_part("00aa", "part-00000", rows(*ids))
    store.write_part("00aa", "part-00001", rows("zz", thumbnail=None))
    store.finish(MANIFEST)
    table = load_results(store, "00aa")
    assert table.num_rows == len(ids) + 1
    assert "thumbnail" not in table.schema.names
    assert table["image_id"].to_pylist() == [*ids, "zz"]
    assert load_thumbnails(store, "00aa", ["270", "003", "zz", "none"]) == {
        "270": b"picture of 270", "003": b"picture of 003",
    }  # fmt: skip
    assert load_rows(store, "00aa", ["zz"], ["status"]).to_pylist() == [{"image_id": "zz", "status": "ok"}]
    assert pq.ParquetFile(store.parts("00aa")[0]).num_row_groups == 2


def test_a_run_without_rows_has_the_schema(store: RunStore) -> None:
    store.finish(MANIFEST)
    assert read_parts(store, "00aa", result_schema().names).schema == result_schema()


def test_the_lock_is_exclusive_and_dies_with_its_process(store: RunStore) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c",
         "import sys,time; from sparkcore.runs.store import RunStore\n"
         f"with RunStore({str(store.root)!r}).lock('r'):\n print('held', flush=True); time.sleep(600)"],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waits: list[int] = []
    entered = threading.Event()

    def enter() -> None:
        with store.lock("r", lambda: waits.append(1)):
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    time.sleep(0.5)
    assert not entered.is_set()
    holder.kill()
    holder.wait()
    thread.join(timeout=30)
    assert entered.is_set()
    assert waits
