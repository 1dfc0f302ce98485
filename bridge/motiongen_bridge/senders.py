"""Senders: other protocols that receive a copy of a stream's frames. One registry maps a URL's scheme to a sender.

A sender is added by a class that has the methods of FrameSender, and a line in SENDERS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from motiongen import registry
from motiongen_bridge.datagrams import parse_address

if TYPE_CHECKING:
    import numpy as np


class FrameSender(Protocol):
    """Sends poses of SMPL-22 to one receiver."""

    @property
    def lost(self) -> int:
        """Poses or parts of them that could not be sent."""
        ...

    @property
    def max_characters(self) -> int:
        """How many characters it sends at most: the first that come."""
        ...

    def send(self, rotations: "np.ndarray", root: "np.ndarray", time: float, character: int = 0) -> None:
        """Send a pose. Never blocks, and never raises because of the network: it counts `lost` instead.

        Args:
            rotations: (22, 4) local rotations, xyzw.
            root: (3,) position of the pelvis, metres.
            time: seconds since the stream began.
            character: number below `max_characters`, by which the receiver tells characters apart; a character keeps
                it, and another gets it when that one is gone.

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
        port: UDP or TCP port where a URL says none.
        make: makes a sender from a host and a port; raises ValueError where the host is unknown.
    """

    summary: str
    port: int
    make: Callable[[str, int], FrameSender]


def _make_vmc(host: str, port: int) -> FrameSender:
    from motiongen_bridge.vmc import VMCSender

    return VMCSender(host, port)


def _make_livelink(host: str, port: int) -> FrameSender:
    from motiongen_bridge.livelink import LiveLinkSender

    return LiveLinkSender(host, port)


def _make_rokoko(host: str, port: int) -> FrameSender:
    from motiongen_bridge.rokoko import RokokoSender

    return RokokoSender(host, port)


def _make_osc(host: str, port: int) -> FrameSender:
    from motiongen_bridge.osc import OscSender

    return OscSender(host, port)


SENDERS: dict[str, SenderSpec] = {
    "vmc": SenderSpec(
        summary="VSeeFace, Unity and Unreal plugins; one character", port=39539, make=_make_vmc
    ),
    "livelink": SenderSpec(summary="Unreal's Live Link by JSONLiveLink", port=54321, make=_make_livelink),
    "rokoko": SenderSpec(summary="Rokoko Studio's plugins, JSON v3", port=14043, make=_make_rokoko),
    "osc": SenderSpec(summary="TouchDesigner, Max, Processing", port=9000, make=_make_osc),
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
    host, port = parse_address(name, address, spec.port)
    try:
        return spec.make(host, port)
    except ValueError as error:  # several receivers may be asked for, and the server has a host, too
        raise ValueError(f"send: {url}: {error}") from None
