"""How much a client may ask for."""

import pytest

from motiongen_bridge.limits import ServerLimits, TokenBucket


def taken(bucket, now, tries=10):
    return sum(bucket.take(now) for _ in range(tries))


def test_a_bucket_allows_its_burst_at_once_and_no_more():
    assert taken(TokenBucket(rate=2, burst=3, now=100.0), 100.0) == 3


def test_a_bucket_fills_at_its_rate():
    bucket = TokenBucket(rate=2, burst=3, now=0.0)
    assert taken(bucket, 0.0) == 3
    # 0.25 s give half a thing, 0.5 s a whole one, another 1 s two.
    assert [taken(bucket, now) for now in (0.25, 0.5, 1.5)] == [0, 1, 2]


def test_a_bucket_holds_its_burst_however_long_it_waits():
    bucket = TokenBucket(rate=2, burst=3, now=0.0)
    assert taken(bucket, 0.0) == 3 and taken(bucket, 1e6) == 3


def test_refused_tries_cost_nothing():
    bucket = TokenBucket(rate=1, burst=1, now=0.0)
    assert taken(bucket, 0.0, tries=1000) == 1 and bucket.take(1.0)


def test_many_things_at_once_are_taken_all_or_not_at_all():
    bucket = TokenBucket(rate=1, burst=10, now=0.0)
    assert [bucket.take(0.0, count) for count in (7, 4, 3, 1, 0)] == [True, False, True, False, True]


def test_a_bucket_is_calm_while_it_is_half_full():
    bucket = TokenBucket(rate=1, burst=10, now=0.0)
    assert bucket.take(0.0, 5) and bucket.is_calm
    assert bucket.take(0.0) and not bucket.is_calm
    assert bucket.take(2.0) and bucket.is_calm


def test_a_bucket_keeps_its_rate_over_many_small_steps():
    bucket = TokenBucket(rate=30, burst=60, now=0.0)
    allowed = sum(bucket.take(step / 256) for step in range(2561))  # 256 a second for 10 s
    assert allowed == 60 + 300


@pytest.mark.parametrize("value", [0, -1, float("nan")])
@pytest.mark.parametrize("name", ["message_bytes", "messages_per_second", "connections", "stalled_seconds"])
def test_limits_that_are_not_more_than_nothing_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name}: expected more than 0, got {value}; leave it out"):
        ServerLimits(**{name: value})
