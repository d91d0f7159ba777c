"""Timers in the database: they outlive their replica, and any replica may look when one is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from orchestrator_notifier.domain.lateness import Watched
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.statuses import NotificationEvent

Timer = tuple[str, UUID]
"""The key, and the run to look at."""


class TimerStore:
    """Every method takes a connection: the caller decides what is one transaction."""

    def __init__(self, *, overlap_seconds: float) -> None:
        self._overlap = overlap_seconds
        self._queries = Queries.load("orchestrator_notifier.adapters", "timers.sql")

    async def runs_to_watch(self, connection: asyncpg.Connection) -> list[UUID]:
        """Runs that may be late for a subscriber."""
        rows = await connection.fetch(self._queries["runs_to_watch"], self._overlap)
        return [row["id"] for row in rows]

    async def watched(self, connection: asyncpg.Connection, runs: Sequence[UUID]) -> list[Watched]:
        """These runs, once for each subscription to their being late."""
        rows = await connection.fetch(self._queries["watched"], list(runs))
        return [_watched(row) for row in rows]

    async def set(self, connection: asyncpg.Connection, watched: Sequence[tuple[Watched, datetime]]) -> None:
        """Set or move the timers; those that went off are not set again."""
        await connection.execute(
            self._queries["set"],
            [each.key for each, _ in watched],
            [each.job_id for each, _ in watched],
            [each.subscription_id for each, _ in watched],
            [due_at for _, due_at in watched],
        )

    async def due(self, connection: asyncpg.Connection, limit: int) -> list[Timer]:
        """The timers whose time has come, by the clock of the database."""
        rows = await connection.fetch(self._queries["due"], limit)
        return [(row["key"], row["job_id"]) for row in rows]

    async def claim(self, connection: asyncpg.Connection, key: str) -> bool:
        """Hold a timer until the end of the transaction; False if another replica does or did."""
        return bool(await connection.fetchval(self._queries["claim"], key))

    async def drop(self, connection: asyncpg.Connection, key: str) -> None:
        """Delete a timer that went off."""
        await connection.execute(self._queries["drop"], key)

    async def put_off(self, connection: asyncpg.Connection, key: str, due_at: datetime) -> None:
        """Move a timer whose run is now due later."""
        await connection.execute(self._queries["put_off"], key, due_at)


def _watched(row: asyncpg.Record) -> Watched:
    fields: dict[str, Any] = dict(row)
    return Watched(**{**fields, "event": NotificationEvent(fields["event"])})
