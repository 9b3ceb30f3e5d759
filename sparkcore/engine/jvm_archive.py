"""Application class-data sharing (JEP 350) for Spark's JVM: halves its start-up time.

    python -m sparkcore.engine.jvm_archive

creates the archive for this Java and this Spark unless it exists: about 160 MB, in 30 s.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparkcore.config import EngineConfig
from sparkcore.engine.java import QUIET, archive_path
from sparkcore.engine.reader import load_payloads, only
from sparkcore.engine.session import start_session
from sparkcore.errors import EngineError

_TIMEOUT_S = 600


def make_archive(path: Path) -> None:
    """Archive the classes of a JVM that has run a typical job; raises EngineError where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.jsa")
    with tempfile.TemporaryDirectory(prefix="sparkcore-archive-") as folder:
        jvm = _work(EngineConfig(store=folder), f"-XX:ArchiveClassesAtExit={partial} {QUIET}")
        jvm.wait(_TIMEOUT_S)
    if not partial.is_file():
        raise EngineError(f"Java wrote no class archive to {path.parent}. Runs work without it.")
    os.replace(partial, path)


def _work(engine: EngineConfig, options: str) -> Any:
    """Run a typical job in a new JVM, ask it to exit, and return its process."""
    from pyspark import SparkContext

    file = Path(engine.store, "file")
    file.write_bytes(b"")
    spark = start_session(engine, options)
    payloads = only(load_payloads(spark, (str(file),), "bytes"), [file.as_uri()])
    for frame in (payloads, spark.range(0, 1, numPartitions=1)):  # Spark reads the files, or the workers do
        frame.mapInArrow(_pass, frame.schema).toArrow()
    spark.stop()
    gateway: Any = SparkContext._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    return gateway.proc


def _pass(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches


def main() -> int:
    """Create the archive unless it exists; a failure is only reported, because Spark works without it."""
    path = archive_path()
    if path.is_file() or " " in str(path):
        return 0
    sys.stderr.write("Creating a class archive so that Spark starts faster (30 s, once)\n")
    try:
        make_archive(path)
    except (EngineError, OSError) as error:
        sys.stderr.write(f"Spark will start more slowly: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
