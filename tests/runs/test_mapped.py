from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sparkcore.child import child_environment
from sparkcore.errors import RunCancelledError, RunNotFoundError
from sparkcore.progress import Step, Watch
from sparkcore.runs import mapped
from sparkcore.runs.light import named_tables
from sparkcore.runs.mapped import forget, map_results, read_thumbnails
from sparkcore.runs.results import load_results, load_thumbnails
from sparkcore.runs.store import RunStore
from sparkcore.storage.local import hold_lock
from sparkcore.worker import compaction
from tests.read_only import read_only
from tests.runs_fixture import write_run


def maps(store: RunStore) -> list[str]:
    return sorted(path.name for path in (store.state / "mapped").iterdir())


def test_the_mapped_rows_are_those_of_the_store(store: RunStore) -> None:
    run = write_run(store, rows=45)
    first, second = map_results(store, run), map_results(store, run)
    assert first.equals(load_results(store, run))
    assert second.equals(first)
    assert len(maps(store)) == 1


def test_several_files_of_columns_are_copied_in_their_order(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "COLUMNS_ROWS", 20)
    run = write_run(store, rows=130)
    files = store.storage.list_folder(f"runs/{run}/columns")[1]
    assert len(files) == 7
    steps: list[Step] = []
    table = map_results(store, run, Watch(progress=steps.append))
    assert table["file_name"].to_pylist() == [f"image-{number:04d}.jpg" for number in range(130)]
    assert [(step.done, step.total) for step in steps] == [(n, 130) for n in (20, 40, 60, 80, 100, 120, 130)]
    steps.clear()
    map_results(store, run, Watch(progress=steps.append))
    assert steps == []


def test_a_copy_can_be_ended(store: RunStore) -> None:
    run = write_run(store, rows=12)

    def cancel() -> None:
        raise RunCancelledError

    with pytest.raises(RunCancelledError):
        map_results(store, run, Watch(check=cancel))
    assert maps(store) == []
    assert map_results(store, run).num_rows == 12


def test_threads_that_open_a_run_at_once_copy_it_once(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(store, rows=30)
    copies: list[str] = []
    both = threading.Barrier(2)

    def hold(*arguments: Any) -> Any:
        both.wait(30)  # both threads have seen that there is no table yet
        return hold_lock(*arguments)

    def copy(*arguments: Any) -> Any:
        copies.append("copy")
        return named_tables(*arguments)

    monkeypatch.setattr(mapped, "hold_lock", hold)
    monkeypatch.setattr(mapped, "named_tables", copy)
    with ThreadPoolExecutor(2) as pool:
        opened = [pool.submit(map_results, store, run) for _ in range(2)]
    assert [one.result().num_rows for one in opened] == [30, 30]
    assert copies == ["copy"]


def test_a_process_waits_for_the_copy_of_another(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = write_run(store, rows=12)
    code = (
        "import sys\n"
        "from sparkcore.runs.mapped import map_results\nfrom sparkcore.runs.store import RunStore\n"
        "print('ready', flush=True)\n"
        "print(map_results(RunStore(sys.argv[1]), sys.argv[2]).num_rows)"
    )
    with hold_lock(store.state / "locks" / f"mapped-{run}.lock"):
        command = [sys.executable, "-c", code, store.uri, run]
        other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment())
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(1)
        assert not (tmp_path / "mapped").exists()
    assert other.communicate(timeout=60)[0] == "12\n"


@pytest.mark.parametrize("obstacle", ["a file", "no permission"])
def test_where_nothing_can_be_written_the_rows_are_in_memory(tmp_path: Path, obstacle: str) -> None:
    store = RunStore(tmp_path / "store")
    run = write_run(store, rows=12)
    if obstacle == "a file":
        (tmp_path / "store" / "mapped").write_text("not a folder")
        assert map_results(store, run).num_rows == 12
    else:
        with read_only(tmp_path / "store"):
            assert map_results(store, run).num_rows == 12
            assert len(read_thumbnails(store, run, [0, 3])) == 2


def test_mapped_rows_take_no_memory(store: RunStore) -> None:
    run = write_run(store, rows=400)
    map_results(store, run)
    before = pa.total_allocated_bytes()
    table = map_results(store, run)
    assert table.nbytes > 50_000
    assert pa.total_allocated_bytes() == before
    read = load_results(store, run)
    assert pa.total_allocated_bytes() - before >= 0.9 * read.nbytes  # so the measure notices rows in memory


def test_thumbnails_by_row(store: RunStore) -> None:
    run = write_run(store, rows=45)
    ids = map_results(store, run)["image_id"].to_pylist()
    rows = [44, 3, 21, 9, 3]
    known = load_thumbnails(store, run, [ids[row] for row in rows])
    assert len(known) == 3
    assert read_thumbnails(store, run, rows) == [known.get(ids[row]) for row in rows]
    assert read_thumbnails(store, run, [9]) == [None]
    assert read_thumbnails(store, run, []) == []


def test_forget_removes_the_mapped_table(store: RunStore) -> None:
    run = write_run(store, rows=12)
    map_results(store, run)
    store.delete(run)
    forget(store, run)
    assert maps(store) == []
    with pytest.raises(RunNotFoundError):
        map_results(store, run)
