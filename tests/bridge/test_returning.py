"""Who comes back says in the address where its characters live."""

import pytest

from motiongen_bridge.handshake import returning_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://here:8787/ws", "ws://here:8787/ws?at=0a03"),
        ("wss://here/ws?token=a+secret%26", "wss://here/ws?token=a+secret%26&at=0a03"),
        ("ws://[::1]:1/ws?at=0000&token=x", "ws://[::1]:1/ws?token=x&at=0a03"),
    ],
)
def test_the_address_keeps_what_it_had(url, expected):
    assert returning_url(url, "0a03" + 28 * "f") == expected
