"""A bucket of requests per token, with a clock that the test holds."""

from orchestrator_api.http import rate_limits
from orchestrator_api.http.rate_limits import RateLimits

A, B = b"a", b"b"


def test_a_token_may_send_a_burst_and_then_as_many_as_refill() -> None:
    limits = RateLimits(per_second=2, burst=3)
    taken = [limits.take(A, 10.0) for _ in range(4)]
    assert [each.is_allowed for each in taken] == [True, True, True, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0]
    assert [each.seconds_to_wait for each in taken] == [0, 0, 0.5, 0.5]
    assert limits.take(B, 10.0).is_allowed
    assert not limits.take(A, 10.4).is_allowed
    assert limits.take(A, 10.5).is_allowed
    assert [limits.take(A, 100.0).remaining for _ in range(2)] == [2, 1]


def test_time_that_stands_still_or_goes_back_refills_nothing() -> None:
    limits = RateLimits(per_second=1000, burst=1)
    assert limits.take(A, 10.0).is_allowed
    assert not limits.take(A, 9.0).is_allowed


def test_memory_is_bounded_and_a_busy_token_is_not_forgotten() -> None:
    limits = RateLimits(per_second=1, burst=1)
    limits.take(A, 0.0)
    for number in range(3 * rate_limits.MAX_TRACKED):
        limits.take(number.to_bytes(4), 0.0)
        if number % 1000 == 0:
            assert not limits.take(A, 0.0).is_allowed
    assert len(limits._buckets) == rate_limits.MAX_TRACKED
