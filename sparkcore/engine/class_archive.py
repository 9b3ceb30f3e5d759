"""A file of the JVM's classes as they are in memory, with which Spark starts in half the time.

    python -m sparkcore.engine.class_archive

makes it for this Java and this Spark where it is not there yet; it is about 160 MB and takes half a minute. Every
session that starts on this machine then uses it. https://openjdk.org/jeps/350 describes what Java does here.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparkcore.config import EngineConfig, cache_folder
from sparkcore.engine.java import find_java
from sparkcore.errors import EngineError

# An archive that does not fit is not used: nobody wants to read of it, least of all in the output of a command.
_QUIET = "-Xlog:disable -Xlog:all=error:stderr"
_LIMIT_S = 600


def archive_path() -> Path:
    """Return where the archive of this Java and this Spark lies, or would lie."""
    import pyspark

    java = Path(find_java()).resolve()
    built = str(java.stat().st_mtime_ns) if java.exists() else ""
    key = hashlib.sha256("\n".join([str(java), built, str(Path(pyspark.__file__).resolve())]).encode()).hexdigest()[:12]
    return cache_folder() / f"spark-{pyspark.__version__}-{key}.jsa"


def java_options() -> str:
    """Return the options with which a JVM uses the archive; none where there is no archive."""
    path = archive_path()
    # Spark would cut a path with a space in two.
    return f"-XX:SharedArchiveFile={path} {_QUIET}" if path.is_file() and " " not in str(path) else ""


def make_archive(path: Path) -> None:
    """Let a JVM do what every run does, and keep its classes in `path`; raises EngineError where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.jsa")
    with tempfile.TemporaryDirectory(prefix="sparkcore-archive-") as folder:
        jvm = _work(EngineConfig(store=Path(folder)), f"-XX:ArchiveClassesAtExit={partial} {_QUIET}")
        jvm.wait(_LIMIT_S)
    if not partial.is_file():
        raise EngineError(f"Java wrote no archive of its classes to {path.parent}. Runs work without it.")
    os.replace(partial, path)


def _work(engine: EngineConfig, options: str) -> Any:
    """Run a typical job in a new JVM, tell it to end, and return its process."""
    from pyspark import SparkContext

    from sparkcore.engine.reader import load_payloads, only
    from sparkcore.engine.session import start_session

    file = engine.store / "file"
    file.write_bytes(b"")
    spark = start_session(engine, options)
    payloads = only(load_payloads(spark, (str(file),), "bytes"), [file.as_uri()])
    for frame in (payloads, spark.range(0, 1, numPartitions=1)):  # files that Spark opens, and that workers open
        frame.mapInArrow(_pass, frame.schema).toArrow()
    spark.stop()
    gateway: Any = SparkContext._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    return gateway.proc


def _pass(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches


def main() -> int:
    """Make the archive unless it is there; without it everything works too, so nothing here is a failure."""
    path = archive_path()
    if path.is_file() or " " in str(path):
        return 0
    sys.stderr.write("Preparing Java's classes for quick starts (half a minute, once)\n")
    try:
        make_archive(path)
    except (EngineError, OSError) as error:
        sys.stderr.write(f"Spark will start more slowly: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
