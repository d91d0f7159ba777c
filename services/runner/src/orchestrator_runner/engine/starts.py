"""Starting runs: the definition is fixed, updates heard so far are used, the first phase's jobs are made."""

from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.adapters.changes import say_changed, say_run
from orchestrator_runner.adapters.lanes import Lanes
from orchestrator_runner.adapters.runs import Runs, lane_keys
from orchestrator_runner.domain.jobs import Row
from orchestrator_runner.domain.plan import RunPlan, check_nesting, plan_run
from orchestrator_shared.contracts.events import RunFinished, RunStarted
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import ErrorKind
from orchestrator_shared.messaging.outbox import Outbox


class Starter:
    """Starts ready runs, each in a transaction of its own."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, lanes: Lanes, runs: Runs) -> None:
        self._pool = pool
        self._outbox = outbox
        self._lanes = lanes
        self._runs = runs

    async def ready(self, limit: int = 100) -> list[UUID]:
        """Runs that hold their lane and may start."""
        async with acquire(self._pool) as connection:
            return await self._runs.ready(connection, limit)

    async def start(self, run: UUID) -> UUID | None:
        """Start a run, or end it with the reason why it cannot.

        Returns the run where there is nothing to wait for, and where it ended: the engine goes on with it.
        """
        async with acquire(self._pool) as connection:
            row = await self._runs.to_start(connection, run)
            if row is None:
                return None
            try:
                plan = await self._plan(connection, row)
            except UserError as error:
                return await self._refuse(row, str(error))
            keys = {
                (row["project"], ORCHESTRATOR, row["configuration"]),
                *lane_keys(row["project"], plan.tasks),
            }
            lanes = await self._lanes.ensure(connection, keys)
            versions = await self._runs.versions(connection, row["project"], plan.tasks)
        return await self._begin(row, plan, versions, set(lanes.values()))

    async def _plan(self, connection: asyncpg.Connection, row: Row) -> RunPlan:
        if row["current_version"] is None or row["deleted_at"] is not None:
            raise UserError(f"the orchestration {row['configuration']!r} does not exist or is in the trash")
        if row["definition"] is None:
            raise UserError("the orchestration has no such version", field="version")
        plan = plan_run(row["definition"], row["selection"], row["parameters"])
        ancestors = await self._runs.ancestors(connection, row["id"])
        check_nesting(row["configuration"], ancestors, plan.tasks)
        return plan

    async def _begin(
        self, row: Row, plan: RunPlan, versions: dict[tuple[str, str], int], lanes: set[int]
    ) -> UUID | None:
        run: UUID = row["id"]
        async with self._outbox.work() as work:
            connection = work.connection
            await self._lanes.lock(connection, lanes)
            if not await self._runs.lock_to_start(connection, run):
                return None
            used = None
            if plan.full:
                used = await self._runs.begin(connection, row["project"], row["configuration"])
            started = await self._runs.start(connection, row, plan, used, versions)
            say_run(work, RunStarted, started)
            say_changed(work, [started])
            if plan.first_phase is not None:
                made, touched = await self._runs.create_phase(connection, run, plan.first_phase)
                promoted = await self._lanes.promote(connection, touched)
                say_changed(work, [*made, *promoted])
        metrics.RUNS_STARTED.inc()
        return run if plan.first_phase is None else None

    async def _refuse(self, row: Row, reason: str) -> UUID | None:
        async with self._outbox.work() as work:
            await self._lanes.lock(work.connection, [row["lane_id"]])
            ended = await self._runs.refuse(
                work.connection, row["id"], reason, ErrorKind.USER, row["version"]
            )
            if ended is None:
                return None
            promoted = await self._lanes.promote(work.connection, [row["lane_id"]])
            say_run(work, RunFinished, ended)
            say_changed(work, [ended, *promoted])
        metrics.RUNS_FINISHED.labels(ended["status"]).inc()
        return row["id"] if ended["parent_id"] is not None else None
