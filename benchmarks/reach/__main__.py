"""Measure how far a run reaches: what the driver takes, how latency is hidden, what more workers bring.

    python -m benchmarks.reach FIGURE [options]

Each figure is printed on a line of its own, with its target and what it was measured on.
"""

from __future__ import annotations

import argparse
import os
from types import ModuleType

from benchmarks import machine
from benchmarks.reach import (
    against,
    driver_cpu,
    driver_memory,
    latency,
    layout,
    opening,
    quick_look,
    similar,
    two_workers,
)

_FIGURES: dict[str, ModuleType] = {
    "driver-cpu": driver_cpu,
    "driver-memory": driver_memory,
    "latency": latency,
    "map": layout,
    "opening": opening,
    "quick-look": quick_look,
    "similar": similar,
    "against": against,
    "two-workers": two_workers,
}


def main() -> None:
    """Measure what the command line names, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    figures = parser.add_subparsers(dest="figure", required=True)
    for name, module in _FIGURES.items():
        module.add_arguments(figures.add_parser(name, help=module.__doc__))
    options = parser.parse_args()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    facts = machine.describe()
    print(", ".join(f"{name} {facts[name]}" for name in ("processor", "cores", "load_before", "commit")), flush=True)
    for figure in _FIGURES[options.figure].measure(options):
        print(figure, flush=True)


if __name__ == "__main__":
    main()
