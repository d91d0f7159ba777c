"""Counts wrong tokens per address, and decides when the next one may be tried."""

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_REMEMBERED = 10_000
GOOD_SECONDS = 3600.0
TELL_SECONDS = 60.0


@dataclass(slots=True)
class _Address:
    left: float
    at: float
    told_at: float | None = None
    untold: int = 0


@dataclass(slots=True)
class TokenAttempts:
    """A bucket of tries per address that refills evenly; the caller supplies the time in seconds.

    A sender that showed a valid token within the last hour is not slowed down, because many people may share
    one address.
    """

    per_minute: int
    _addresses: OrderedDict[str, _Address] = field(default_factory=OrderedDict)
    _good: OrderedDict[bytes, float] = field(default_factory=OrderedDict)

    def wait(self, address: str, token: bytes, now: float) -> float:
        """Seconds until a token with this hash may be tried from this address; 0 means now."""
        good_at = self._good.get(token)
        if good_at is not None and now - good_at < GOOD_SECONDS:
            return 0.0
        left = self._filled(address, now).left if address in self._addresses else self.per_minute
        return 0.0 if left >= 1 else (1 - left) * 60 / self.per_minute

    def wrong(self, address: str, now: float) -> int:
        """Count a wrong token; returns how many there were since the last report, 0 to report nothing."""
        known = self._filled(address, now)
        known.left = max(0.0, known.left - 1)
        known.untold += 1
        if known.told_at is not None and now - known.told_at < TELL_SECONDS:
            return 0
        known.told_at, count, known.untold = now, known.untold, 0
        return count

    def good(self, token: bytes, now: float) -> None:
        """Remember a token that was valid."""
        self._good[token] = now
        self._good.move_to_end(token)
        if len(self._good) > MOST_REMEMBERED:
            self._good.popitem(last=False)

    def _filled(self, address: str, now: float) -> _Address:
        known = self._addresses.setdefault(address, _Address(self.per_minute, now))
        self._addresses.move_to_end(address)
        if len(self._addresses) > MOST_REMEMBERED:
            self._addresses.popitem(last=False)
        known.left = min(self.per_minute, known.left + (now - known.at) * self.per_minute / 60)
        known.at = now
        return known
