"""The measured models: one file of weights for all contenders."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import run_json

RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Model:
    """A model as a `.keras` file: a square input of `side` pixels, preprocessing in Keras's mode `preprocess`."""

    name: str
    path: Path
    side: int
    preprocess: str
    is_trained: bool = False

    def arguments(self) -> list[str]:
        """Return the command-line arguments of a contender."""
        return ["--model", str(self.path), "--side", str(self.side), "--preprocess", self.preprocess]


def saved(name: str, folder: Path, weights: str = RANDOM) -> Model:
    """Save a model of the registry, in a child process. Speed does not depend on weights, so random ones will do."""
    facts, _ = run_json("benchmarks.models", name, str(folder / f"{name}.keras"), "--weights", weights)
    return Model(name, folder / f"{name}.keras", facts["side"], facts["preprocess"], weights != RANDOM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every contender: pictures and model."""
    parser.add_argument("images", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--preprocess", required=True)
    parser.add_argument("--batch-size", type=int, default=32)


def main() -> None:
    """Build and save a model, and print its input size and preprocessing."""
    from sparkcore.config import RunConfig
    from sparkcore.models.keras_model import build_keras_model
    from sparkcore.models.resolve import resolve_model

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("path", type=Path)
    parser.add_argument("--weights", default=RANDOM)
    options = parser.parse_args()
    model = resolve_model(RunConfig(images="x", model=options.name, weights=options.weights))
    build_keras_model(model).save(options.path)
    print(json.dumps({"side": model.height, "preprocess": model.preprocess}))


if __name__ == "__main__":
    main()
