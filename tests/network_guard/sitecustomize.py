"""Refuse every network address but this machine's own, as a machine without a network does.

The test session imports this module. Python processes that a test starts import it by themselves, because this folder
is on their PYTHONPATH and `sitecustomize` is the module that Python imports first. An audit hook sees each connection
and name lookup, whichever library makes it, and cannot be removed. Only the names that sockets look up by themselves
escape it, so the methods that do so are wrapped.
"""

from __future__ import annotations

import errno
import functools
import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import Any

_OWN_NAMES = {"", "localhost", socket.gethostname().lower()}
_MESSAGE = "tests reach nothing but this machine"


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        connection, address = arguments
        is_internet = connection.family in (socket.AF_INET, socket.AF_INET6)
        if is_internet and address is not None and not _is_own(address[0]):
            raise OSError(errno.ENETUNREACH, f"Network is unreachable: {_MESSAGE}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _check_name(arguments[0])


def _check_name(host: str | bytes | None) -> None:
    if not _is_number(host) and not _is_own(host):
        raise socket.gaierror(socket.EAI_AGAIN, f"Temporary failure in name resolution: {_MESSAGE}")


def _checking_names(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of sockets, whose last argument is an address, that looks up none but this machine's names."""

    @functools.wraps(method)
    def checked(connection: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1] if arguments else None
        if isinstance(address, tuple) and isinstance(address[0], (str, bytes)):
            _check_name(address[0])
        return method(connection, *arguments)

    return checked


def _is_own(host: str | bytes | None) -> bool:
    """Tell whether a host is this machine: a loopback address, any address, or a name of its own."""
    name = _text(host)
    if not _is_number(name):
        return name.lower() in _OWN_NAMES
    address = ipaddress.ip_address(name)
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _is_number(host: str | bytes | None) -> bool:
    """Tell whether a host is an address, which needs no lookup."""
    try:
        ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    return True


def _text(host: str | bytes | None) -> str:
    name = host.decode(errors="replace") if isinstance(host, bytes) else host or ""
    return name.partition("%")[0]  # without the zone of an IPv6 address


sys.addaudithook(_check)
for _name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, _name, _checking_names(getattr(socket.socket, _name)))
