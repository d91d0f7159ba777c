"""The replica's lease as the keeper sees it: a moment on a clock that both sides share."""

import time


def boottime() -> float:
    """Seconds since boot, including suspension; the same in every process on the host."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Held until a certain moment; not held before the first renewal."""

    def __init__(self) -> None:
        self._until = 0.0

    def renew(self, until: float) -> None:
        """Extend the lease; a late, older renewal never shortens it."""
        self._until = max(self._until, until)

    def remaining(self) -> float:
        """Seconds left; zero or less once it has run out."""
        return self._until - boottime()

    @property
    def is_held(self) -> bool:
        """Whether tasks may run."""
        return self.remaining() > 0
