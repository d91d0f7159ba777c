"""Decides how long to wait before the next request, and when to give up."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from orchestrator_runner.executors.http.answer import Again

MOST_SECONDS = 60.0
MOST_ASKED_SECONDS = 300.0
"""The longest wait that a service may ask for with Retry-After."""
MOST_REFUSALS = 5


class Failures:
    """Counts failed exchanges since the last success.

    The time to give up counts from the first failure, not from the last success: a service that is asked
    rarely may have worked in between.
    """

    def __init__(self, *, every: float, give_up_after: float) -> None:
        self._every = every
        self._give_up_after = give_up_after
        self._since: float | None = None
        self._count = 0
        self._refusals = 0

    def clear(self) -> None:
        """Forget the failures: an exchange succeeded."""
        self._since, self._count, self._refusals = None, 0, 0

    def next_delay(self, again: Again, now: float) -> float | None:
        """The wait before the next try; None to give up."""
        self._since = now if self._since is None else self._since
        self._count += 1
        self._refusals = self._refusals + 1 if again.is_refusal else 0
        if self._refusals >= MOST_REFUSALS:
            return None
        delay = min(self._every * 2.0 ** min(self._count - 1, 20), MOST_SECONDS)
        if again.retry_after is not None:
            delay = max(delay, min(again.retry_after, MOST_ASKED_SECONDS))
        return None if now + delay - self._since > self._give_up_after else delay


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds, from a number or a date; None if the value cannot be understood."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)
