"""Counts and seconds of a run so far."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Count images by origin (computed, resumed, reused), seconds by phase, and errors."""

    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: int = 0

    @property
    def images(self) -> int:
        """Return the number of finished images."""
        return sum(self.counts.values())

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for kind, images in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + images
        for name, spent_s in other.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent_s
        self.errors += other.errors
