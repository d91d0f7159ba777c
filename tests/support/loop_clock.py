"""The clock of the running event loop, which a test may put forward; it ends with the test's loop."""

import asyncio


class LoopClock:
    """Takes the place of the loop's own clock, so it must be there before somebody keeps that one."""

    def __init__(self) -> None:
        self.ahead = 0.0
        loop = asyncio.get_running_loop()
        self._real = loop.time
        loop.time = self._now  # type: ignore[method-assign]

    def put_forward(self, seconds: float) -> None:
        self.ahead += seconds

    def _now(self) -> float:
        return self._real() + self.ahead
