"""The replica's lease as the keeper sees it: one instant on a clock that both sides share."""

import time


def boottime() -> float:
    """Seconds since boot, suspension included; the same in every process of the host."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Held until an instant; there is none before the first renewal."""

    def __init__(self) -> None:
        self._until = 0.0

    def renew(self, until: float) -> None:
        """A late, older renewal never shortens the lease."""
        self._until = max(self._until, until)

    def remaining(self) -> float:
        """Seconds left, zero or less when it has run out."""
        return self._until - boottime()

    @property
    def is_held(self) -> bool:
        """Whether tasks may run."""
        return self.remaining() > 0
