"""Logs an outage when it begins, every half minute while it lasts, and when it is over."""

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

REMIND_SECONDS = 30.0
MOST_REASONS = 10


class OutageLog:
    """Counts the failures of one loop, so that a long outage does not fill the log."""

    def __init__(self, what: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._now = now
        self._began: float | None = None
        self._logged_at = 0.0
        self._reasons: set[str] = set()
        self.tries = 0

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return 0.0 if self._began is None else round(self._now() - self._began, 1)

    def is_news(self, reason: str) -> bool:
        """Count a failure; whether to log it: if its reason is new, else once every half minute."""
        now = self._now()
        self.tries += 1
        if self._began is None:
            self._began = now
        is_new = reason not in self._reasons and len(self._reasons) < MOST_REASONS
        if not is_new and now - self._logged_at < REMIND_SECONDS:
            return False
        if is_new:
            self._reasons.add(reason)
        self._logged_at = now
        return True

    def waiting(self, reason: str) -> None:
        """Count a failure, and log it if it is news."""
        if self.is_news(reason):
            log.warning("outage.waiting", what=self._what, reason=reason)

    def end(self) -> None:
        """It works; log that if it did not before."""
        if self._began is not None:
            log.info("outage.over", what=self._what, seconds=self.seconds, tries=self.tries)
        self.reset()

    def reset(self) -> None:
        """It works, and the caller logs that itself."""
        self._began, self.tries = None, 0
        self._reasons.clear()
