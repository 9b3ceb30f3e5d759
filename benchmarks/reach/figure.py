"""A measured figure beside its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold one figure; `conditions` says what it was measured on. Without a limit there is no target."""

    name: str
    value: float
    unit: str
    conditions: str
    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        value = f"{self.value:.4g}" if self.value < 10_000 else f"{self.value:,.0f}"
        words = (f"{self.name}:", value, self.unit, self._verdict())
        return f"{' '.join(filter(None, words))}; {self.conditions}"

    def _verdict(self) -> str:
        for word, limit in (("at most", self.at_most), ("at least", self.at_least)):
            if limit is not None:
                met = self.value <= limit if word == "at most" else self.value >= limit
                return f"({word} {limit:g}: {'ok' if met else 'MISSED'})"
        return ""
