"""What a loop says of a server that does not answer: at once, now and then, and when it is over."""

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

REMIND_SECONDS = 30.0
MOST_REASONS = 10


class Outage:
    """Counts the failures of one loop, so that a long outage does not fill the log."""

    def __init__(self, what: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._now = now
        self._began: float | None = None
        self._told_at = 0.0
        self._reasons: set[str] = set()
        self.tries = 0

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return 0.0 if self._began is None else round(self._now() - self._began, 1)

    def is_news(self, reason: str) -> bool:
        """Count a failure; whether to tell of it: if its reason is new, else once every half minute."""
        now = self._now()
        self.tries += 1
        if self._began is None:
            self._began = now
        is_new = reason not in self._reasons and len(self._reasons) < MOST_REASONS
        if not is_new and now - self._told_at < REMIND_SECONDS:
            return False
        if is_new:
            self._reasons.add(reason)
        self._told_at = now
        return True

    def end(self) -> None:
        """It works; where it did not before, say so."""
        if self._began is not None:
            log.info("outage.over", what=self._what, seconds=self.seconds, tries=self.tries)
        self.forget()

    def forget(self) -> None:
        """It works, and somebody else says so."""
        self._began, self.tries = None, 0
        self._reasons.clear()
