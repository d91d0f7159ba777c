"""Starts runs: fixes the definition, uses the updates heard so far, creates the jobs of the first phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.queue.changes import publish_changes, publish_run
from orchestrator_runner.queue.lanes import Lanes, LaneStore
from orchestrator_runner.queue.planned_run import PlannedRun, lane_keys
from orchestrator_runner.queue.rows import Changed, ChildJob
from orchestrator_runner.queue.run_rows import ReadyRun
from orchestrator_runner.queue.run_store import RunStore
from orchestrator_runner.queue.step_input import StepResult, count_claims
from orchestrator_runner.runs.phase_cache import PhaseCache
from orchestrator_runner.runs.plan import RunPlan, check_nesting, plan_run
from orchestrator_runner.runs.token_refusals import check_token
from orchestrator_shared.contracts.events import RunFinished, RunStarted
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus, Origin
from orchestrator_shared.messaging.outbox import Outbox, UnitOfWork

MOST_TASKS = 2_000


@dataclass(frozen=True, slots=True)
class _Refusal:
    row: ReadyRun
    reason: str
    kind: ErrorKind


class Starter:
    """Starts ready runs, many in one transaction."""

    def __init__(
        self, pool: asyncpg.Pool, outbox: Outbox, lanes: Lanes, phase_cache: PhaseCache, replica_id: UUID
    ) -> None:
        self._replica_id = replica_id
        self._pool = pool
        self._outbox = outbox
        self._lanes = lanes
        self._phase_cache = phase_cache

    async def ready(self, limit: int) -> list[UUID]:
        """Runs that hold their lane and may start."""
        async with acquire(self._pool) as connection:
            return await RunStore(connection).ready(most=limit)

    async def start(self, runs: Sequence[UUID], slots: int) -> StepResult:
        """Start these runs, or end those that cannot start, with the reason.

        Claims up to `slots` of their first jobs. Runs with nothing to wait for and runs that ended are left
        to the engine's next step. If the runs have very many tasks, some stay ready for the next call.
        """
        async with acquire(self._pool) as connection:
            store = RunStore(connection)
            plans, refusals = await self._plan(store, await store.to_start(runs=runs))
            keys = {key for row, plan in plans for key in lane_keys(row.project, plan.tasks)}
            lanes = await self._lanes.ensure(connection, keys)
            current = await store.current(configurations=keys) if keys else {}
        done = StepResult()
        for refusal in refusals:
            await self._refuse(refusal, done)
        starts = [
            PlannedRun(
                run=row.id,
                project=row.project,
                orchestration=row.configuration,
                lane_id=row.lane_id,
                version=row.version,
                token_id=row.token_id,
                is_triggered=row.origin == Origin.TRIGGER,
                plan=plan,
                lanes=lanes,
                current=current,
            )
            for row, plan in plans
        ]
        if starts:
            part = _first_part(starts)
            await self._begin(part, slots, done)
            done.runs_are_ready |= len(part) < len(starts)
        return done

    async def refuse(self, run: UUID, reason: str) -> StepResult:
        """End a run that cannot be written as it is: our bug, or a definition that the database rejects."""
        async with acquire(self._pool) as connection:
            rows = await RunStore(connection).to_start(runs=[run])
        done = StepResult()
        for row in rows:
            await self._refuse(_Refusal(row, reason, ErrorKind.INTERNAL), done)
        return done

    async def _plan(
        self, store: RunStore, rows: Sequence[ReadyRun]
    ) -> tuple[list[tuple[ReadyRun, RunPlan]], list[_Refusal]]:
        plans, refusals = [], []
        for row in rows:
            ancestors = await store.ancestors(run=row.id) if row.depth else []
            try:
                plans.append((row, _plan_one(row, ancestors)))
            except UserError as error:
                refusals.append(_Refusal(row, str(error), ErrorKind.USER))
        return plans, refusals

    async def _begin(self, starts: Sequence[PlannedRun], slots: int, done: StepResult) -> None:
        children = {start.run: start.first_children() for start in starts}
        async with self._outbox.work() as work:
            runs = RunStore(work.connection)
            lanes = {start.lane_id for start in starts}
            lanes |= {child.lane_id for first in children.values() for child in first}
            # Lanes first, as everywhere; then `begin` locks the triggers, so that each update is heard before
            # or after it.
            await LaneStore(work.connection).lock(lanes=lanes)
            full = {
                (start.project, start.orchestration)
                for start in starts
                if start.plan.full or start.is_triggered
            }
            heard = await runs.begin(orchestrations=full)
            # Under the locks of `begin`: the watcher can add no update to these runs until we commit.
            withdrawn = await self._withdraw(work, starts, done)
            used = [
                heard[start.project, start.orchestration] if start.plan.full else None for start in starts
            ]
            # Touches only runs that are still ready, so a run terminated meanwhile does not start.
            rows = await runs.start(starts=starts, used=used)
            started = {row.id for row in rows}
            begun = [start for start in starts if start.run in started]
            if not begun:
                publish_changes(work, withdrawn)
                return
            await runs.write_plans(starts=begun)
            first = [child for start in begun for child in children[start.run]]
            made: Sequence[ChildJob] = ()
            if first:
                made = await runs.create_children(children=first, replica=self._replica_id, slots=slots)
            for row in rows:
                publish_run(work, RunStarted, row)
            publish_changes(work, [*withdrawn, *rows, *made])
        metrics.RUNS_STARTED.inc(len(rows))
        for row in rows:
            metrics.WAIT_SECONDS.labels("configuration").observe(row.seconds_waiting)
        self._record(begun, made, done)

    async def _withdraw(
        self, work: UnitOfWork, starts: Sequence[PlannedRun], done: StepResult
    ) -> list[Changed]:
        """Cancel triggered runs whose updates another run has used; return all rows that this changed."""
        triggered = [start.run for start in starts if start.is_triggered]
        withdrawn = await RunStore(work.connection).withdraw(runs=triggered)
        if not withdrawn:
            return []
        promoted = await LaneStore(work.connection).promote(lanes={row.lane_id for row in withdrawn})
        for row in withdrawn:
            publish_run(work, RunFinished, row)
        done.runs_are_ready |= bool(promoted)
        return [*withdrawn, *promoted]

    def _record(self, begun: Sequence[PlannedRun], made: Sequence[ChildJob], done: StepResult) -> None:
        for start in begun:
            if underway := start.underway():
                self._phase_cache.begin(start.run, underway)
            else:
                done.runs.add(start.run)
        ready = {row.kind for row in made if row.status == JobStatus.READY}
        done.runs_are_ready |= "run" in ready
        done.backlog |= "component" in ready
        claimed = [row for row in made if row.is_claimed]
        count_claims(claimed)
        done.claimed += claimed

    async def _refuse(self, refusal: _Refusal, done: StepResult) -> None:
        row = refusal.row
        async with self._outbox.work() as work:
            lanes, runs = LaneStore(work.connection), RunStore(work.connection)
            await lanes.lock(lanes=[row.lane_id])
            # Before the end is written, so that it has one order with the updates of the run's trigger.
            await runs.lock_waiting(runs=[row.id])
            ended = await runs.refuse(
                run=row.id, message=refusal.reason, error_kind=refusal.kind, version=row.version
            )
            if ended is None:
                return
            promoted = await lanes.promote(lanes=[row.lane_id])
            publish_run(work, RunFinished, ended)
            publish_changes(work, [ended, *promoted])
        done.runs_are_ready |= bool(promoted)
        done.ended_children.add(row.id)


def _first_part(starts: Sequence[PlannedRun]) -> Sequence[PlannedRun]:
    """As many runs as one transaction can write well within its time limit, at least one."""
    tasks = accumulate(len(start.plan.tasks) for start in starts)
    return [start for start, so_far in zip(starts, tasks, strict=True) if so_far <= MOST_TASKS] or starts[:1]


def _plan_one(row: ReadyRun, ancestors: Sequence[str]) -> RunPlan:
    """Plan a run; raises UserError with the reason if it cannot start."""
    if row.current_version is None or row.deleted_at is not None:
        name = row.configuration
        raise UserError(
            f"the orchestration {name!r} is in the trash or does not exist: save it to restore it"
        )
    check_token("revoked" if row.token_is_revoked else row.token_refusal, row.component)
    if row.definition is None:
        raise UserError("the orchestration has no such version", field="version")
    plan = plan_run(row.definition, row.selection, row.parameters, row.task_versions)
    check_nesting(row.configuration, ancestors, plan.tasks)
    return plan
