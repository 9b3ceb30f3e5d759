"""How often a precision below float32 keeps the first label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Agreement:
    """Compare a lower precision with float32 on a number of images.

    `same_label` is the share of images that keep their first label; the true share lies between `low` and `high` with
    95 % confidence (the interval of Wilson, 1927). `mean_change` and `largest_change` are those of the score of
    float32's first label.
    """

    images: int
    same_label: float
    low: float
    high: float
    mean_change: float
    largest_change: float

    @classmethod
    def of(cls, same: Sequence[bool], changes: Sequence[float]) -> Agreement:
        """Sum up at least one image: whether it keeps its label, and by how much its score changes."""
        from scipy.stats import binomtest

        low, high = binomtest(sum(same), len(same)).proportion_ci(0.95, "wilson")
        share, mean = sum(same) / len(same), sum(changes) / len(changes)
        return cls(len(same), *(round(float(value), 6) for value in (share, low, high, mean, max(changes))))


def agreement_text(manifest: Mapping[str, Any]) -> str:
    """Return what a manifest says of the agreement of its precision with float32; empty for a run in float32."""
    stated = manifest.get("agreement")
    if not stated:
        return ""
    share, low, high = (f"{100 * stated[name]:.1f}" for name in ("same_label", "low", "high"))
    said = (
        f"{stated['precision']} keeps the first label of {share} % of {stated['images']:,} images (95 % interval: "
        f"{low} to {high} %), as run {stated['run_id']} has measured."
    )
    if manifest["model"].get("precision") == stated["precision"]:
        return said
    least = 100 * manifest["config"]["min_agreement"]
    return f"{said} That is less than {least:g} %: computed in float32."
