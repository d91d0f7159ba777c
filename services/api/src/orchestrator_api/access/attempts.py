"""Counts invalid tokens per address, and decides when the next one may be tried."""

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_TRACKED = 10_000
TRUST_SECONDS = 3600.0
REPORT_SECONDS = 60.0


@dataclass(slots=True)
class _Address:
    remaining: float
    refilled_at: float
    reported_at: float | None = None
    unreported: int = 0


@dataclass(slots=True)
class TokenAttempts:
    """A bucket of tries per address that refills evenly; the caller supplies the time in seconds.

    A sender that showed a valid token within the last hour is not slowed down, because many people may share
    one address.
    """

    per_minute: int
    _addresses: OrderedDict[str, _Address] = field(default_factory=OrderedDict)
    _trusted: OrderedDict[bytes, float] = field(default_factory=OrderedDict)

    def seconds_to_wait(self, address: str, token: bytes, now: float) -> float:
        """Seconds until a token with this hash may be tried from this address; 0 means now."""
        trusted_at = self._trusted.get(token)
        if trusted_at is not None and now - trusted_at < TRUST_SECONDS:
            return 0.0
        remaining = self._refilled(address, now).remaining if address in self._addresses else self.per_minute
        return 0.0 if remaining >= 1 else (1 - remaining) * 60 / self.per_minute

    def record_failure(self, address: str, now: float) -> int:
        """Count an invalid token; returns how many to report now: 0 within a minute of the last report."""
        known = self._refilled(address, now)
        known.remaining = max(0.0, known.remaining - 1)
        known.unreported += 1
        if known.reported_at is not None and now - known.reported_at < REPORT_SECONDS:
            return 0
        known.reported_at, count, known.unreported = now, known.unreported, 0
        return count

    def record_success(self, token: bytes, now: float) -> None:
        """Remember a token that was valid."""
        self._trusted[token] = now
        self._trusted.move_to_end(token)
        if len(self._trusted) > MAX_TRACKED:
            self._trusted.popitem(last=False)

    def _refilled(self, address: str, now: float) -> _Address:
        known = self._addresses.setdefault(address, _Address(self.per_minute, now))
        self._addresses.move_to_end(address)
        if len(self._addresses) > MAX_TRACKED:
            self._addresses.popitem(last=False)
        known.remaining = min(
            self.per_minute, known.remaining + (now - known.refilled_at) * self.per_minute / 60
        )
        known.refilled_at = now
        return known
