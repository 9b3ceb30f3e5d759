"""The Java that Spark needs, and the class archive that speeds up its start."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sparkcore.config import cache_folder
from sparkcore.errors import EngineError

JAVA_AT_LEAST = 17
# The JVM ignores an archive that does not fit; silence its warning.
QUIET = "-Xlog:disable -Xlog:all=error:stderr"
_ADVICE = (
    f"Install Java {JAVA_AT_LEAST} or newer (Debian, Ubuntu: apt install default-jre-headless; "
    f"macOS: brew install openjdk@{JAVA_AT_LEAST})."
)


def find_java() -> str:
    """Return the Java command: that of JAVA_HOME, else the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java") or "java"


def check_java() -> None:
    """Raise EngineError, with what to install, where there is no Java that Spark can use."""
    home = os.environ.get("JAVA_HOME")
    try:
        banner = subprocess.run(
            [find_java(), "-version"], capture_output=True, text=True, check=True,
            start_new_session=True,  # Ctrl-C is for this process alone
        ).stderr  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        where = f" in JAVA_HOME ({home})" if home else ""
        raise EngineError(f"Spark needs Java {JAVA_AT_LEAST} or newer and found none{where}. {_ADVICE}") from None
    version = re.search(r'version "(\d+)', banner)
    if version and int(version[1]) < JAVA_AT_LEAST:
        raise EngineError(f"Spark needs Java {JAVA_AT_LEAST} or newer, found version {version[1]}. {_ADVICE}")


def archive_path() -> Path:
    """Return the path of the class archive for this Java and this Spark, whether or not it exists.

    The JVM rejects an archive if a jar has another modification time, so a new installation has a new archive.
    """
    import pyspark

    java, spark = Path(find_java()).resolve(), Path(pyspark.__file__).resolve().parent
    files = [java, *sorted(spark.glob("jars/*.jar"))]
    facts = [f"{path} {path.stat().st_mtime_ns}" for path in files if path.exists()]
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return cache_folder() / f"spark-{pyspark.__version__}-{key}.jsa"


def archive_options() -> str:
    """Return the JVM options that use the class archive; empty where there is none."""
    path = archive_path()
    # Spark splits options at spaces.
    return f"-XX:SharedArchiveFile={path} {QUIET}" if path.is_file() and " " not in str(path) else ""


def main() -> int:
    """Check for Java: exit code 0, or 1 with one line that says what to do."""
    try:
        check_java()
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
