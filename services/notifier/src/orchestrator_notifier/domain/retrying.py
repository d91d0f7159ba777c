"""Whether to retry a failed mail or to give up."""

from dataclasses import dataclass

MIN_TRIES = 6
"""Tries before giving up, however old a delivery is: we may have been away."""
_NOT_ABOUT_THE_RECIPIENT = frozenset({500, 502, 503, 530, 534, 535, 538})
"""Protocol and authentication errors: an administrator can fix these."""


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How long to try sending, in seconds."""

    first: float
    most: float
    give_up_after: float


def is_permanent(code: int) -> bool:
    """Whether an SMTP reply about a recipient or message is final."""
    return 500 <= code < 600 and code not in _NOT_ABOUT_THE_RECIPIENT


def next_delay(rules: RetryRules, *, attempts: int, age: float, jitter: float) -> float | None:
    """Seconds until the next try after this many; None to give up. `jitter` is between 0 and 1."""
    if age >= rules.give_up_after and attempts >= MIN_TRIES:
        return None
    doubled = rules.first * 2.0 ** min(attempts - 1, 30)
    return min(doubled, rules.most) * (0.75 + 0.25 * jitter)
