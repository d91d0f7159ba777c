"""Jobs owned by replicas: claiming them and finishing them, fenced by the epoch."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from orchestrator_runner.runs.jobs import Result
from orchestrator_shared.database.pool import encode_json
from orchestrator_shared.database.queries import Queries


class ClaimStore:
    """Every method takes a connection; call `finish` inside a transaction."""

    def __init__(self, replica_id: UUID) -> None:
        self.replica_id = replica_id
        self._queries = Queries.load("orchestrator_runner.queue", "claim_store.sql")

    async def claim(
        self, connection: asyncpg.Connection, slots: int, ahead: int, limited: Sequence[str]
    ) -> list[asyncpg.Record]:
        """Claim up to `slots` ready jobs, and up to `ahead` more that may wait for a slot.

        Claims nothing if this replica's lease has expired. Only one replica at a time claims for the projects
        in `limited`, so none of them exceeds its limit.
        """
        if limited:
            await connection.execute(self._queries["lock_projects"], list(limited))
        return await connection.fetch(self._queries["claim"], self.replica_id, slots, ahead, list(limited))

    async def limited_projects(self, connection: asyncpg.Connection) -> list[str]:
        """Projects that have a parallel limit and ready jobs; creates their lock rows where missing."""
        rows = await connection.fetch(self._queries["limited_projects"])
        projects = [row["id"] for row in rows]
        if projects:
            await connection.execute(self._queries["ensure_project_locks"], projects)
        return projects

    async def ready_left(self, connection: asyncpg.Connection) -> int:
        """How many jobs (at most 100) are ready and unclaimed."""
        count: int = await connection.fetchval(self._queries["ready_left"])
        return count

    async def finish(self, connection: asyncpg.Connection, results: Sequence[Result]) -> list[asyncpg.Record]:
        """Write and return the results whose epoch still matches; the others come from a former owner."""
        ordered = sorted(results, key=lambda result: result.job_id)
        rows = await connection.fetch(
            self._queries["finish_jobs"],
            [result.job_id for result in ordered],
            [result.epoch for result in ordered],
            [result.ending.status for result in ordered],
            [result.ending.message for result in ordered],
            [result.ending.error_kind for result in ordered],
            [encode_json(result.output_tables) for result in ordered],
            [result.ending.delay_seconds for result in ordered],
            [result.ending.free for result in ordered],
        )
        succeeded = {row["id"] for row in rows if row["status"] == "success"}
        states = [
            (result.job_id, dict(result.state))
            for result in ordered
            if result.state is not None and result.job_id in succeeded
        ]
        if states:
            ids, values = zip(*states, strict=True)
            await connection.execute(self._queries["save_states"], list(ids), list(values))
        return rows

    async def stops_wanted(self, connection: asyncpg.Connection) -> set[UUID]:
        """Jobs of this replica that someone asked to stop."""
        rows = await connection.fetch(self._queries["stops_wanted"], self.replica_id)
        return {row["id"] for row in rows}

    async def owned(self, connection: asyncpg.Connection) -> list[asyncpg.Record]:
        """Every job that this replica owns according to the database."""
        return await connection.fetch(self._queries["owned"], self.replica_id)
