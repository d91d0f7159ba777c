"""What a failed try to send means: wait, or give up."""

from dataclasses import dataclass

MIN_TRIES = 6
"""Before giving up, however old a delivery is: it may have waited for us."""
_NOT_ABOUT_THE_RECIPIENT = frozenset({500, 502, 503, 530, 534, 535, 538})
"""Protocol and authentication: mended by whoever runs the server or these settings."""


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How long sending is tried; seconds."""

    first: float
    most: float
    give_up_after: float


def is_permanent(code: int) -> bool:
    """Whether an SMTP answer about a recipient or a message will be the same for ever."""
    return 500 <= code < 600 and code not in _NOT_ABOUT_THE_RECIPIENT


def next_delay(rules: RetryRules, *, attempts: int, age: float, jitter: float) -> float | None:
    """Seconds until the next try after this many; None to give up. `jitter` is between 0 and 1."""
    if age >= rules.give_up_after and attempts >= MIN_TRIES:
        return None
    doubled = rules.first * 2.0 ** min(attempts - 1, 30)
    return min(doubled, rules.most) * (0.75 + 0.25 * jitter)
