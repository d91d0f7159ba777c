"""Rows of runs, phases and tasks."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from orchestrator_runner.queue.lanes import LaneKey, lane_columns
from orchestrator_runner.queue.planned_run import ChildTask, Current, PlannedRun
from orchestrator_runner.queue.rows import ChildJob, JobRow, StartedRun, TransitionedJob
from orchestrator_runner.queue.run_rows import (
    EndedChild,
    LockedRun,
    PhaseLeft,
    ReadyRun,
    TaskRow,
    UnappliedResult,
    UsedUpdates,
)
from orchestrator_runner.runs.cycles import UnfinishedRun
from orchestrator_runner.runs.lifecycle import EndRun
from orchestrator_shared.database.pool import encode_json
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_id
from orchestrator_shared.domain.statuses import ErrorKind


@dataclass(frozen=True, slots=True)
class _HeardTable:
    project: str
    orchestration: str
    table_project: str
    table_name: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class _LaneOfStep:
    run_id: UUID
    lane_id: int


class RunStore(Store):
    """Runs with their phases and tasks; what writes them is called inside a transaction."""

    queries = Queries.load(__package__, "run_store.sql", "waiting_triggers.sql")

    async def ready(self, *, most: int) -> list[UUID]:
        """Runs that may start."""
        return await self._column(UUID, "ready_runs", most=most)

    async def to_start(self, *, runs: Sequence[UUID]) -> list[ReadyRun]:
        """Those of these runs that may start, with the definitions they would use."""
        return await self._many(ReadyRun, "runs_to_start", runs=list(runs))

    async def ancestors(self, *, run: UUID) -> list[str]:
        """The orchestrations above this run, from the root to its parent."""
        return (await self._column(str, "ancestors", run=run))[:-1]

    async def current(self, *, configurations: Collection[LaneKey]) -> dict[LaneKey, Current]:
        """These configurations as they are now, without those that do not exist."""
        columns = lane_columns(configurations)
        rows = await self._many(Current, "configuration_versions", **columns)
        return {(row.project, row.component, row.configuration): row for row in rows}

    async def begin(
        self, *, orchestrations: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], dict[str, int]]:
        """How far each table of these orchestrations' triggers has been heard.

        Orders the starts of these runs among the table updates.
        """
        if not orchestrations:
            return {}
        projects, names = zip(*orchestrations, strict=True)
        heard: dict[tuple[str, str], dict[str, int]] = {key: {} for key in orchestrations}
        for row in await self._many(_HeardTable, "begin_runs", projects=projects, orchestrations=names):
            heard[row.project, row.orchestration][f"{row.table_project}/{row.table_name}"] = row.last_seq
        return heard

    async def withdraw(self, *, runs: Sequence[UUID]) -> list[JobRow]:
        """Cancel those of these triggered runs whose updates another full run has used.

        Call it after `begin`, in a transaction that holds the runs' lanes.
        """
        used = await self._many(UsedUpdates, "used_by_others", runs=list(runs)) if runs else []
        if not used:
            return []
        return await self._many(
            JobRow,
            "withdraw_runs",
            runs=[each.id for each in used],
            messages=[f"its updates were used by {each.name}" for each in used],
            used_by=[each.used_by for each in used],
        )

    async def lock_waiting(self, *, runs: Sequence[UUID]) -> None:
        """Lock the triggers that wait for these runs, before a run ends that has not started.

        This orders the end of the run among the updates of its triggers.
        """
        await self._run("lock_waiting", runs=list(runs))

    async def start(
        self, *, starts: Sequence[PlannedRun], used: Sequence[dict[str, int] | None]
    ) -> list[StartedRun]:
        """Write the starts; return the rows of the runs that could still start."""
        return await self._many(
            StartedRun,
            "start_runs",
            runs=[start.run for start in starts],
            versions=[start.version for start in starts],
            full_runs=[start.plan.full for start in starts],
            used=[None if vector is None else encode_json(vector) for vector in used],
            tokens=[start.token_id for start in starts],
        )

    async def write_plans(self, *, starts: Sequence[PlannedRun]) -> None:
        """Write the phases and tasks of runs that have just started."""
        phases = [
            (start.run, index, name, len(start.plan.active_in(index)))
            for start in starts
            for index, name in enumerate(start.plan.phases)
        ]
        tasks = [(start, task) for start in starts for task in start.plan.tasks]
        await self._run(
            "insert_phases_and_tasks",
            phase_runs=[run for run, *_ in phases],
            phase_indexes=[index for _, index, *_ in phases],
            phase_names=[name for *_, name, _ in phases],
            remaining=[count for *_, count in phases],
            runs=[start.run for start, _ in tasks],
            phases=[task.phase for _, task in tasks],
            positions=[task.position for _, task in tasks],
            task_ids=[task.id for _, task in tasks],
            names=[start.name_of(task) for start, task in tasks],
            components=[task.component for _, task in tasks],
            configurations=[task.configuration for _, task in tasks],
            versions=[start.version_of(task) for start, task in tasks],
            requests=[dict(task.request) for _, task in tasks],
            continue_on_failure=[task.continue_on_failure for _, task in tasks],
            active=[task.active for _, task in tasks],
            lanes=[start.lanes[start.key(task)] for start, task in tasks],
        )

    async def refuse(
        self, *, run: UUID, message: str, error_kind: ErrorKind, version: int | None
    ) -> JobRow | None:
        """End a run that cannot start."""
        return await self._one(
            JobRow, "refuse_run", run=run, message=message, error_kind=error_kind, version=version
        )

    async def create_children(
        self, *, children: Sequence[ChildTask], replica: UUID, slots: int
    ) -> list[ChildJob]:
        """Create the jobs of these tasks, in lanes that the caller has locked.

        A job whose lane is free becomes ready. This replica claims up to `slots` of those at once.
        """
        requests = [child.request for child in children]
        return await self._many(
            ChildJob,
            "create_children",
            ids=[new_id() for _ in children],
            runs=[child.run for child in children],
            lanes=[child.lane_id for child in children],
            phases=[child.phase for child in children],
            positions=[child.position for child in children],
            task_ids=[child.task_id for child in children],
            components=[child.component for child in children],
            configurations=[child.configuration for child in children],
            versions=[_version(child) for child in children],
            parameters=[request["parameters"] for request in requests],
            max_attempts=[request["attempts"] for request in requests],
            delays=[request["attempt_delay_seconds"] for request in requests],
            backoffs=[request["attempt_backoff"] for request in requests],
            timeouts=[request["timeout_seconds"] for request in requests],
            retry_on=[request["retry_on"] for request in requests],
            replica=replica,
            slots=slots,
        )

    async def plan_step(
        self, *, runs: Iterable[UUID], ends: Iterable[tuple[UUID, int]]
    ) -> tuple[set[UUID], set[int]]:
        """The runs that can go on after these phase ends, and the lanes that their next step may touch:
        their own and those of their next phase.
        """
        counts = Counter(ends)
        rows = await self._many(
            _LaneOfStep,
            "plan_step",
            runs=list(runs),
            ended_runs=[run for run, _ in counts],
            ended_phases=[phase for _, phase in counts],
            counts=list(counts.values()),
        )
        return {row.run_id for row in rows}, {row.lane_id for row in rows}

    async def lock(self, *, lanes: Iterable[int], runs: Iterable[UUID]) -> dict[UUID, LockedRun]:
        """Lock lanes, then runs from the deepest up; return the runs as they are now."""
        rows = await self._many(LockedRun, "lock_step", lanes=sorted(set(lanes)), runs=list(runs))
        return {row.id: row for row in rows}

    async def unapplied_results(self, *, jobs: Iterable[UUID]) -> list[UnappliedResult]:
        """Those of these jobs that have ended and whose runs do not know it yet."""
        return await self._many(UnappliedResult, "unapplied_results", jobs=list(jobs))

    async def repeat(self, *, run: UUID, delay_seconds: float) -> TransitionedJob:
        """Create another attempt of a nested run, in its lane, which the caller has locked."""
        row = await self._one(
            TransitionedJob, "repeat_run", run=run, id=new_id(), delay_seconds=delay_seconds
        )
        assert row is not None, "a job that has ended still exists"
        return row

    async def apply_results(
        self, *, children: Sequence[EndedChild], going_on: Collection[UUID]
    ) -> tuple[list[PhaseLeft], dict[UUID, list[TaskRow]]]:
        """Apply the ends of tasks to locked runs.

        Returns how many tasks are left in these phases, and every task of the runs in `going_on`; tasks of
        the first pending phase come with their requests.
        """
        ended = sorted(children, key=lambda child: (child.run, child.task, child.job))
        rows = await self._many(
            TaskRow,
            "apply_results",
            runs=[child.run for child in ended],
            task_ids=[child.task for child in ended],
            jobs=[child.job for child in ended],
            statuses=[child.status for child in ended],
            going_on=list(going_on),
        )
        left = [
            PhaseLeft(row.run_id, row.phase, row.remaining, row.seconds)
            for row in rows
            if row.remaining is not None
        ]
        tasks = (row for row in rows if row.remaining is None)
        return left, {run: list(group) for run, group in groupby(tasks, key=lambda row: row.run_id)}

    async def end(self, *, ends: Mapping[UUID, EndRun]) -> list[JobRow]:
        """End locked runs and mark the tasks they never reached as not executed."""
        return await self._many(
            JobRow,
            "end_runs",
            runs=list(ends),
            statuses=[step.status for step in ends.values()],
            messages=[step.message for step in ends.values()],
            error_kinds=[step.error_kind for step in ends.values()],
            reasons=[step.reason for step in ends.values()],
        )

    async def unfinished(self) -> list[UnfinishedRun]:
        """Every unfinished run if a nested one is waiting; otherwise nothing."""
        return await self._many(UnfinishedRun, "unfinished_runs")

    async def break_cycle(self, *, run: UUID, message: str) -> JobRow | None:
        """End a run that would wait for ever; return None if it no longer waits."""
        return await self._one(JobRow, "break_cycle", run=run, message=message)

    async def overlooked(self) -> tuple[set[UUID], set[UUID]]:
        """Find what a crash between two steps left: runs that can go on, and results not applied yet."""
        runs = await self._column(UUID, "runs_to_go_on")
        children = await self._column(UUID, "overlooked_results")
        return set(runs), set(children)


def _version(child: ChildTask) -> int | None:
    """None if the configuration was in the trash when the run started; the claim then looks it up again.

    Nested runs look up their version when they start.
    """
    if child.version is None and child.component != ORCHESTRATOR:
        return None
    return child.request["version"] or child.version
