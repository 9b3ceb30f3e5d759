"""The Java that Spark needs: look for it, and install Debian's where that is possible."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sparkcore.errors import EngineError

JAVA_AT_LEAST = 17
_ADVICE = (
    f"Install Java {JAVA_AT_LEAST} or newer (Debian, Ubuntu: apt install default-jre-headless; "
    f"macOS: brew install openjdk@{JAVA_AT_LEAST})."
)


def find_java() -> str:
    """Return the command that starts Java: that of JAVA_HOME, else the one on the path."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java") or "java"


def check_java() -> None:
    """Raise EngineError, in one line that says what to install, where there is no Java that Spark can use."""
    home = os.environ.get("JAVA_HOME")
    try:
        banner = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        where = f" in JAVA_HOME ({home})" if home else ""
        raise EngineError(f"Spark needs Java {JAVA_AT_LEAST} or newer and found none{where}. {_ADVICE}") from None
    version = re.search(r'version "(\d+)', banner)
    if version and int(version[1]) < JAVA_AT_LEAST:
        raise EngineError(f"Spark needs Java {JAVA_AT_LEAST} or newer, found version {version[1]}. {_ADVICE}")


def install_java() -> bool:
    """Install Debian's headless Java where this is root on a system with apt; tell whether it was tried."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "default-jre-headless"]):
        subprocess.run(["apt-get", *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
    return True


def main() -> int:
    """Make sure that there is a Java: exit code 0, or 1 with one line that says what to do."""
    try:
        try:
            check_java()
        except EngineError:
            if not install_java():
                raise
            check_java()
    except (EngineError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
