"""Lanes: finding, locking and promoting (docs/explanation/lanes.md)."""

from collections.abc import Iterable

import asyncpg

from orchestrator_shared.database.queries import Queries

LaneKey = tuple[str, str, str]
"""Project, component, configuration."""


class Lanes:
    """Caches lane ids: lane rows are never deleted."""

    def __init__(self) -> None:
        self._queries = Queries.load("orchestrator_runner.queue", "lanes.sql")
        self._known: dict[LaneKey, int] = {}

    async def ensure(self, connection: asyncpg.Connection, keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
        """Return the ids of these lanes, creating the missing ones.

        Call it outside a transaction that holds lane locks: inserting a lane locks it too, out of order.
        """
        wanted = set(keys)
        missing = sorted(wanted - self._known.keys())
        if missing:
            columns = [list(column) for column in zip(*missing, strict=True)]
            await connection.execute(self._queries["ensure_lanes"], *columns)
            for row in await connection.fetch(self._queries["find_lanes"], *columns):
                self._known[row["project"], row["component"], row["configuration"]] = row["id"]
        return {key: self._known[key] for key in wanted}

    async def lock(self, connection: asyncpg.Connection, lanes: Iterable[int]) -> None:
        """Lock these lanes in id order; read what they guard in a later statement."""
        await connection.execute(self._queries["lock_lanes"], sorted(set(lanes)))

    async def take_number(self, connection: asyncpg.Connection, lane: int) -> int:
        """Take the next sequence number of a locked lane."""
        number: int = await connection.fetchval(self._queries["take_number"], lane)
        return number

    async def promote(self, connection: asyncpg.Connection, lanes: Iterable[int]) -> list[asyncpg.Record]:
        """Make the earliest due waiting job of each locked, free lane ready."""
        return await connection.fetch(self._queries["promote"], sorted(set(lanes)))

    async def with_due_jobs(self, connection: asyncpg.Connection) -> list[int]:
        """Free lanes with a job whose delay between attempts is over."""
        return [row["lane_id"] for row in await connection.fetch(self._queries["lanes_with_due_jobs"])]
