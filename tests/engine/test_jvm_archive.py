from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sparkcore.engine.java import archive_options, archive_path, find_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_no_archive_no_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path))
    assert archive_options() == ""
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path / "a folder"))
    archive_path().parent.mkdir()
    archive_path().write_bytes(b"")
    assert archive_options() == ""


def test_another_java_has_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = archive_path()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert archive_path() != usual


def test_another_installation_of_spark_has_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = tmp_path / "pyspark" / "jars" / "spark-core.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"")
    monkeypatch.setattr("pyspark.__file__", str(tmp_path / "pyspark" / "__init__.py"))
    usual = archive_path()
    os.utime(jar, ns=(1, 1))  # as an installation into the same folder leaves it
    assert archive_path() != usual


def test_an_archive_that_does_not_fit_is_passed_over_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path))
    archive_path().write_bytes(b"not an archive")
    done = subprocess.run(
        [find_java(), *archive_options().split(), "-version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "version" in done.stderr
    assert "archive" not in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_at_setup = archive_path()
    monkeypatch.setenv("SPARKCORE_CACHE", str(tmp_path))
    if made_at_setup.is_file():  # as `make test` leaves it; to make another takes half a minute
        archive_path().symlink_to(made_at_setup.resolve())
    command = [sys.executable, "-m", "sparkcore.engine.jvm_archive"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == [archive_path().name]


def test_spark_uses_it(spark: SparkSession) -> None:
    if not archive_path().is_file():
        pytest.skip("needs the archive that `make setup` makes")
    maps = Path(f"/proc/{spark.sparkContext._gateway.proc.pid}/maps").read_text()
    assert archive_path().resolve().name in maps
