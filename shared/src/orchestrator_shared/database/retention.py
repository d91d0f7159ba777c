"""Deletes what is past its retention, in batches small enough not to disturb anyone."""

import asyncio
from collections.abc import Callable, Mapping

from orchestrator_shared.database.pool import Connections
from orchestrator_shared.database.queries import Queries

Count = Callable[[str, int], object]
"""Called after each batch with the query's name and the number of rows it deleted."""

PAUSE_SECONDS = 0.2


class Retention:
    """Each query of the plan deletes one batch: its parameters are the plan's and `$batch`, its size."""

    def __init__(
        self,
        connections: Connections,
        queries: Queries,
        plan: Mapping[str, Mapping[str, object]],
        *,
        batch: int,
        pause: float = PAUSE_SECONDS,
        count: Count | None = None,
    ) -> None:
        self._connections = connections
        self._statements = {
            name: (queries[name], queries.arguments(name, {**limits, "batch": batch}))
            for name, limits in plan.items()
        }
        self._batch = batch
        self._pause = pause
        self._count = count

    async def once(self) -> dict[str, int]:
        """Delete everything that is too old now; returns the number of rows by query."""
        return {name: await self._all(name) for name in self._statements}

    async def _all(self, name: str) -> int:
        total = deleted = await self._one_batch(name)
        while deleted >= self._batch:  # more than that where rows take others with them
            await asyncio.sleep(self._pause)
            deleted = await self._one_batch(name)
            total += deleted
        return total

    async def _one_batch(self, name: str) -> int:
        sql, values = self._statements[name]
        async with self._connections() as connection:
            status: str = await connection.execute(sql, *values)
        deleted = int(status.rpartition(" ")[2])
        if self._count is not None:
            self._count(name, deleted)
        return deleted
