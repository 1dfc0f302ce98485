"""The server's clock, from answers whose times are given."""

import time

import pytest

from motiongen_bridge.clock import KEPT, ServerClock


def test_the_offset_by_hand():
    clock = ServerClock()
    clock.add(
        sent=10.0, received=10.5, server_time=110.5
    )  # the server said so at 10.25, if both ways are alike
    assert (clock.offset, clock.round_trip) == (100.25, 0.5)


def test_the_quickest_answer_is_believed():
    clock = ServerClock()
    for trip, error in [(0.5, 0.2), (0.25, 0.1), (1.0, -0.4)]:
        clock.add(sent=0.0, received=trip, server_time=100 + trip / 2 + error)
    assert clock.offset == pytest.approx(100.1) and clock.round_trip == 0.25


@pytest.mark.parametrize("there", [0.0, 0.3, 0.5, 1.0])
def test_the_error_is_at_most_half_a_round_trip(there):
    clock = ServerClock()
    clock.add(
        sent=0.0, received=0.2, server_time=100 + 0.2 * there
    )  # share of the trip that was the way there
    assert abs(clock.offset - 100) <= 0.1 + 1e-12


def test_an_old_answer_is_forgotten_however_quick_it_was():
    clock = ServerClock()
    clock.add(sent=0.0, received=0.125, server_time=0.0)
    for n in range(KEPT):
        clock.add(sent=n, received=n + 0.5, server_time=n + 50.25)
    assert (clock.offset, clock.round_trip) == (50.0, 0.5)


def test_it_is_settled_after_eight_answers():
    clock = ServerClock()
    for _ in range(KEPT):
        assert not clock.is_settled
        clock.add(sent=0.0, received=0.1, server_time=0.0)
    assert clock.is_settled


def test_now_is_the_own_clock_and_the_offset():
    clock = ServerClock()
    began = time.monotonic()
    clock.add(sent=began, received=began, server_time=1000.0)
    assert 1000 <= clock.now() <= 1000 + time.monotonic() - began + 1e-6
