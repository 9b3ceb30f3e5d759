"""What many tests share: one Spark session, one engine process, one tiny real model, and the test data beside."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from PIL import Image

import tests.network_guard.sitecustomize as network_guard
from sparkcore import client
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.engine.java import archive_path
from sparkcore.models.download import remember_offline
from tests.leftovers import Leftovers
from tests.models.fixture_model import copy_fixture_model, copy_frozen_fixture
from tests.schedule import GroupScheduling, sort_by_group
from tests.storage.s3_server import BUCKET, CREDENTIALS, s3_server

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHARED = Path(__file__).resolve().parents[2] / "shared"
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
ENGINE_LIMIT_S = 90
# Each Python worker of an engine loads a model: one is enough for a handful of pictures.
_ONE_WORKER = "-XX:ActiveProcessorCount=1"


set_hypothesis_home_dir(Path(__file__).resolve().parents[1] / ".pytest_cache" / "hypothesis")
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


_leftovers = pytest.StashKey[Leftovers]()


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist keep the order of the groups; by itself it begins with those of the most tests.

    A whole run, which has several processes, is watched for what it leaves behind. The long tests kill too much.
    """
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    is_whole = getattr(config.option, "tx", None) and "not soak" in config.option.markexpr
    if is_whole and not hasattr(config, "workerinput"):
        config.stash[_leftovers] = Leftovers.begin()


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Let a run fail that leaves something behind; temporary files stay where a test has failed."""
    yield
    leftovers = session.config.stash.get(_leftovers, None)
    if leftovers is None:
        return
    if found := leftovers.found():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write_line("\n".join(["", "The tests leave behind:", *found]), red=True)
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        leftovers.remove()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Let pytest-xdist hand out whole groups of tests."""
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the large groups of tests first."""
    sort_by_group(items)


@pytest.fixture(autouse=True, scope="session")
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests off the network and out of the user's cache, and the user's settings out of the tests."""
    patch = pytest.MonkeyPatch()
    guarded = [str(Path(network_guard.__file__).parent), os.environ.get("PYTHONPATH", "")]
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, guarded)))
    archive, cache = archive_path(), tmp_path_factory.mktemp("cache")
    patch.setenv("SPARKCORE_CACHE", str(cache))
    if archive.is_file():
        archive_path().symlink_to(archive.resolve())  # Spark starts in half the time
    copy_frozen_fixture(cache)  # no test needs Keras for the tiny model
    remember_offline()  # model "auto" asks no server
    patch.setenv("SPARK_SUBMIT_OPTS", _ONE_WORKER)
    patch.setenv(
        "TF_ENABLE_ONEDNN_OPTS", "1"
    )  # the same kernels on all processors, whichever test imports TensorFlow first
    patch.delenv("SPARKCORE_STORE", raising=False)
    patch.delenv("SPARK_REMOTE", raising=False)
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "AZURE_"))]:
        patch.delenv(name)
    for name, value in CREDENTIALS.items():  # before Spark starts: its workers inherit them
        patch.setenv(name, value)
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):  # one on this machine would lead off it
        patch.delenv(proxy, raising=False)
        patch.delenv(proxy.upper(), raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Give the one Spark session that all tests use, with a worker for each core."""
    from sparkcore.engine.session import start_session

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SPARK_SUBMIT_OPTS", raising=False)
        session = start_session(EngineConfig(store=tmp_path_factory.mktemp("spark")))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def engine_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConfig]:
    """Give the store that client and browser tests share; its engine ends with the session."""
    engine = EngineConfig(store=tmp_path_factory.mktemp("served") / "store", bucket_size=8)
    yield engine
    end_engine(engine)


@pytest.fixture
def served(engine_store: EngineConfig) -> EngineConfig:
    """Give the same store with its engine process alive: one that a test has ended is started again."""
    client.start_engine(engine_store)
    return engine_store


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a real S3 server with the bucket BUCKET."""
    with s3_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_prefix(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URI of an empty prefix on the S3 server, which the environment names."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def colors_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a real model that names the mean color of a picture."""
    return copy_fixture_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def engine(tmp_path: Path) -> EngineConfig:
    """Give an engine with a store of its own."""
    return EngineConfig(store=tmp_path / "store")


@pytest.fixture
def request_for(colors_model: Path) -> Callable[..., RunConfig]:
    """Give a function that makes requests for the tiny model."""

    def make(images: Path | str, **settings: object) -> RunConfig:
        return RunConfig.from_dict({"images": str(images), "model": str(colors_model), "top_k": 3, **settings})

    return make


@pytest.fixture(scope="session")
def photos() -> Path:
    """Give the folder of 300 labelled photos, or skip."""
    return shared("data/imagenet_photos")


@pytest.fixture(scope="session")
def spark_images() -> Path:
    """Give Spark's own image test data, or skip."""
    return shared("data/spark_images")


def shared(name: str) -> Path:
    """Return a file or folder of the test data beside the project, or skip the test."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs ../shared/{name}, which is not part of this repository")
    return path


def end_engine(engine: EngineConfig) -> None:
    """Stop the engine process of a store and wait until it has left."""
    if client.stop_engine(engine):
        wait_until(lambda: client.engine_pid(engine) is None)


def wait_until(condition: Callable[[], bool], limit_s: float = ENGINE_LIMIT_S) -> None:
    """Wait until a condition holds; fails after `limit_s`."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"still waiting after {limit_s} s"
        time.sleep(0.05)


def write_colors(folder: Path, count: int = 4, side: int = 40) -> list[Path]:
    """Write `count` plain pictures named by their color: red-0.png, green-1.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        name = list(COLORS)[number % len(COLORS)]
        path = folder / f"{name}-{number}.png"
        Image.new("RGB", (side + number, side), COLORS[name]).save(path)
        paths.append(path)
    return paths
