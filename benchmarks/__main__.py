"""Measure this project against the limit of the machine and against other ways, in one run on the same pictures.

    python -m benchmarks PHOTOS [--models resnet50 mobilenet_v2 tinynet] [--rounds 3] [--json FILE]

PHOTOS is a folder of real photos (300 are taken); without it, sample pictures are rendered. Rounds alternate between
contenders, so that a machine whose speed drifts treats them alike; ratios are taken within a round. See README.md here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, pictures, report
from benchmarks.models import saved
from benchmarks.plan import Figures, Settings, measure_memory, measure_model, measure_post

POST_MODEL = "resnet50"


def main() -> None:
    """Measure, print the tables, write the JSON file."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="sparkcore-benchmark-"))
    figures = Figures(machine.describe())
    try:
        settings = Settings(folder, _photos(options, folder), options.rounds, options.seconds, options.peer_python)
        for name in options.models:
            print(f"-- {name}", file=sys.stderr, flush=True)
            model = saved(name, folder)
            measure_model(settings, model, figures)
            if name == POST_MODEL and not options.without_post:
                measure_post(settings, model, figures)
        if options.memory:
            measure_memory(settings, options.memory, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report.text(figures))
    if options.json:
        options.json.write_text(json.dumps(figures.to_dict(), indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="?")
    parser.add_argument("--models", nargs="*", default=report.MODELS)
    parser.add_argument("--count", type=int, default=300, help="photos of a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each of the machine's limits")
    parser.add_argument("--memory", type=int, default=0, metavar="COUNT", help="also: peak memory with COUNT images")
    parser.add_argument("--without-post", action="store_true", help="leave the blog post's way out (minutes)")
    parser.add_argument("--peer-python", help="Python of an environment with ray[data] and daft: measure them too")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _photos(options: argparse.Namespace, folder: Path) -> list[Path]:
    if options.photos is not None:
        return pictures.listed(options.photos)[: options.count]
    samples = folder / "samples"
    command = [sys.executable, "-m", "sparkcore", "samples", str(samples), "--count", str(options.count)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return sorted(path for path in samples.rglob("*") if path.suffix.lower() in pictures.SUFFIXES)[: options.count]


if __name__ == "__main__":
    main()
