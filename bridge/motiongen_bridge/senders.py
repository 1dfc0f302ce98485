"""Senders: other protocols that receive a copy of a stream's frames. One registry maps a URL's scheme to a sender.

A sender is added by a class that has the methods of FrameSender, and a line in SENDERS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from motiongen import registry

if TYPE_CHECKING:
    import numpy as np


class FrameSender(Protocol):
    """Sends poses of SMPL-22 to one receiver.

    Attributes:
        lost: poses or parts of them that could not be sent.
    """

    lost: int

    def send(self, rotations: "np.ndarray", root: "np.ndarray", time: float) -> None:
        """Send a pose. Never blocks, and never raises because of the network: it counts `lost` instead.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began.

        Raises:
            ValueError: the pose is of another skeleton.
        """
        ...

    def close(self) -> None:
        """Send no more; may be called twice."""
        ...


@dataclass(frozen=True, kw_only=True)
class SenderSpec:
    """An entry of the registry.

    Attributes:
        summary: its receivers, for help texts.
        parse_address: returns the host and the port of ``HOST:PORT`` or ``HOST``; raises ValueError for others.
        make: makes a sender from a host and a port; raises ValueError where the host is unknown.
    """

    summary: str
    parse_address: Callable[[str], tuple[str, int]]
    make: Callable[[str, int], FrameSender]


def _parse_vmc(address: str) -> tuple[str, int]:
    from motiongen_bridge.vmc import parse_address

    return parse_address(address)


def _make_vmc(host: str, port: int) -> FrameSender:
    from motiongen_bridge.vmc import VMCSender

    return VMCSender(host, port)


SENDERS: dict[str, SenderSpec] = {
    "vmc": SenderSpec(summary="VSeeFace, Unity and Unreal plugins", parse_address=_parse_vmc, make=_make_vmc),
}
"""URL scheme -> sender."""


def lookup(name: str) -> SenderSpec:
    """Return the entry of a sender.

    Args:
        name: scheme of its URLs.

    Raises:
        ValueError: the name is unknown; lists the names.
    """
    return registry.lookup("sender", SENDERS, name)


def make_sender(url: str) -> FrameSender:
    """Return a sender to the receiver at a URL.

    Args:
        url: ``NAME://HOST:PORT``; the port may be left out.

    Raises:
        ValueError: the name or the host is unknown, or it is no such URL.
    """
    name, separator, address = url.partition("://")
    if not separator:
        raise ValueError(f"send: expected NAME://HOST:PORT with one of {', '.join(SENDERS)}, got {url!r}")
    spec = lookup(name)
    return spec.make(*spec.parse_address(address))
