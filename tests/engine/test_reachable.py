from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sparkcore.engine.reachable import check_reachable
from sparkcore.errors import ConfigError, EngineError
from tests.storage.s3_server import free_ports


@pytest.fixture
def closed() -> int:
    return free_ports(1)[0]


@pytest.fixture
def silent() -> Iterator[int]:
    """Give a port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_no_standalone_master(closed: int) -> None:
    with pytest.raises(
        EngineError, match=rf"No Spark master answers at spark://127\.0\.0\.1:{closed}: connection refused"
    ):
        check_reachable(f"spark://127.0.0.1:{closed}")


def test_one_of_two_masters_is_enough(closed: int, silent: int) -> None:
    check_reachable(f"spark://127.0.0.1:{closed},127.0.0.1:{silent}")


def test_no_connect_server(closed: int) -> None:
    with pytest.raises(
        EngineError, match=rf"No Spark Connect server answers at sc://127\.0\.0\.1:{closed}: conn"
    ) as told:
        check_reachable(f"sc://127.0.0.1:{closed}/;token=secret", 0.5)
    assert "secret" not in str(told.value)


def test_a_server_of_another_kind(silent: int) -> None:
    with pytest.raises(EngineError, match="the port is open, but it does not speak Spark Connect's protocol"):
        check_reachable(f"sc://127.0.0.1:{silent}", 0.5)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(EngineError, match=r"No Spark master answers at spark://nowhere\.invalid:7077: "):
        check_reachable("spark://nowhere.invalid:7077")


@pytest.mark.parametrize("url", ["sc://", "sc://host:port/;token=x", "sc://host/path"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="master: expected sc://HOST:PORT, perhaps"):
        check_reachable(url)


@pytest.mark.parametrize("master", ["local[2,4]", "local-cluster[1,1,1024]", "yarn", "k8s://https://nowhere.invalid"])
def test_others_are_left_to_spark(master: str) -> None:
    check_reachable(master)
