"""What a process needs to go on with another's client."""

import pytest
from websockets.frames import Frame, Opcode

from motiongen_bridge.parcels import MAX_PARCEL, Parcel, Received, frame_of, frame_size
from motiongen_bridge.places import Place, place_of, wanted_place

REQUEST = b"GET /ws HTTP/1.1\r\nHost: here\r\n\r\n"


def test_a_parcel_comes_out_as_it_went_in():
    for parcel in (Parcel("", b"GET"), Parcel("a" * 32, REQUEST, bytes(range(256)))):
        assert Parcel.decode(parcel.encode()) == parcel


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_the_size_of_a_frame_is_known_from_its_head(length):
    data = frame_of(b"x" * length)
    assert frame_size(data) == len(data) == frame_size(data + b"more")
    assert frame_size(data[:1]) is None


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_what_is_left_is_the_frame_that_has_not_come_wholly(chunk):
    whole = frame_of("a" * 10) + Frame(Opcode.PING, b"").serialize(mask=True) + frame_of(b"b" * 300)
    part = frame_of("c" * 200)[:50]
    received, data = Received(), REQUEST + whole + part
    for start in range(0, len(data), chunk):
        received.feed(data[start : start + chunk])
    assert bytes(received.request) == REQUEST and bytes(received.unread) == part


def test_a_frame_that_fits_into_no_parcel_is_not_kept_and_not_handed_over():
    received = Received()
    received.feed(REQUEST + b"\x82\xff" + (2**60).to_bytes(8, "big"))
    for _ in range(100):
        received.feed(bytes(2**16))
    assert MAX_PARCEL < len(received.unread) < 2 * MAX_PARCEL
    assert len(Parcel("", bytes(received.request), bytes(received.unread)).encode()) > MAX_PARCEL


def test_a_key_tells_its_place():
    place = Place(10, 3)
    key = place.new_key()
    assert len(key) == 32 and key.startswith("0a03") and place_of(key) == place
    assert place.new_key() != key
    assert wanted_place(f"/ws?token=x&at={key[:4]}") == wanted_place(f"/motion/{key}.glb") == place
    for target in ("/ws", "/ws?at=", "/ws?at=xyz1", "/motion/none.glb", "//[?at=0a03", "/motion/"):
        assert wanted_place(target) is None
