"""How long requests take, as a user meets them: cold, again, and with a warm engine.

    python -m benchmarks.throughput IMAGES [--model resnet50] [--weights random] [--repeat 3]

Prints a table and, with --json FILE, writes the figures with machine and versions. Every figure is measured in stores
of its own, so nothing is cached that should be computed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.runs.jobs import Job
from sparkcore.runs.store import RunStore


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images")
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--weights", default="random")
    parser.add_argument("--repeat", type=int, default=3, help="warm runs; the median counts")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    config = RunConfig(images=options.images, model=options.model, weights=options.weights)
    folder = Path(tempfile.mkdtemp(prefix="sparkcore-benchmark-"))
    try:
        figures = {**_shell(config, folder / "shell"), **_engine(config, folder / "engine", options.repeat)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {"config": config.to_dict(), "machine": _machine(), "figures": figures}
    for name, value in figures.items():
        print(f"{name:<52}{value:>10.2f}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _shell(config: RunConfig, store: Path) -> dict[str, float]:
    """Measure whole processes: the first run, and the same command again."""
    command = [sys.executable, "-m", "sparkcore", "run", config.images, "--model", config.model]
    command += ["--weights", str(config.weights), "--store", str(store), "--json"]
    first, first_s = _timed(lambda: json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    again, again_s = _timed(lambda: json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    assert (first["status"], again["status"]) == ("complete", "cached")
    return {
        "images": float(first["images"]),
        "cold: whole process, s": first_s,
        "cold: images/s after the model is loaded": first["images_per_second_no_load"],
        "same request, new process, s": again_s,
    }


def _engine(config: RunConfig, store: Path, repeat: int) -> dict[str, float]:
    """Measure jobs of an engine process: with a cold and a warm model, and an answer from the store."""
    engine = EngineConfig(store=store)
    speeds, times = [], []
    try:
        for seed in range(repeat + 1):
            job, job_s = _timed(lambda n=seed: _finished(client.submit(_variant(config, n), engine), engine))
            speeds.append(RunStore(store).manifest(str(job.run_id)).images_per_second_no_load)
            times.append(job_s)
        _, cached_s = _timed(lambda: _finished(client.submit(_variant(config, 0), engine), engine))
    finally:
        client.stop_engine(engine)
        while client.engine_pid(engine) is not None:
            time.sleep(0.1)
    return {
        "engine: first job, s": times[0],
        "engine: warm job, s": statistics.median(times[1:]),
        "engine: warm job, images/s": statistics.median(speeds[1:]),
        "engine: same request, s": cached_s,
    }


def _variant(config: RunConfig, number: int) -> RunConfig:
    # Another number of labels is another recipe: no row of an earlier job holds for it.
    return RunConfig.from_dict({**config.to_dict(), "top_k": number + 2})


def _finished(job: Job, engine: EngineConfig) -> Job:
    while (job := client.status(job.job_id, engine)).active:
        time.sleep(0.02)
    assert job.run_id, job.message
    return job


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return call(), time.perf_counter() - started


def _machine() -> dict[str, Any]:
    libraries = ("pyspark", "tensorflow", "pillow", "numpy")
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in libraries},
    }


if __name__ == "__main__":
    main()
