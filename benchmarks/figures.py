"""The measured figures and the names that measurements and report share."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from typing import Any

MODELS = ("resnet50", "mobilenet_v2")
PEAK_MEMORY = "peak memory, MB"


@dataclass(slots=True)
class Figures:
    """All figures by model and name, one value per round."""

    machine: dict[str, str]
    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, model: str, values: dict[str, float]) -> None:
        """Record the figures of one round."""
        for name, value in values.items():
            self.values.setdefault(model, {}).setdefault(name, []).append(round(value, 4))
            print(f"{model}: {name}: {value:.2f}", file=sys.stderr, flush=True)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
