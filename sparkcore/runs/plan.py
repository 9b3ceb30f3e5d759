"""The plan of a run: which files belong to it, cut into which buckets. It is created once and never changes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sparkcore.errors import RunFailedError
from sparkcore.runs.layout import BUCKETS_PER_SHARD, PlanFolder, plan_name
from sparkcore.storage.interface import Storage

PLAN_VERSION = 2
BUCKETS_PER_LISTING = BUCKETS_PER_SHARD  # a listing file has as many row groups, except the last


@dataclass(frozen=True, slots=True)
class Plan:
    """Describe how a run is computed.

    A bucket is `bucket_size` consecutive images of the listing, sorted by image_id; the last one may have fewer.
    `listing_bytes` are the sizes of the listing files, `donors` the runs whose rows may be copied, `word` names the
    folder of everything that is written by this plan.
    """

    run_id: str
    word: str
    recipe_id: str
    images: int
    bucket_size: int
    listing_bytes: tuple[int, ...]
    donors: tuple[str, ...] = ()
    created_at: str = ""
    version: int = PLAN_VERSION

    @property
    def folder(self) -> PlanFolder:
        """Return the names of what this plan writes."""
        return PlanFolder(self.run_id, self.word)

    @property
    def buckets(self) -> int:
        """Return the number of buckets."""
        return math.ceil(self.images / self.bucket_size)

    def rows_of(self, bucket: int) -> int:
        """Return the number of images in a bucket."""
        return min(self.bucket_size, self.images - bucket * self.bucket_size)

    def to_bytes(self) -> bytes:
        """Return the plan as JSON."""
        return json.dumps(asdict(self), indent=2).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Plan:
        """Read a plan; raises RunFailedError for a damaged one and for one of another version."""
        try:
            values: Mapping[str, Any] = json.loads(content)
            if values["version"] != PLAN_VERSION:
                raise ValueError(f"version {values['version']}")
            tuples = {name: tuple(values[name]) for name in ("listing_bytes", "donors")}
            return cls(**{**values, **tuples})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunFailedError(
                f"Expected a plan of version {PLAN_VERSION}, received a damaged or an older one: {error}. "
                "Delete the unfinished run."
            ) from error


def read_plan(storage: Storage, run_id: str) -> Plan | None:
    """Return the plan of a run, or None where it has none; raises RunFailedError for a damaged plan."""
    try:
        return Plan.from_bytes(storage.read(plan_name(run_id)))
    except FileNotFoundError:
        return None


def create_plan(storage: Storage, plan: Plan) -> Plan:
    """Create the plan, whose listing is complete, and return the one that counts.

    Where another driver was first, its plan is returned and this one's listing is deleted.
    """
    if storage.write_new(plan_name(plan.run_id), plan.to_bytes()):
        return plan
    for number in range(len(plan.listing_bytes)):
        storage.delete(plan.folder.listing(number))
    winner = read_plan(storage, plan.run_id)
    if winner is None:
        raise RunFailedError(f"Run {plan.run_id} was deleted just now. Start it again.")
    return winner
