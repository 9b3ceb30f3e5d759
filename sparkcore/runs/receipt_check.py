"""Checking receipts against the plan, and the table of files and the manifest against the receipts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparkcore.errors import RunFailedError
from sparkcore.runs.files_table import CommittedPart, committed_parts, read_files
from sparkcore.runs.findings import DAMAGED, Findings
from sparkcore.runs.layout import files_name, manifest_name
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.plan import Plan
from sparkcore.runs.receipts import ROW_KINDS, Receipt, sum_counts
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.interface import Entry, Storage

_READS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """Read the receipts of a plan and compare with them; `files` are the objects of the run."""

    storage: Storage
    plan: Plan
    files: Mapping[str, Entry]
    findings: Findings

    def receipts(self) -> dict[int, Receipt]:
        """Return the receipts by bucket, without those that are missing or damaged."""
        names = {self.plan.folder.receipt(bucket): bucket for bucket in range(self.plan.buckets)}
        strangers = {name for name in self.files if name.startswith(f"{self.plan.folder.receipts}/")} - names.keys()
        for name in sorted(strangers):
            self.findings.add(name, "the plan has no such bucket")
        for name in sorted(names.keys() - self.files.keys()):
            self.findings.add(name, f"missing: bucket {names[name]} is not committed")
        there = [name for name in names if name in self.files]
        found: dict[int, Receipt] = {}
        for name, content in zip(there, map_ahead(self.storage.read, there, _READS_AT_ONCE), strict=True):
            try:
                receipt = Receipt.from_bytes(content)
                self._check_receipt(name, names[name], receipt)
                found[names[name]] = receipt
            except (RunFailedError, *DAMAGED) as error:
                self.findings.unreadable(name, error)
        return found

    def _check_receipt(self, name: str, bucket: int, receipt: Receipt) -> None:
        compare = self.findings.compare
        compare(name, "bucket", receipt.bucket, bucket)
        compare(name, "rows", receipt.rows, self.plan.rows_of(bucket))
        counted = sum(receipt.counts.get(kind, 0) for kind in ROW_KINDS.values())
        compare(name, "ok, errors and excluded together", counted, receipt.rows)
        compare(name, "errors by type", sum(receipt.error_types.values()), receipt.counts.get("errors", 0))

    def committed_parts(self, receipts: Iterable[Receipt]) -> list[CommittedPart]:
        """Return the part files as the table of files has them, or as the receipts have them where it is damaged."""
        name, expected = files_name(self.plan.run_id), committed_parts(receipts)
        if name not in self.files:
            self.findings.add(name, "missing")
            return expected
        try:
            found = read_files(self.storage, self.plan.run_id)
        except DAMAGED as error:
            self.findings.unreadable(name, error)
            return expected
        self._compare_parts(name, found, expected)
        return found

    def _compare_parts(self, name: str, found: list[CommittedPart], expected: list[CommittedPart]) -> None:
        self.findings.compare(name, "parts", len(found), self.plan.buckets)
        if [part.part for part in found] != list(range(len(found))):
            self.findings.add(name, "its parts are not numbered from 0")
        by_bucket = {part.bucket: part for part in found}
        for part in expected:
            other = by_bucket.get(part.bucket)
            if other is None:
                self.findings.add(name, f"bucket {part.bucket}, which has a receipt, is not in it")
                continue
            for column in ("name", "rows", "size_bytes", "sha256", "first_id", "last_id"):
                what = f"{column} of bucket {part.bucket}"
                self.findings.compare(name, what, getattr(other, column), getattr(part, column))

    def compare_manifest(self, manifest: Manifest, receipts: Iterable[Receipt]) -> None:
        """Compare the counts of the manifest with the sums of the receipts."""
        counts, error_types = sum_counts(receipts)
        name = manifest_name(self.plan.run_id)
        self.findings.compare(name, "recipe", manifest.recipe_id, self.plan.recipe_id)
        compare_counts(self.findings, name, manifest, counts, error_types)


def compare_counts(
    findings: Findings, name: str, manifest: Manifest, counts: Mapping[str, int], error_types: Mapping[str, int]
) -> None:
    """Compare the counts of the manifest with those of the rows."""
    expected = {kind: counts.get(kind, 0) for kind in ROW_KINDS.values()}
    for kind, count in {**expected, "images": expected["ok"] + expected["errors"]}.items():
        findings.compare(name, f"count of {kind}", manifest.counts.get(kind, 0), count)
    for kind in sorted({*manifest.error_types, *error_types}):
        findings.compare(name, f"count of {kind}", manifest.error_types.get(kind, 0), error_types.get(kind, 0))
