"""How many requests a token may send: a bucket of requests per token, which refills evenly."""

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_TRACKED = 10_000
"""Of the tokens that were used last; one that is forgotten begins with a full bucket."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request is let through, and what its sender may do next."""

    is_allowed: bool
    remaining: int
    seconds_to_wait: float
    """Until one more request is let through; 0 while there are some left."""


@dataclass(slots=True)
class RateLimits:
    """Pure: the caller supplies the time in seconds."""

    per_second: int
    burst: int
    _buckets: "OrderedDict[bytes, tuple[float, float]]" = field(default_factory=OrderedDict)
    """By token: what was left, and when."""

    def take(self, token: bytes, now: float) -> Allowance:
        """Count one request of the token; one that is refused is not counted."""
        left, at = self._buckets.get(token, (float(self.burst), now))
        left = min(float(self.burst), left + max(0.0, now - at) * self.per_second)
        is_allowed = left >= 1
        left -= is_allowed
        self._buckets[token] = (left, now)
        self._buckets.move_to_end(token)
        if len(self._buckets) > MAX_TRACKED:
            self._buckets.popitem(last=False)
        return Allowance(is_allowed, int(left), max(0.0, 1 - left) / self.per_second)
