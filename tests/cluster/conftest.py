"""Clusters that tests share: each kind of master, with executors that have nothing of ours but the requirements."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from tests.cluster.servers import SPARK_HOME, connect_server, quick_jvm, standalone
from tests.cluster.sixty import write_sixty

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("local-cluster", "standalone", "connect")
RUN_LIMIT_S = 150
SITE_PACKAGES = Path(np.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A master, and the environment of a driver that uses it."""

    master: str
    environment: dict[str, str] = field(default_factory=dict)

    def python(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with this package as the driver's machine would; the words are its arguments."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT, env={**os.environ, **quick_jvm(), **self.environment, **environment},
            capture_output=True, text=True, check=False, timeout=RUN_LIMIT_S,
        )  # fmt: skip

    def start(self, *words: str, stdout: IO[str]) -> subprocess.Popen[bytes]:
        """Start Python in the same way, and return its process."""
        environment = {**os.environ, **quick_jvm(), **self.environment}
        return subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment, stdout=stdout)

    def sparkcore(self, command: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line with this master."""
        return self.python("-m", "sparkcore", command, *words, "--master", self.master, **environment)


@pytest.fixture(scope="session")
def executors_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a Python at another path, with the requirements but without this package."""
    return make_python(tmp_path_factory.mktemp("python"), str(SITE_PACKAGES))


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a Python without any package."""
    return make_python(tmp_path_factory.mktemp("bare"), "")


@pytest.fixture(scope="session")
def standalone_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a standalone master with two workers of one core."""
    with standalone(tmp_path_factory.mktemp("standalone")) as url:
        yield url


@pytest.fixture(scope="session")
def connect_url(tmp_path_factory: pytest.TempPathFactory, executors_python: Path) -> Iterator[str]:
    """Give the URL of a Connect server, whose executors are on a standalone cluster: it holds all of their cores."""
    folder = tmp_path_factory.mktemp("connect")
    with standalone(folder) as master, connect_server(folder / "server", master, executors_python) as url:
        yield url


@pytest.fixture(scope="session")
def spark_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a Spark in which `local-cluster` may write: it puts its work folder there."""
    folder = tmp_path_factory.mktemp("spark-home")
    for entry in SPARK_HOME.iterdir():
        (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="session")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of sixty pictures, damaged ones among them."""
    return write_sixty(tmp_path_factory.mktemp("sixty") / "pictures")


@pytest.fixture(params=KINDS)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Give each kind of cluster in turn."""
    return cluster_of(request, request.param)


def cluster_of(request: pytest.FixtureRequest, kind: str) -> Cluster:
    """Return a kind of cluster; its servers are started once a session."""
    if kind == "connect":
        return Cluster(request.getfixturevalue("connect_url"))
    environment = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": str(request.getfixturevalue("executors_python"))}
    if kind == "standalone":
        return Cluster(request.getfixturevalue("standalone_url"), environment)
    home = {"SPARK_HOME": str(request.getfixturevalue("spark_home"))}
    return Cluster("local-cluster[2,1,1024]", {**environment, **home})


def make_python(folder: Path, site_packages: str, base: str = sys.executable) -> Path:
    """Make a virtual environment that imports from a folder, without the redirections (.pth) in it."""
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    own = next(folder.glob("lib/python*/site-packages"))
    (own / "requirements.pth").write_text(site_packages)
    return folder / "bin" / "python"
