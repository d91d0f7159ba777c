"""When sending is tried again, and when it is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_notifier.domain.retrying import MIN_TRIES, RetryRules, is_permanent, next_delay

RULES = RetryRules(first=10, most=300, give_up_after=86_400)


def test_delays_double_up_to_the_most() -> None:
    delays = [next_delay(RULES, attempts=n, age=0, jitter=1) for n in range(1, 9)]
    assert delays == [10, 20, 40, 80, 160, 300, 300, 300]


@given(st.integers(1, 10_000), st.floats(0, 1e9), st.floats(0, 1))
def test_delays_stay_within_bounds(attempts: int, age: float, jitter: float) -> None:
    delay = next_delay(RULES, attempts=attempts, age=age, jitter=jitter)
    if age >= RULES.give_up_after and attempts >= MIN_TRIES:
        assert delay is None
    else:
        assert delay is not None
        assert 7.5 <= delay <= 300


def test_a_delivery_that_waited_for_us_gets_its_tries() -> None:
    assert next_delay(RULES, attempts=MIN_TRIES - 1, age=10 * 86_400, jitter=0) is not None
    assert next_delay(RULES, attempts=MIN_TRIES, age=86_400, jitter=0) is None


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        (250, False),
        (421, False),
        (450, False),
        (452, False),
        (501, True),
        (530, False),
        (535, False),
        (550, True),
        (552, True),
        (553, True),
        (554, True),
        (503, False),
    ],
)
def test_which_answers_are_for_ever(code: int, permanent: bool) -> None:
    assert is_permanent(code) is permanent
