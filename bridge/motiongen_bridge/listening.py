"""The sockets that a server listens on, bound before anything costly is done: a port that is taken is known at once."""

import contextlib
import errno
import os
import socket
from collections.abc import Sequence


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a bound socket for each address of a host; none of them listens yet, so that nobody can connect.

    Args:
        host: name or address; empty for every address.
        port: TCP port; 0 for any that is free.

    Raises:
        OSError: the port is taken, or the host is no address of this machine.
    """
    shown = in_url(host, port)
    with contextlib.ExitStack() as undo:
        try:
            sockets = [undo.enter_context(_bind(*address)) for address in _addresses(host, port)]
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise OSError(
                    f"port: expected a free one, got {shown}, where another program listens; give another port"
                ) from None
            if error.errno == errno.EACCES:
                raise OSError(
                    f"port: expected one that you may use, got {shown}; give 1024 or more"
                ) from None
            raise OSError(
                f"host: expected an address of this machine, got {shown} ({error.strerror}); give another"
            ) from None
        undo.pop_all()
    return sockets


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Return the port that bound sockets have."""
    assert sockets, "start it first"
    return int(sockets[0].getsockname()[1])


def in_url(host: str, port: int) -> str:
    """Return a host and a port as a URL writes them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _bind(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would share a port that is in use
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
    except BaseException:
        one.close()
        raise
    return one
