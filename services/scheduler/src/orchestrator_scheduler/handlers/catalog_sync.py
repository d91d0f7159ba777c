"""Follows the catalog: hints about changed schedules, and a slow scan for lost hints."""

import time
from collections.abc import Mapping

from orchestrator_scheduler import metrics
from orchestrator_scheduler.adapters.store import ScheduleStore
from orchestrator_scheduler.handlers.firing import Firing
from orchestrator_shared.contracts.events import ScheduleChanged
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.database.pool import Connections
from orchestrator_shared.domain.ids import ScheduleId
from orchestrator_shared.messaging.consumer import Delivery, Handler
from orchestrator_shared.runtime.periodic import isolate


class CatalogSync:
    """Every replica does this; doing it twice is harmless."""

    def __init__(self, *, connections: Connections, firing: Firing) -> None:
        self._connections = connections
        self._firing = firing

    async def schedule_changed(self, delivery: Delivery) -> None:
        message = delivery.message
        assert isinstance(message, ScheduleChanged)
        await self._firing.sync(ScheduleId(message.schedule_id))

    def by_message(self) -> Mapping[type[Message], Handler]:
        return {ScheduleChanged: self.schedule_changed}

    async def scan(self) -> None:
        """Sync the schedules whose change was missed. One that fails does not hold up the others."""
        started = time.perf_counter()
        async with self._connections() as connection:
            stale = await ScheduleStore(connection).stale()
        for schedule_id in stale:
            await isolate(self._firing.sync(schedule_id), kind="schedule", item=str(schedule_id))
        metrics.SCAN_SECONDS.observe(time.perf_counter() - started)
