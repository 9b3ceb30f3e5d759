"""The models that are measured, with the same weights for every contender."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import run_json


@dataclass(frozen=True, slots=True)
class Model:
    """One model as a `.keras` file: square input of `side` pixels, `preprocess` as Keras names its modes."""

    name: str
    path: Path
    side: int
    preprocess: str

    def arguments(self) -> list[str]:
        """Return what a contender's command line needs."""
        return ["--model", str(self.path), "--side", str(self.side), "--preprocess", self.preprocess]


def saved(name: str, folder: Path) -> Model:
    """Save a model of the registry with random weights (tinynet: its own), in a process of its own."""
    facts, _ = run_json("benchmarks.models", name, str(folder / f"{name}.keras"))
    return Model(name, folder / f"{name}.keras", facts["side"], facts["preprocess"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every contender is told: its pictures and its model."""
    parser.add_argument("images", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--preprocess", required=True)
    parser.add_argument("--batch-size", type=int, default=32)


def main() -> None:
    """Build, save, and print what the model expects."""
    from sparkcore.config import RunConfig
    from sparkcore.models.keras_model import build_keras_model
    from sparkcore.models.resolve import resolve_model

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    weights = None if options.name == "tinynet" else "random"
    model = resolve_model(RunConfig(images="x", model=options.name, weights=weights))
    build_keras_model(model).save(options.path)
    print(json.dumps({"side": model.height, "preprocess": model.preprocess}))


if __name__ == "__main__":
    main()
