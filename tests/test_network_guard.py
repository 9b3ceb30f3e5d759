"""Tests pass with and without a network, because they never use it."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

# Documentation addresses (RFC 5737, RFC 3849) and a reserved name: nobody answers there, guard or not.
ADDRESS, ADDRESS_V6, NAME = "192.0.2.1", "2001:db8::1", "host.invalid"


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, ADDRESS), (socket.AF_INET6, ADDRESS_V6), (socket.AF_INET, NAME)]
)
def test_a_connection_to_another_machine_is_refused(family: int, address: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(1)
        with pytest.raises(OSError, match="tests reach nothing but this machine"):
            connection.connect((address, 443))
        with pytest.raises(OSError, match="tests reach nothing but this machine"):
            connection.connect_ex((address, 443))


@pytest.mark.parametrize("address", [ADDRESS, NAME])
def test_a_datagram_to_another_machine_is_refused(address: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection,
        pytest.raises(OSError, match="tests reach nothing but this machine"),
    ):
        connection.sendto(b"hello", (address, 53))


@pytest.mark.parametrize("look_up", [lambda: socket.getaddrinfo(NAME, 443), lambda: socket.gethostbyname(NAME)])
def test_a_name_of_another_machine_is_not_looked_up(look_up: object) -> None:
    with pytest.raises(socket.gaierror, match="tests reach nothing but this machine"):
        look_up()  # type: ignore[operator]


def test_a_library_sees_a_machine_without_a_network() -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.URLError, match="tests reach nothing but this machine"):
        opener.open(f"https://{NAME}/", timeout=1)


def test_a_child_process_is_guarded_too() -> None:
    code = f"import socket; socket.create_connection(({ADDRESS!r}, 443), 1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "tests reach nothing but this machine" in done.stderr


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "localhost")])
def test_this_machine_can_be_reached(family: int, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0), family=family) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=10).close()


def test_unix_sockets_are_open() -> None:
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        left.sendmsg([b"hello"])
        assert right.recv(5) == b"hello"
