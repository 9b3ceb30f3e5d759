"""Measure how long a listing takes and how much memory the driver needs for it.

    python -m benchmarks.listing files [--count 1000000]     files on the local disk, in folders of 1,000
    python -m benchmarks.listing objects URI [--count 100000]  objects below s3://bucket/prefix, deleted afterwards
    python -m benchmarks.listing names [--count 10000000]    made-up names through the spill, no files

Each prints one JSON object: seconds, also of this process's CPU, and peak memory in MB of this Python. Files and
objects are made first, which is not measured; `--sample` lists a sample of them. The usual environment variables name
the object store.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from benchmarks.made_up import FOLDER_FILES, made_up_files
from sparkcore.config import RunConfig
from sparkcore.engine.listing import list_images
from sparkcore.engine.spill import sorted_files

_CONCURRENT_REQUESTS = 64


def main() -> None:
    """Measure what the command line names, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, count in (("files", 1_000_000), ("objects", 100_000), ("names", 10_000_000)):
        kind = kinds.add_parser(name)
        kind.add_argument("--count", type=int, default=count)
        if name == "objects":
            kind.add_argument("uri")
        if name != "names":
            kind.add_argument("--sample", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sparkcore-listing-") as folder:
        figures = {
            "files": lambda: _files(Path(folder), options.count, options.sample),
            "objects": lambda: _objects(Path(folder), options.uri, options.count, options.sample),
            "names": lambda: _names(Path(folder), options.count),
        }[options.kind]()
    print(json.dumps({"kind": options.kind, "count": options.count, **figures}))


def _files(folder: Path, count: int, sample: int | None) -> dict[str, float]:
    for number in range(count):
        path = folder / "images" / f"folder {number // FOLDER_FILES:05d}" / f"IMG_{number:08d}.jpg"
        if number % FOLDER_FILES == 0:
            path.parent.mkdir(parents=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    return _listed(str(folder / "images"), folder / "spill", sample)


def _objects(folder: Path, uri: str, count: int, sample: int | None) -> dict[str, float]:
    keys = [f"folder {number // FOLDER_FILES:05d}/IMG_{number:08d}.jpg" for number in range(count)]
    from obstore.store import from_url

    store = from_url(uri)
    with ThreadPoolExecutor(_CONCURRENT_REQUESTS) as threads:
        list(threads.map(lambda key: store.put(key, b"1", use_multipart=False), keys))
    try:
        return _listed(uri, folder / "spill", sample)
    finally:
        for start in range(0, count, FOLDER_FILES):
            store.delete(keys[start : start + FOLDER_FILES])


def _listed(images: str, spill: Path, sample: int | None) -> dict[str, float]:
    start, cpu_start = time.perf_counter(), time.process_time()
    with list_images(RunConfig(images, sample=sample), _no_spark, spill) as listing:
        listing_s, cpu_s = _since(start), round(time.process_time() - cpu_start, 2)
        return {
            "images": listing.images, "listing_s": listing_s, "cpu_s": cpu_s, "peak_memory_mb": _peak_memory_mb(),
        }  # fmt: skip


def _names(folder: Path, count: int) -> dict[str, float]:
    before_mb, start, cpu_start = _peak_memory_mb(), time.perf_counter(), time.process_time()
    with sorted_files(made_up_files(count), folder) as found:
        listing_s, cpu_s = _since(start), round(time.process_time() - cpu_start, 2)
        start = time.perf_counter()
        rows = sum(map(len, found.pieces()))
        spilled_bytes = sum(file.stat().st_size for file in folder.rglob("*.arrow"))
    return {
        "images": rows, "listing_s": listing_s, "cpu_s": cpu_s, "reading_s": _since(start),
        "spilled_mb": round(spilled_bytes / 1e6), "peak_memory_mb": _peak_memory_mb(), "memory_before_mb": before_mb,
    }  # fmt: skip


def _no_spark() -> NoReturn:
    raise AssertionError("Neither the local disk nor an object store is listed with Spark.")


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 2)


def _peak_memory_mb() -> float:
    """Return the largest resident set of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))


if __name__ == "__main__":
    main()
