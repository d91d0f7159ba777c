"""All open streams of this replica: how many there may be, whose tokens are still good, and how they end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from orchestrator_api.access.standing import Bearing
from orchestrator_api.events.metrics import STREAMS_OPEN, STREAMS_REFUSED
from orchestrator_api.events.viewers import Viewer
from orchestrator_api.http.refusals import TooMany
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.settings import variable

MOST_UNCHECKED_SECONDS = 30.0
RETRY_AFTER_SECONDS = 30.0

StillGood = Callable[[Collection[Bearing]], Awaitable[set[Bearing]]]


class OpenStreams:
    """Counts streams by token, and ends those whose token has ended."""

    def __init__(
        self, *, most: int, most_per_token: int, still_good: StillGood, clock: Callable[[], float]
    ) -> None:
        self._most = most
        self._most_per_token = most_per_token
        self._still_good = still_good
        self._clock = clock
        self._checked_at = clock()
        self._viewers: set[Viewer] = set()
        self._by_token: Counter[UUID] = Counter()
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._viewers)

    def enter(self, viewer: Viewer) -> None:
        """Count a new stream, or refuse it."""
        if self._is_stopping:
            raise Unavailable("the api is stopping")
        if self._by_token[viewer.holder.token_id] >= self._most_per_token:
            raise _too_many("token", f"{self._most_per_token} streams of your token", "streams_max_per_token")
        if len(self._viewers) >= self._most:
            raise _too_many("all", f"{self._most} streams", "streams_max")
        if not self._viewers:
            self._checked_at = self._clock()
        self._viewers.add(viewer)
        self._by_token[viewer.holder.token_id] += 1
        STREAMS_OPEN.labels(viewer.kind).inc()

    def leave(self, viewer: Viewer) -> None:
        """A stream has ended; leaving twice is leaving once."""
        if viewer in self._viewers:
            self._viewers.discard(viewer)
            self._by_token -= Counter([viewer.holder.token_id])  # drops what is zero
            STREAMS_OPEN.labels(viewer.kind).dec()

    async def check(self) -> None:
        """One look at the tokens of all streams. What cannot be checked for long is closed, too."""
        if not self._viewers:
            self._checked_at = self._clock()
            return
        asked = list(self._viewers)  # not those that enter meanwhile, of which nothing is known
        try:
            good = await self._still_good({viewer.holder.bearing for viewer in asked})
        except Unavailable:
            if self._clock() - self._checked_at > MOST_UNCHECKED_SECONDS:
                self._close(list(self._viewers))
            raise
        self._checked_at = self._clock()
        self._close([viewer for viewer in asked if viewer.holder.bearing not in good])

    async def close_at(self, stopping: asyncio.Event) -> None:
        """Close every stream when the service stops."""
        await stopping.wait()
        self._is_stopping = True
        self._close(list(self._viewers))

    def _close(self, viewers: Collection[Viewer]) -> None:
        for viewer in viewers:
            viewer.close()


def _too_many(limit: str, what: str, setting: str) -> TooMany:
    STREAMS_REFUSED.labels(limit).inc()
    way_out = f"close some, or ask the operator to raise {variable(setting)}"
    return TooMany(f"{what} are open, which is the limit; {way_out}", retry_after=RETRY_AFTER_SECONDS)
