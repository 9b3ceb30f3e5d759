"""Is a finished run what its plan, its receipts and its manifest say?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow as pa

from sparkcore.errors import RunFailedError
from sparkcore.progress import Step, Watch
from sparkcore.runs.columns_check import ColumnsCursor
from sparkcore.runs.files_table import CommittedPart
from sparkcore.runs.findings import Findings
from sparkcore.runs.layout import manifest_name, plan_name, run_folder
from sparkcore.runs.listing_check import ListedIds
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.manifests import read_manifest
from sparkcore.runs.part_check import CheckedPart, check_part, check_part_of_0_1
from sparkcore.runs.parts import FIRST_VERSION, StoredFile
from sparkcore.runs.plan import Plan, read_plan
from sparkcore.runs.receipt_check import ReceiptCheck, compare_counts
from sparkcore.runs.receipts import ROW_KINDS, Receipt
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Entry, Storage

_PARTS_AT_ONCE = 16  # of an object store
_PARTS_AT_ONCE_HERE = 4

Part = TypeVar("Part", CommittedPart, StoredFile)


@dataclass(frozen=True, slots=True)
class Verification:
    """Tell how much of a run was read, and in one line each what is wrong."""

    run_id: str
    parts: int
    rows: int
    size_bytes: int
    problems: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems


def verify_run(storage: Storage, run_id: str, watch: Watch | None = None) -> Verification:
    """Check the files of a finished run against each other; part files are read whole, several at once.

    `watch` sees how many are done, and may end the check. Of a run of version 0.1, which has neither plan nor receipts,
    the parts are read and counted. Raises FileNotFoundError where there is no such run, and StorageError where the
    storage cannot be reached.
    """
    check = _Check(storage, run_id, watch or Watch())
    manifest: Manifest | None = None
    try:
        manifest = read_manifest(storage, run_id)
    except RunFailedError as error:
        check.findings.unreadable(manifest_name(run_id), error)
    check.files = {entry.name: entry for entry in storage.list(run_folder(run_id))}
    if manifest is not None and manifest.version == FIRST_VERSION:
        check.check_0_1(manifest)
    else:
        check.check(manifest)
    return Verification(run_id, check.parts, check.rows, check.size_bytes, tuple(check.findings.lines))


@dataclass(slots=True)
class _Check:
    storage: Storage
    run_id: str
    watch: Watch
    files: Mapping[str, Entry] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    parts: int = 0
    rows: int = 0
    size_bytes: int = 0

    def check(self, manifest: Manifest | None) -> None:
        plan = self._plan()
        if plan is None:
            return
        of_receipts = ReceiptCheck(self.storage, plan, self.files, self.findings)
        receipts = of_receipts.receipts()
        if manifest is not None and len(receipts) == plan.buckets:
            of_receipts.compare_manifest(manifest, receipts.values())
        parts = of_receipts.committed_parts(receipts.values())
        listed = ListedIds(self.storage, plan, self.files, self.findings)
        columns = ColumnsCursor(self.storage, self.run_id, self.files, self.findings)
        read = self._read(parts, lambda part: check_part(self.storage, part, self.files.get(part.name)))
        last_id = ""
        for part, checked in zip(parts, read, strict=True):
            if part.first_id <= last_id:
                self.findings.add(part.name, f"its first id {part.first_id} is not above {last_id} of an earlier part")
            last_id = max(last_id, part.last_id)
            self._compare(part, checked, listed.ids_of(part.bucket), receipts.get(part.bucket))
            columns.compare(part.part, checked)
        columns.finish()
        listed.finish()

    def check_0_1(self, manifest: Manifest) -> None:
        start = f"{run_folder(self.run_id)}/results/"
        names = sorted(name for name in self.files if name.startswith(start) and name.endswith(".parquet"))
        parts = [StoredFile(name, self.files[name].size_bytes) for name in names]
        read = list(self._read(parts, lambda part: check_part_of_0_1(self.storage, part)))
        ids = pa.chunked_array([chunk for one in read if one.ids is not None for chunk in one.ids.chunks], pa.string())
        repeated = len(ids) - len(ids.unique())
        if repeated:
            self.findings.add(start.rstrip("/"), f"{repeated:,} image ids are there more than once")
        counts, error_types = _sums(sum((one.states for one in read), Counter()))
        compare_counts(self.findings, manifest_name(self.run_id), manifest, counts, error_types)

    def _plan(self) -> Plan | None:
        name = plan_name(self.run_id)
        try:
            plan = read_plan(self.storage, self.run_id)
        except RunFailedError as error:
            self.findings.unreadable(name, error)
            return None
        if plan is None:
            self.findings.add(name, "missing")
        else:
            self.findings.compare(name, "run", plan.run_id, self.run_id)
        return plan

    def _compare(
        self, part: CommittedPart, checked: CheckedPart, ids: pa.ChunkedArray | None, receipt: Receipt | None
    ) -> None:
        """Compare the rows of a part with its bucket of the listing, and with its receipt."""
        if checked.ids is None:
            return
        if ids is not None and not checked.ids.equals(ids):
            self.findings.add(part.name, f"its image ids are not those of bucket {part.bucket} of the listing")
        if receipt is not None:
            counts, error_types = _sums(checked.states)
            for kind in ROW_KINDS.values():
                self.findings.compare(part.name, f"count of {kind}", counts[kind], receipt.counts.get(kind, 0))
            self.findings.compare(part.name, "errors by type", dict(error_types), receipt.error_types)

    def _read(self, parts: Sequence[Part], read: Callable[[Part], CheckedPart]) -> Iterator[CheckedPart]:
        """Yield what is in the parts, in their order, while the next ones are read."""
        at_once = _PARTS_AT_ONCE_HERE if isinstance(self.storage, FolderStorage) else _PARTS_AT_ONCE
        self.watch.progress(Step("verifying", 0, len(parts), unit="part files"))
        for checked in map_ahead(read, parts, at_once):
            self.watch.check()
            self.findings.lines += checked.findings.lines
            self.parts += 1
            self.rows += checked.rows
            self.size_bytes += checked.size_bytes
            self.watch.progress(Step("verifying", self.parts, len(parts), unit="part files"))
            yield checked


def _sums(states: Counter[tuple[str, str | None]]) -> tuple[Counter[str], Counter[str]]:
    """Return the number of rows by kind, and that of errors by type."""
    counts: Counter[str] = Counter()
    error_types: Counter[str] = Counter()
    for (status, error_type), rows in states.items():
        counts[ROW_KINDS.get(status, status)] += rows
        if error_type is not None:
            error_types[error_type] += rows
    return counts, error_types
