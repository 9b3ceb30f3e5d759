"""From a request to its plan: the listing in the store, its buckets, and the runs whose rows may be copied."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

import pyarrow as pa

from sparkcore.engine.request import Request
from sparkcore.errors import RunFailedError
from sparkcore.runs.layout import PlanFolder, recipe_name
from sparkcore.runs.listing_files import write_listing
from sparkcore.runs.plan import Plan, read_plan
from sparkcore.storage.interface import Storage

_MAX_DONORS = 3


def make_plan(
    storage: Storage, request: Request, bucket_size: int, donors: tuple[str, ...], check: Callable[[], None]
) -> Plan:
    """Write the listing and return the plan, which is still to be created; `donors`' rows may be copied.

    `check` is called for every piece of the listing, and gives up by raising.
    """
    folder = PlanFolder(request.run_id, uuid.uuid4().hex[:16])
    sizes = write_listing(storage, folder, _checked(request.listing.pieces(), check), bucket_size)
    return Plan(
        run_id=request.run_id,
        word=folder.word,
        recipe_id=request.recipe_id,
        images=request.listing.images,
        bucket_size=bucket_size,
        listing_bytes=sizes,
        donors=donors,
        created_at=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
    )


def note_recipe(storage: Storage, plan: Plan) -> None:
    """Let later runs of the same recipe find this one."""
    storage.write(recipe_name(plan.recipe_id, plan.run_id), b"")


def _checked(pieces: Iterator[pa.Table], check: Callable[[], None]) -> Iterator[pa.Table]:
    for piece in pieces:
        check()
        yield piece


def find_donors(storage: Storage, request: Request) -> tuple[str, ...]:
    """Return the newest runs of the same recipe, finished or not, except this one."""
    entries = sorted(storage.list(f"recipes/{request.recipe_id}"), key=lambda e: (-e.modified_ns, e.name))
    names = (entry.name.rpartition("/")[2] for entry in entries)
    others = (name for name in names if name != request.run_id and _has_plan(storage, name))
    return tuple(islice(others, _MAX_DONORS))


def _has_plan(storage: Storage, run_id: str) -> bool:
    with suppress(RunFailedError):
        return read_plan(storage, run_id) is not None
    return False
