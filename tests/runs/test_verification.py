"""Every kind of damage is found, and nothing is said of a run that has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sparkcore.errors import RunCancelledError
from sparkcore.progress import Step, Watch
from sparkcore.runs import part_check
from sparkcore.runs.files_table import committed_parts, read_files, write_files
from sparkcore.runs.layout import columns_name, files_name, manifest_name, plan_name
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import Receipt, ReceiptBoard
from sparkcore.runs.results import load_results, load_rows
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run
from sparkcore.schema import ADDED_IN_3, light_schema, result_schema
from sparkcore.worker import compaction
from sparkcore.worker.writer import PartWriter
from tests.planned_run import receipt, write_planned_run
from tests.runs_fixture import write_0_1_run, write_run

Damage = Callable[[RunStore, Plan], None]


def problems(store: RunStore, run_id: str) -> list[str]:
    """Return what is wrong, without the names that differ in each test."""
    found = verify_run(store.storage, run_id).problems
    return [re.sub(r"-[0-9a-f]{32}", "", line.replace(f"runs/{run_id}/", "")) for line in found]


def test_a_whole_run_is_clean(store: RunStore) -> None:
    plan = write_planned_run(store, rows=130)
    steps: list[Step] = []
    found = verify_run(store.storage, plan.run_id, Watch(progress=steps.append))
    assert found.problems == ()
    assert (found.is_clean, found.parts, found.rows) == (True, 7, 130)
    assert found.size_bytes == sum(part.size_bytes for part in read_files(store.storage, plan.run_id))
    assert [(step.done, step.total) for step in steps] == [(done, 7) for done in range(8)]


def test_a_run_of_several_listing_and_columns_files_is_clean(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("plan", "listing_files", "listing_check"):
        monkeypatch.setattr(f"sparkcore.runs.{module}.BUCKETS_PER_LISTING", 2)
    monkeypatch.setattr(compaction, "COLUMNS_ROWS", 40)
    plan = write_planned_run(store, rows=130)
    assert len(plan.listing_bytes) == 4
    assert len(store.storage.list_folder(f"runs/{plan.run_id}/columns")[1]) == 4
    assert problems(store, plan.run_id) == []


def test_a_run_of_an_earlier_schema_is_clean_and_readable(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tests.runs_fixture.result_schema", lambda keep: _earlier(result_schema(keep)))
        patch.setattr(compaction, "light_schema", lambda: _earlier(light_schema()))
        patch.setattr(compaction, "_SCHEMA", _earlier(compaction._SCHEMA))
        plan = write_planned_run(store)
    part = store.storage.read(read_files(store.storage, plan.run_id)[0].name)
    assert not set(ADDED_IN_3) & set(pq.read_schema(pa.BufferReader(part)).names)
    assert problems(store, plan.run_id) == []
    table = load_results(store, plan.run_id)
    assert table.schema.names == light_schema().names
    assert table["content_hash"].null_count == table.num_rows > 0
    rows = load_rows(store, plan.run_id, table["image_id"].to_pylist()[:2], ["embedding", "label"])
    assert (rows["embedding"].null_count, rows["label"].null_count) == (2, 0)


def _earlier(columns: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in columns if field.name not in ADDED_IN_3])


def test_rows_that_a_filter_excluded_are_no_results(store: RunStore, excluded: Plan) -> None:
    found = verify_run(store.storage, excluded.run_id)
    assert (found.problems, found.rows) == ((), 45)


@pytest.fixture(params=[3, 1])
def excluded(store: RunStore, request: pytest.FixtureRequest) -> Plan:
    """Give a run in which every third image is excluded, or every one."""
    every = int(request.param)
    plan = write_planned_run(store, rows=45, error_every=0)
    storage = store.storage
    ok = errors = 0
    for part in (parts := read_files(storage, plan.run_id)):
        table = pq.read_table(pa.BufferReader(storage.read(part.name)))
        out = pa.array([number % every == 0 for number in range(len(table))])
        for name in ("class_id", "label", "score", "margin", "entropy", "top", "thumbnail"):
            place = table.column_names.index(name)
            table = table.set_column(place, name, pc.if_else(out, pa.scalar(None, table[name].type), table[name]))
        place = table.column_names.index("status")
        table = table.set_column(place, "status", pc.if_else(out, "excluded", table["status"]))
        rewritten = rewrite(store, plan, part.bucket, table)
        ok += rewritten.counts.get("ok", 0)
        errors += rewritten.counts.get("errors", 0)
    assert len(parts) == 3
    compact_again(store, plan)
    manifest = json.loads(storage.read(manifest_name(plan.run_id)))
    manifest["counts"] |= {"images": ok, "ok": ok, "errors": errors, "excluded": 45 - ok}
    storage.write(manifest_name(plan.run_id), json.dumps(manifest).encode())
    return plan


def rewrite(store: RunStore, plan: Plan, bucket: int, table: pa.Table) -> Receipt:
    """Write another part file with its receipt."""
    writer = PartWriter(store.storage, plan.folder.new_part(bucket), table.schema)
    for batch in table.combine_chunks().to_batches():
        writer.write(batch)
    file = writer.finish()
    old = next(part for part in read_files(store.storage, plan.run_id) if part.bucket == bucket)
    store.storage.delete(old.name)
    ids = table["image_id"]
    part = replace(
        old, name=file.name, size_bytes=file.size_bytes, sha256=file.sha256, rows=len(ids), first_id=ids[0].as_py(),
        last_id=ids[-1].as_py(),
    )  # fmt: skip
    made = receipt(part, table)
    store.storage.write(plan.folder.receipt(bucket), made.to_bytes())
    return made


def compact_again(store: RunStore, plan: Plan) -> None:
    board = ReceiptBoard(store.storage, plan)
    board.poll()
    parts = committed_parts(board.receipts.values())
    compaction.compact(store.storage, parts, columns_name(plan.run_id, 0))
    write_files(store.storage, plan.run_id, parts)


def part_name(store: RunStore, plan: Plan, bucket: int) -> str:
    return read_files(store.storage, plan.run_id)[bucket].name


def change(store: RunStore, name: str, **values: object) -> None:
    """Change fields of a JSON file."""
    store.storage.write(name, json.dumps({**json.loads(store.storage.read(name)), **values}).encode())


def delete_part(store: RunStore, plan: Plan) -> None:
    store.storage.delete(part_name(store, plan, 1))


def cut_part(store: RunStore, plan: Plan) -> None:
    name = part_name(store, plan, 1)
    store.storage.write(name, store.storage.read(name)[:-10])


def flip_byte(store: RunStore, plan: Plan) -> None:
    """Change a byte in the middle of a thumbnail, which Parquet does not notice."""
    name = part_name(store, plan, 1)
    content = bytearray(store.storage.read(name))
    content[content.index(b"\xff\xd8\xff") + 40] ^= 1
    store.storage.write(name, bytes(content))


def swap_rows(store: RunStore, plan: Plan) -> None:
    table = pq.read_table(pa.BufferReader(store.storage.read(part_name(store, plan, 1))))
    order = [1, 0, *range(2, len(table))]
    rewrite(store, plan, 1, table.take(order))
    compact_again(store, plan)


def repeat_row(store: RunStore, plan: Plan) -> None:
    table = pq.read_table(pa.BufferReader(store.storage.read(part_name(store, plan, 1))))
    rewrite(store, plan, 1, table.take([0, 0, *range(2, len(table))]))
    compact_again(store, plan)


def lose_row(store: RunStore, plan: Plan) -> None:
    table = pq.read_table(pa.BufferReader(store.storage.read(part_name(store, plan, 1))))
    rewrite(store, plan, 1, table.slice(1))
    compact_again(store, plan)


def delete_receipt(store: RunStore, plan: Plan) -> None:
    store.storage.delete(plan.folder.receipt(2))


def damage_receipt(store: RunStore, plan: Plan) -> None:
    store.storage.write(plan.folder.receipt(0), b"{")


def add_receipt(store: RunStore, plan: Plan) -> None:
    store.storage.write(plan.folder.receipt(9), store.storage.read(plan.folder.receipt(0)))


def change_receipt(store: RunStore, plan: Plan) -> None:
    change(store, plan.folder.receipt(0), counts={"ok": 17, "errors": 3}, error_types={"empty": 3})


def delete_files(store: RunStore, plan: Plan) -> None:
    store.storage.delete(files_name(plan.run_id))


def change_files(store: RunStore, plan: Plan) -> None:
    parts = read_files(store.storage, plan.run_id)
    write_files(store.storage, plan.run_id, [replace(parts[0], size_bytes=1), *parts[1:]])


def forget_a_part(store: RunStore, plan: Plan) -> None:
    write_files(store.storage, plan.run_id, read_files(store.storage, plan.run_id)[:2])


def delete_columns(store: RunStore, plan: Plan) -> None:
    store.storage.delete(columns_name(plan.run_id, 0))


def cut_columns(store: RunStore, plan: Plan) -> None:
    store.storage.write(columns_name(plan.run_id, 0), store.storage.read(columns_name(plan.run_id, 0))[:-10])


def add_columns(store: RunStore, plan: Plan) -> None:
    store.storage.write(columns_name(plan.run_id, 1), store.storage.read(columns_name(plan.run_id, 0)))


def _edit_columns(store: RunStore, plan: Plan, name: str, edit: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> None:
    table = pq.read_table(pa.BufferReader(store.storage.read(columns_name(plan.run_id, 0))))
    place = table.column_names.index(name)
    table = table.set_column(place, table.schema.field(name), edit(table[name]).cast(table.schema.field(name).type))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    store.storage.write(columns_name(plan.run_id, 0), sink.getvalue().to_pybytes())


def change_label(store: RunStore, plan: Plan) -> None:
    _edit_columns(store, plan, "label", lambda labels: pc.replace_substring(labels, "date", "dote"))


def move_places(store: RunStore, plan: Plan) -> None:
    _edit_columns(store, plan, "thumbnail_start", lambda starts: pc.add(starts, 1))


def lose_places(store: RunStore, plan: Plan) -> None:
    _edit_columns(store, plan, "thumbnail_start", lambda starts: pa.chunked_array([pa.nulls(len(starts), pa.int64())]))


def delete_listing(store: RunStore, plan: Plan) -> None:
    store.storage.delete(plan.folder.listing(0))


def change_listing(store: RunStore, plan: Plan) -> None:
    name = plan.folder.listing(0)
    table = pq.read_table(pa.BufferReader(store.storage.read(name)))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=10)
    store.storage.write(name, sink.getvalue().to_pybytes())


def delete_plan(store: RunStore, plan: Plan) -> None:
    store.storage.delete(plan_name(plan.run_id))


def damage_manifest(store: RunStore, plan: Plan) -> None:
    store.storage.write(manifest_name(plan.run_id), b"{")


def change_counts(store: RunStore, plan: Plan) -> None:
    counts = store.manifest(plan.run_id).counts
    change(store, manifest_name(plan.run_id), counts={**counts, "ok": 1}, error_types={"empty": 2, "truncated": 3})


P0, P1 = (f"plan/results/00000{number}.parquet" for number in (0, 1))
NOT_LISTED = f"{P1}: its image ids are not those of bucket 1 of the listing"
WRONG_PLACES = [
    f"columns, part {n}: its places do not lead to the thumbnails in plan/results/00000{n}.parquet" for n in range(3)
]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (delete_part, [f"{P1}: missing"]),
        (
            cut_part,
            [
                f"{P1}: expected bytes *, received *",
                f"{P1}: its sha256 is not the one that was committed",
                f"{P1}: cannot be read: *",
            ],
        ),
        (flip_byte, [f"{P1}: its sha256 is not the one that was committed"]),
        (swap_rows, [f"{P1}: its image ids are not sorted, or not distinct", NOT_LISTED]),
        (repeat_row, [f"{P1}: its image ids are not sorted, or not distinct", NOT_LISTED]),
        (
            lose_row,
            [
                "plan/receipts/0000/000001.json: expected rows 20, received 19",
                "manifest.json: expected count of ok 40, received 41",
                "manifest.json: expected count of images 44, received 45",
                NOT_LISTED,
            ],
        ),
        (delete_receipt, ["plan/receipts/0000/000002.json: missing: bucket 2 is not committed"]),
        (damage_receipt, ["plan/receipts/0000/000000.json: cannot be read: *"]),
        (add_receipt, ["plan/receipts/0000/000009.json: the plan has no such bucket"]),
        (
            change_receipt,
            [
                "manifest.json: expected count of ok 40, received 41",
                "manifest.json: expected count of errors 5, received 4",
                "manifest.json: expected count of empty 4, received 2",
                "manifest.json: expected count of truncated 1, received 2",
                f"{P0}: expected count of ok 17, received 18",
                f"{P0}: expected count of errors 3, received 2",
                f"{P0}: expected errors by type *",
            ],
        ),
        (delete_files, ["files.parquet: missing"]),
        (
            change_files,
            [
                "files.parquet: expected size_bytes of bucket 0 *, received 1",
                f"{P0}: expected bytes 1, received *",
            ],
        ),
        (
            forget_a_part,
            [
                "files.parquet: expected parts 3, received 2",
                "files.parquet: bucket 2, which has a receipt, is not in it",
                "columns: 5 rows belong to no part file",
            ],
        ),
        (delete_columns, ["columns: missing"]),
        (cut_columns, ["columns/00000.parquet: cannot be read: *"]),
        (add_columns, ["columns: 45 rows belong to no part file"]),
        (change_label, ["columns, part 0: differs from plan/results/000000.parquet in label", "*1*", "*2*"]),
        (move_places, WRONG_PLACES),
        (lose_places, WRONG_PLACES),
        (delete_listing, ["plan/listing/00000.parquet: missing"]),
        (
            change_listing,
            [
                "plan/listing/00000.parquet: expected bytes *, received *",
                "plan/listing/00000.parquet: expected 3 buckets of 45 images, received 5 of 45",
            ],
        ),
        (delete_plan, ["plan.json: missing"]),
        (damage_manifest, ["manifest.json: cannot be read: *"]),
        (
            change_counts,
            [
                "manifest.json: expected count of ok 41, received 1",
                "manifest.json: expected count of truncated 2, received 3",
            ],
        ),
    ],
)
def test_damage_is_found(tmp_path: Path, damage: Damage, expected: list[str]) -> None:
    store = RunStore(tmp_path)
    plan = write_planned_run(store, rows=45)
    damage(store, plan)
    found = problems(store, plan.run_id)
    assert len(found) == len(expected), found
    for line, pattern in zip(found, expected, strict=True):
        assert fnmatchcase(line, pattern), (line, pattern)


def test_a_large_part_is_read_in_pieces(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_check, "_WHOLE_BYTES", 1000)
    monkeypatch.setattr(part_check, "_CHUNK_BYTES", 1000)
    plan = write_planned_run(store, rows=45)
    assert problems(store, plan.run_id) == []
    flip_byte(store, plan)
    assert problems(store, plan.run_id) == [f"{P1}: its sha256 is not the one that was committed"]


def test_a_check_can_be_cancelled(store: RunStore) -> None:
    plan = write_planned_run(store, rows=45)

    def cancel() -> None:
        raise RunCancelledError("enough")

    with pytest.raises(RunCancelledError):
        verify_run(store.storage, plan.run_id, Watch(check=cancel))


def test_of_a_run_of_0_1_parts_and_counts_are_checked(store: RunStore, tmp_path: Path) -> None:
    other = RunStore(tmp_path / "other")
    run_id = write_run(other, rows=45)
    manifest, names = other.manifest(run_id), result_schema().names
    rows = load_rows(other, run_id, load_results(other, run_id)["image_id"].to_pylist(), names).to_pylist()
    write_0_1_run(store, manifest, rows[:20], rows[20:])
    found = verify_run(store.storage, run_id)
    assert (found.problems, found.parts, found.rows) == ((), 2, 45)
    write_0_1_run(store, manifest, rows[:20], rows[19:])
    assert problems(store, run_id) == [
        "results: 1 image ids are there more than once",
        "manifest.json: expected count of errors 5, received 4",
        "manifest.json: expected count of images 46, received 45",
        "manifest.json: expected count of empty 3, received 2",
    ]
    store.storage.write(f"runs/{run_id}/results/part-00001.parquet", b"PAR1")
    assert "results/part-00001.parquet: cannot be read: " in problems(store, run_id)[0]
