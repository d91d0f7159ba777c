"""Starting runs: the definition is fixed, updates heard so far are used, the first phase's jobs are made."""

from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.adapters.changes import say_changed, say_run
from orchestrator_runner.adapters.lanes import LaneKey, Lanes
from orchestrator_runner.adapters.runs import Runs, first_child, lane_keys
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
            own = (row["project"], ORCHESTRATOR, row["configuration"])
            lanes = await self._lanes.ensure(connection, {own, *lane_keys(row["project"], plan.tasks)})
            versions = await self._runs.versions(connection, row["project"], plan.tasks)
        return await self._begin(row, plan, versions, lanes)

    async def _plan(self, connection: asyncpg.Connection, row: Row) -> RunPlan:
        if row["current_version"] is None or row["deleted_at"] is not None:
            raise UserError(f"the orchestration {row['configuration']!r} does not exist or is in the trash")
        if row["definition"] is None:
            raise UserError("the orchestration has no such version", field="version")
        plan = plan_run(row["definition"], row["selection"], row["parameters"])
        ancestors = await self._runs.ancestors(connection, row["id"]) if row["depth"] else []
        check_nesting(row["configuration"], ancestors, plan.tasks)
        return plan

    async def _begin(
        self, row: Row, plan: RunPlan, versions: dict[tuple[str, str], int], lanes: dict[LaneKey, int]
    ) -> UUID | None:
        run: UUID = row["id"]
        of_task = {(component, name): lane for (_, component, name), lane in lanes.items()}
        first = [] if plan.first_phase is None else plan.active_in(plan.first_phase)
        async with self._outbox.work() as work:
            connection = work.connection
            await self._lanes.lock(connection, [row["lane_id"], *(of_task[task.lane] for task in first)])
            used = None
            if plan.full:
                used = await self._runs.begin(connection, row["project"], row["configuration"])
            started = await self._runs.start(connection, row, plan, used)
            if started is None:
                return None
            await self._runs.write_plan(connection, run, plan, versions, of_task)
            children = [first_child(run, task, versions, of_task) for task in first]
            made = await self._runs.create_children(connection, children) if children else []
            say_run(work, RunStarted, started)
            say_changed(work, [started, *made])
        metrics.RUNS_STARTED.inc()
        return None if first else run

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
