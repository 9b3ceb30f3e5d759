"""Receipts: read once each, shard by shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkcore.errors import RunFailedError
from sparkcore.runs.files_table import committed_parts, parts_so_far, read_files, write_files
from sparkcore.runs.layout import BUCKETS_PER_SHARD, plan_name
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import Receipt, ReceiptBoard
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Entry

PLAN = Plan("run", "word", "recipe", 3000, 10, (1,))


class CountingStorage(FolderStorage):
    """Counts how often each object is read and each folder is listed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.seen: Counter[str] = Counter()

    def read(self, name: str) -> bytes:
        self.seen[name] += 1
        return super().read(name)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        self.seen[prefix] += 1
        return super().list(prefix)


def receipt(bucket: int) -> Receipt:
    part = PLAN.folder.new_part(bucket)
    return Receipt(bucket, part, 10, 99, "digest", f"{bucket:04d}a", f"{bucket:04d}z", {"ok": 9, "errors": 1})


def commit(storage: FolderStorage, *buckets: int) -> None:
    for bucket in buckets:
        assert storage.write_new(PLAN.folder.receipt(bucket), receipt(bucket).to_bytes())


def test_each_receipt_is_reported_and_read_once(tmp_path: Path) -> None:
    storage = CountingStorage(tmp_path)
    board = ReceiptBoard(storage, PLAN)
    assert board.poll() == []
    assert board.missing == list(range(300))
    commit(storage, 3, 299)
    assert {one.bucket for one in board.poll()} == {3, 299}
    commit(storage, *range(100, 120))
    assert {one.bucket for one in board.poll()} == set(range(100, 120))
    assert board.poll() == []
    assert set(board.missing) == set(range(300)) - {3, 299, *range(100, 120)}
    assert {count for name, count in storage.seen.items() if name.endswith(".json")} == {1}


def test_a_complete_shard_is_never_listed_again(tmp_path: Path) -> None:
    storage = CountingStorage(tmp_path)
    commit(storage, *range(BUCKETS_PER_SHARD))
    board = ReceiptBoard(storage, PLAN)
    for _ in range(3):
        board.poll()
    assert storage.seen[PLAN.folder.shard(0)] == 1
    assert storage.seen[PLAN.folder.shard(BUCKETS_PER_SHARD)] == 3


def test_a_receipt_survives_the_store() -> None:
    one = receipt(7)
    assert Receipt.from_bytes(one.to_bytes()) == one


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"bucket": 1}'])
def test_a_damaged_receipt_is_an_error(tmp_path: Path, content: bytes) -> None:
    storage = FolderStorage(tmp_path)
    storage.write(PLAN.folder.receipt(0), content)
    with pytest.raises(RunFailedError, match="damaged"):
        ReceiptBoard(storage, PLAN).poll()


def test_the_table_of_files_is_that_of_the_receipts(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    assert parts_so_far(storage, "run") == []
    storage.write(plan_name("run"), PLAN.to_bytes())
    commit(storage, 5, 2)
    board = ReceiptBoard(storage, PLAN)
    board.poll()
    parts = committed_parts(board.receipts.values())
    assert [(one.part, one.bucket) for one in parts] == [(0, 2), (1, 5)]
    assert parts_so_far(storage, "run") == parts  # of an unfinished run
    write_files(storage, "run", parts)
    assert read_files(storage, "run") == parts_so_far(storage, "run") == parts
