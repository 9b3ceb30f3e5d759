"""A run against a Spark Connect server with a local master, whose workers see neither this package nor the models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkcore.runs.results import load_results
from sparkcore.runs.store import RunStore
from tests.cluster.servers import connect_server
from tests.conftest import write_colors

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 90
# The server's Python workers import this first: as on another machine, they do not find the client's files.
ELSEWHERE = """
import errno, os, sys
HIDDEN, find = {hidden!r}, os.stat

def check(path):
    if isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(HIDDEN):
        raise PermissionError(errno.EACCES, "the folder of another user", os.fsdecode(path))

def stat(path, *args, **options):
    check(path)
    return find(path, *args, **options)

os.stat = stat
sys.addaudithook(lambda event, args: check(args[0]) if event == "open" else None)
"""


LISTING = """
import sys
from pyspark.sql import SparkSession
from sparkcore.engine.reader import load_payloads, read_images
from sparkcore.engine.spark_listing import list_with_spark
from sparkcore.errors import InputError

spark, folder = SparkSession.builder.remote(sys.argv[1]).getOrCreate(), sys.argv[2]
print(sorted(file.size_bytes for file in list_with_spark(spark, f"file://{folder}")))
print(sorted(row.size_bytes for row in read_images(spark, folder).collect()))
for read in (list_with_spark, read_images, lambda spark, uri: load_payloads(spark, (uri,), "bytes")):
    for uri in ("file:///no/such/folder", "hdfs:///photos"):
        try:
            list(read(spark, uri))
        except InputError as error:
            print(error)
"""


@pytest.fixture
def connect_url(tmp_path: Path) -> Iterator[str]:
    """Start a Connect server as a stock `start-connect-server.sh` on another host does."""
    server = tmp_path / "server"
    server.mkdir()
    hidden = (os.environ["SPARKCORE_CACHE"], str(ROOT / "sparkcore"))
    (server / "sitecustomize.py").write_text(ELSEWHERE.format(hidden=hidden))
    with connect_server(server, "local[2]", Path(sys.executable), PYTHONPATH=str(server)) as url:
        yield url


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_over_spark_connect(tmp_path: Path, colors_model: Path, connect_url: str) -> None:
    pictures = write_colors(tmp_path / "in", 10)
    (tmp_path / "in" / "broken.png").write_text("no image")
    words = ["run", str(tmp_path / "in"), "--model", str(colors_model), "--store", str(tmp_path / "store"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "sparkcore", *words, "--master", connect_url, "--top-k", "3"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["images"], summary["ok"], summary["error_types"]) == (11, 10, {"not_an_image": 1})
    rows = load_results(RunStore(str(tmp_path / "store")), summary["run_id"]).to_pylist()
    assert {row["file_name"]: row["label"] for row in rows} == {
        "broken.png": None, **{path.name: path.name.split("-")[0] for path in pictures},
    }  # fmt: skip


@pytest.mark.slow
def test_a_connect_server_lists_and_says_what_is_wrong_in_one_line(tmp_path: Path, connect_url: str) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.jpg").write_bytes(b"1")
    (tmp_path / "in" / "deep" / "b.jpg").write_bytes(b"12")
    done = subprocess.run(
        [sys.executable, "-c", LISTING, connect_url, str(tmp_path / "in")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    listed, read, *messages = done.stdout.splitlines()
    assert (listed, read) == ("[1, 2]", "[1, 2]")
    assert len(messages) == 6
    for missing, wrong in (messages[:2], messages[2:4], messages[4:]):
        assert "received 'file:///no/such/folder': [PATH_NOT_FOUND] Path does not exist" in missing
        assert wrong.endswith(
            "Incomplete HDFS URI, no host: hdfs:///photos. Name the host as in hdfs://host:8020/folder."
        )
