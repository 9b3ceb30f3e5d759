"""Receipts: the commits of buckets. Whoever creates a bucket's receipt has computed it, and nobody else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from sparkcore.errors import RunFailedError
from sparkcore.runs.layout import BUCKETS_PER_SHARD
from sparkcore.runs.plan import Plan
from sparkcore.schema import STATUS_ERROR, STATUS_EXCLUDED, STATUS_OK
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.interface import Storage

_REQUESTS_AT_ONCE = 16
ROW_KINDS = {STATUS_OK: "ok", STATUS_ERROR: "errors", STATUS_EXCLUDED: "excluded"}  # by status, as receipts count


@dataclass(frozen=True, slots=True)
class Receipt:
    """Commit one bucket: the name of its part file, what the file contains, and what it took.

    `counts` has ok, errors, excluded and reused; the first three add up to `rows`. `seconds` are by phase.
    """

    bucket: int
    part: str
    rows: int
    size_bytes: int
    sha256: str
    first_id: str
    last_id: str
    counts: dict[str, int]
    error_types: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the receipt as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Receipt:
        """Read a receipt; raises RunFailedError for a damaged one."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise RunFailedError(f"Expected a receipt, received a damaged file: {error}. Delete the run.") from error


def sum_counts(receipts: Iterable[Receipt]) -> tuple[Counter[str], Counter[str]]:
    """Return the rows of receipts by kind, and their errors by type."""
    counts: Counter[str] = Counter(dict.fromkeys(ROW_KINDS.values(), 0))
    error_types: Counter[str] = Counter()
    for receipt in receipts:
        counts.update({kind: receipt.counts.get(kind, 0) for kind in ROW_KINDS.values()})
        error_types.update(receipt.error_types)
    return counts, error_types


class ReceiptBoard:
    """Follow the receipts of a plan: each is read once, and a complete shard is never listed again."""

    def __init__(self, storage: Storage, plan: Plan) -> None:
        self._storage = storage
        self._plan = plan
        self.receipts: dict[int, Receipt] = {}

    @property
    def missing(self) -> list[int]:
        """Return the buckets without a receipt, as far as known."""
        return [bucket for bucket in range(self._plan.buckets) if bucket not in self.receipts]

    def is_complete(self) -> bool:
        """Tell whether every bucket has a receipt in the store now; unlike `poll`, this reads none of them."""
        names = map_ahead(self._new_names, self._open_shards(), _REQUESTS_AT_ONCE)
        return len(self.receipts) + sum(map(len, names)) == self._plan.buckets

    def poll(self) -> list[Receipt]:
        """Return the receipts that are new since the last call."""
        names = [name for new in map_ahead(self._new_names, self._open_shards(), _REQUESTS_AT_ONCE) for name in new]
        found = [Receipt.from_bytes(content) for content in map_ahead(self._storage.read, names, _REQUESTS_AT_ONCE)]
        self.receipts.update({receipt.bucket: receipt for receipt in found})
        return found

    def _open_shards(self) -> Iterator[int]:
        for start in range(0, self._plan.buckets, BUCKETS_PER_SHARD):
            end = min(start + BUCKETS_PER_SHARD, self._plan.buckets)
            if any(bucket not in self.receipts for bucket in range(start, end)):
                yield start

    def _new_names(self, start: int) -> list[str]:
        known = {self._plan.folder.receipt(b) for b in range(start, start + BUCKETS_PER_SHARD) if b in self.receipts}
        names = (entry.name for entry in self._storage.list(self._plan.folder.shard(start)))
        return [name for name in names if name not in known]
