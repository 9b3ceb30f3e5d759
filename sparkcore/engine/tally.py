"""What the receipts of a run add up to."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sparkcore.runs.receipts import Receipt


@dataclass(slots=True)
class Tally:
    """Sum up receipts: `rows` by how the run got them (computed, resumed, reused), errors, and seconds by phase."""

    rows: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    load_wall_s: float = 0.0

    @property
    def images(self) -> int:
        """Return the number of finished images."""
        return self.rows.total()

    def add(self, receipt: Receipt, *, resumed: bool) -> None:
        """Add a receipt; `resumed` ones were there before."""
        self.errors += receipt.counts.get("errors", 0)
        if resumed:
            self.rows["resumed"] += receipt.rows
            return
        reused = receipt.counts.get("reused", 0)
        self.rows["reused"] += reused
        self.rows["computed"] += receipt.rows - reused
        for name, spent_s in receipt.seconds.items():
            self.seconds[name] += spent_s
        self.load_wall_s = max(self.load_wall_s, receipt.seconds.get("load", 0.0))  # workers load at the same time
