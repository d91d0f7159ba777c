"""CatalogSync the catalog: hints about schedules, and the slow scan for hints that got lost."""

import time
from collections.abc import Mapping

from orchestrator_scheduler import metrics
from orchestrator_scheduler.adapters.schedule_store import ScheduleStore
from orchestrator_scheduler.handlers.firing import Firing
from orchestrator_shared.contracts.events import ScheduleChanged
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.database.pool import Connections
from orchestrator_shared.domain.ids import ScheduleId
from orchestrator_shared.messaging.consumer import Delivery, Handler
from orchestrator_shared.runtime.periodic import isolate


class CatalogSync:
    """Every replica does this; doing it twice does no harm."""

    def __init__(self, *, connections: Connections, schedules: ScheduleStore, firing: Firing) -> None:
        self._connections = connections
        self._schedules = schedules
        self._firing = firing

    async def schedule_changed(self, delivery: Delivery) -> None:
        message = delivery.message
        assert isinstance(message, ScheduleChanged)
        await self._firing.sync(ScheduleId(message.schedule_id))

    def by_message(self) -> Mapping[type[Message], Handler]:
        return {ScheduleChanged: self.schedule_changed}

    async def scan(self) -> None:
        """Schedules whose change was not heard of. One that cannot be handled does not hold up the others."""
        started = time.perf_counter()
        async with self._connections() as connection:
            stale = await self._schedules.stale(connection)
        for schedule_id in stale:
            await isolate(self._firing.sync(schedule_id), kind="schedule", item=str(schedule_id))
        metrics.SCAN_SECONDS.observe(time.perf_counter() - started)
