"""Build the wheel, install it in a new environment and classify the samples from a folder outside of the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = "efficientnet_lite0"


def main() -> None:
    """Exit with an error where the wheel is incomplete or does not work."""
    with tempfile.TemporaryDirectory(prefix="sparkcore-wheel-") as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        check_content(wheel)
        bin_folder = install(wheel, folder)
        check_without_dashboard(bin_folder / "python", folder)
        check_run(bin_folder / "sparkcore", folder)
    print(f"{wheel.name} works.")


def tracked_files() -> list[str]:
    """Return the files under version control, relative to the root."""
    return call("git", "ls-files", "-z", folder=ROOT).split("\0")[:-1]


def build_wheel(folder: Path) -> Path:
    """Build from a copy of the tracked files: `build/` of an earlier build would get into the wheel."""
    for name in tracked_files():
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    call(*pip, "--wheel-dir", str(folder), str(folder / "source"), folder=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_content(wheel: Path) -> None:
    """Compare the wheel with the tracked files of the package."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {name for name in tracked_files() if name.startswith("sparkcore/")}
    if packed != expected:
        sys.exit(f"Missing in the wheel: {sorted(expected - packed)}, too many: {sorted(packed - expected)}.")


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel with the locked versions in a new environment and return its folder of commands."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(re.findall(r"^[\w.-]+==[\w.]+", lock, re.MULTILINE)), encoding="utf-8")
    venv.create(folder / "venv", with_pip=True)
    bin_folder = folder / "venv" / "bin"
    pip = (str(bin_folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")
    call(*pip, "--constraint", str(constraints), str(wheel), folder=folder)
    return bin_folder


def check_without_dashboard(python: Path, folder: Path) -> None:
    """Check that the public API can be imported and needs no Streamlit."""
    code = (
        "import importlib.util, sparkcore\n"
        "assert importlib.util.find_spec('streamlit') is None\n"
        "assert all(hasattr(sparkcore, name) for name in sparkcore.__all__)"
    )
    call(str(python), "-c", code, folder=folder)


def check_run(command: Path, folder: Path) -> None:
    """Classify the samples with the built-in model."""
    call(str(command), "samples", "pictures", folder=folder)
    files = [path for path in (folder / "pictures").rglob("*") if path.is_file()]
    result = json.loads(call(str(command), "run", "pictures", "--model", MODEL, "--json", folder=folder))
    if result["status"] != "complete" or result["images"] != len(files) or result["ok"] < 0.9 * len(files):
        sys.exit(f"Expected a complete run of {len(files)} images, received {result}.")


def call(*command: str, folder: Path) -> str:
    """Run a command in `folder`, without this process's settings for Python and sparkcore, and return its output."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPARK", "PYSPARK"))
    }
    environment["SPARKCORE_CACHE"] = str(folder / "cache")
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    main()
