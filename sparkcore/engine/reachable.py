"""Ask whether anything answers at a master's address: Spark waits for a minute, Spark Connect for half an hour."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from sparkcore.engine.masters import is_connect, standalone_addresses, without_parameters
from sparkcore.errors import ConfigError, EngineError

ANSWER_LIMIT_S = 10.0


def check_reachable(master: str, limit_s: float = ANSWER_LIMIT_S) -> None:
    """Raise EngineError where nobody answers at the address of a standalone master or a Spark Connect server."""
    if is_connect(master):
        _check_connect(master, limit_s)
    addresses = standalone_addresses(master)
    refusals = [_refusal(host, port, limit_s / len(addresses)) for host, port in addresses]
    if refusals and all(refusals):
        raise _unreachable("Spark master", master, str(refusals[0]))


def _check_connect(url: str, limit_s: float) -> None:
    """Wait for the channel that PySpark would use, whatever its encryption and proxies."""
    import grpc
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client import DefaultChannelBuilder

    try:
        channel = DefaultChannelBuilder(url).toChannel()
    except (PySparkException, ValueError):
        expected = "sc://HOST:PORT, perhaps followed by /;NAME=VALUE"
        raise ConfigError.unexpected("master", expected, without_parameters(url)) from None
    states: list[grpc.ChannelConnectivity] = []
    settled = threading.Event()

    def follow(state: grpc.ChannelConnectivity) -> None:
        states.append(state)
        if state is grpc.ChannelConnectivity.READY:
            settled.set()

    channel.subscribe(follow, try_to_connect=True)
    ready = settled.wait(limit_s)
    channel.unsubscribe(follow)
    channel.close()
    if not ready:
        raise _unreachable("Spark Connect server", without_parameters(url), _connect_refusal(url))


def _connect_refusal(url: str) -> str:
    """Return why a plain connection fails, too; else, that no server of this kind is there."""
    parts = urlsplit(url)
    with suppress(ValueError):
        refusal = _refusal(parts.hostname or "", parts.port or 15002, 2)
        if refusal:
            return refusal
    return "the port is open, but it does not speak Spark Connect's protocol"


def _refusal(host: str, port: int, limit_s: float) -> str:
    """Return why no TCP connection can be made, or nothing where it can."""
    try:
        socket.create_connection((host, port), limit_s).close()
    except TimeoutError:
        return f"no answer within {limit_s:.0f} s"
    except OSError as error:
        return (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)).lower()
    return ""


def _unreachable(what: str, url: str, reason: str) -> EngineError:
    return EngineError(
        f"No {what} answers at {url}: {reason}. Check the address and that the server runs.",
        shell="--master or SPARK_REMOTE sets the address.",
    )
