"""Compare this project with the limit of the machine and with other implementations, on the same pictures.

    python -m benchmarks PHOTOS [--quick] [--models resnet50 mobilenet_v2] [--rounds 3] [--json FILE]

PHOTOS is a folder of photos, of which 300 are used; the default is variants of the built-in samples. Each round runs
every contender and ratios are taken within a round, so a drift in the machine's speed cancels out. See README.md here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, pictures, report
from benchmarks.figures import MODELS, Figures
from benchmarks.measurements import Settings, measure_memory, measure_model, measure_post
from benchmarks.models import RANDOM, saved

POST_MODEL = "resnet50"
QUICK_COUNT = 100
MEMORY_MODEL = "mobilenet_v2"


def main() -> None:
    """Measure, print the tables, write the JSON file."""
    options = _options()
    if options.quick:
        options.count, options.rounds, options.seconds, options.without_post = QUICK_COUNT, 1, 2.0, True
    folder = Path(tempfile.mkdtemp(prefix="sparkcore-benchmark-"))
    figures = Figures(machine.describe())
    try:
        photos = pictures.source_pictures(options.photos, folder / "variants", options.count)
        settings = Settings(folder, photos, options.rounds, options.seconds, options.peer_python)
        for name in options.models:
            print(f"-- {name}", file=sys.stderr, flush=True)
            model = saved(name, folder, dict(options.weights).get(name, RANDOM))
            measure_model(settings, model, figures)
            if name == POST_MODEL and not options.without_post:
                measure_post(settings, model, figures)
        if options.memory:
            measure_memory(settings, saved(MEMORY_MODEL, folder), options.memory, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report.text(figures))
    if options.json:
        options.json.write_text(json.dumps(figures.to_dict(), indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="?")
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--count", type=int, default=300, help="photos per run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="duration of each limit")
    parser.add_argument("--quick", action="store_true", help="one round with 100 photos, without the post: minutes")
    parser.add_argument(
        "--weights", action="append", default=[], type=_weights, metavar="MODEL=FILE",
        help="trained weights of a model, for the agreement of int8; speeds do not depend on them",
    )  # fmt: skip
    parser.add_argument("--memory", type=int, default=0, metavar="COUNT", help="also peak memory, up to COUNT images")
    parser.add_argument("--without-post", action="store_true", help="skip the blog post's implementation (minutes)")
    parser.add_argument("--peer-python", help="also Ray Data and Daft, with this Python that has both")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _weights(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    return name, path


if __name__ == "__main__":
    main()
