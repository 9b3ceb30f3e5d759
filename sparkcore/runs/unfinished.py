"""Runs that have a plan and no manifest: how far they are, and where their images lie."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

from sparkcore.errors import RunFailedError
from sparkcore.origins import local_path
from sparkcore.runs.listing_files import BucketReader
from sparkcore.runs.plan import Plan, read_plan
from sparkcore.runs.receipts import ReceiptBoard
from sparkcore.runs.store import RunStore
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage

_RUNS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """Describe an unfinished run; `folder` is the one that all images of its first bucket lie below."""

    run_id: str
    done: int
    images: int
    planned_at: str
    folder: str


def unfinished_runs(store: RunStore) -> list[UnfinishedRun]:
    """Return the unfinished runs of a store, newest first; of one with a damaged plan only the id is known."""
    at_once = 1 if isinstance(store.storage, FolderStorage) else _RUNS_AT_ONCE
    found = map_ahead(partial(_describe, store.storage), store.unfinished(), at_once)
    return sorted(filter(None, found), key=lambda run: (run.planned_at, run.run_id), reverse=True)


def _describe(storage: Storage, run_id: str) -> UnfinishedRun | None:
    try:
        plan = read_plan(storage, run_id)
        if plan is None:  # deleted meanwhile
            return None
        board = ReceiptBoard(storage, plan)
        board.poll()
        done = sum(receipt.rows for receipt in board.receipts.values())
        return UnfinishedRun(run_id, done, plan.images, plan.created_at, _folder(storage, plan))
    except (RunFailedError, FileNotFoundError):
        return UnfinishedRun(run_id, 0, 0, "", "")


def _folder(storage: Storage, plan: Plan) -> str:
    """Return the folder that the images of the first bucket, which are in the order of a hash, have in common."""
    with closing(BucketReader(storage, plan)) as reader:
        origins = reader.read(0)["origin"].to_pylist()
    levels = zip(*(origin.split("/")[:-1] for origin in origins), strict=False)
    shared = "/".join(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))
    folder = local_path(f"{shared}/")
    return shared if folder is None else str(folder)
