"""Rows of runs, phases and tasks."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg

from orchestrator_runner.queue.lanes import LaneKey
from orchestrator_runner.runs.cycles import UnfinishedRun
from orchestrator_runner.runs.jobs import Row
from orchestrator_runner.runs.lifecycle import EndRun, TaskState
from orchestrator_runner.runs.phase_cache import BegunPhase, PhaseCache
from orchestrator_runner.runs.plan import PlannedTask, RunPlan
from orchestrator_shared.database.pool import encode_json
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_id
from orchestrator_shared.domain.statuses import JobStatus, TaskStatus


@dataclass(frozen=True, slots=True)
class ChildTask:
    """A task whose job is about to be created."""

    run: UUID
    lane_id: int
    phase: int
    position: int
    task_id: str
    component: str
    configuration: str
    version: int | None
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndedChild:
    """An ended job that belongs to a run."""

    run: UUID
    phase: int
    task: str
    job: UUID
    status: str


@dataclass(frozen=True, slots=True)
class PhaseLeft:
    """How many tasks of a phase have not finished."""

    run: UUID
    phase: int
    remaining: int


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that is about to start; `lanes` and `versions` include at least those of its tasks."""

    run: UUID
    project: str
    orchestration: str
    lane_id: int
    version: int
    token_id: UUID | None
    is_triggered: bool
    plan: RunPlan
    lanes: Mapping[LaneKey, int]
    versions: Mapping[LaneKey, int]

    def key(self, task: PlannedTask) -> LaneKey:
        """The configuration that a task of this run executes."""
        return (self.project, task.component, task.configuration)

    def first_children(self) -> list[ChildTask]:
        """The tasks of the run's first phase; empty if no task is active."""
        return [
            ChildTask(
                run=self.run,
                lane_id=self.lanes[self.key(task)],
                phase=task.phase,
                position=task.position,
                task_id=task.id,
                component=task.component,
                configuration=task.configuration,
                version=self.versions.get(self.key(task)),
                request=task.request,
            )
            for first in self.plan.active_phases[:1]
            for task in self.plan.active_in(first)
        ]

    def underway(self) -> BegunPhase | None:
        """The first phase and the lanes that follow it, for the phase cache; None if no task is active."""
        phases = self.plan.active_phases
        if not phases:
            return None
        following = [task for phase in phases[1:2] for task in self.plan.active_in(phase)]
        lanes = {self.lane_id, *(self.lanes[self.key(task)] for task in following)}
        return BegunPhase(phases[0], len(self.plan.active_in(phases[0])), frozenset(lanes))


class RunStore:
    """Every method takes a connection inside the caller's transaction."""

    def __init__(self) -> None:
        self.phase_cache = PhaseCache()
        self._queries = Queries.load("orchestrator_runner.queue", "run_store.sql", "waiting_triggers.sql")

    async def ready(self, connection: asyncpg.Connection, limit: int) -> list[UUID]:
        """Runs that may start."""
        return [row["id"] for row in await connection.fetch(self._queries["ready_runs"], limit)]

    async def to_start(self, connection: asyncpg.Connection, runs: Sequence[UUID]) -> list[asyncpg.Record]:
        """Those of these runs that may start, with the definitions they would use."""
        return await connection.fetch(self._queries["runs_to_start"], list(runs))

    async def ancestors(self, connection: asyncpg.Connection, run: UUID) -> list[str]:
        """The orchestrations above this run, from the root to its parent."""
        rows = await connection.fetch(self._queries["ancestors"], run)
        return [row["configuration"] for row in rows][:-1]

    async def versions(
        self, connection: asyncpg.Connection, configurations: Collection[LaneKey]
    ) -> dict[LaneKey, int]:
        """The current versions of these configurations, without those that do not exist."""
        columns = [list(column) for column in zip(*configurations, strict=True)]
        rows = await connection.fetch(self._queries["configuration_versions"], *columns)
        return {(row["project"], row["component"], row["configuration"]): row["version"] for row in rows}

    async def begin(
        self, connection: asyncpg.Connection, orchestrations: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], dict[str, int]]:
        """How far each table of these orchestrations' triggers has been heard.

        Orders the starts of these runs among the table updates.
        """
        if not orchestrations:
            return {}
        projects, names = zip(*orchestrations, strict=True)
        heard: dict[tuple[str, str], dict[str, int]] = {key: {} for key in orchestrations}
        for row in await connection.fetch(self._queries["begin_runs"], projects, names):
            table = f"{row['table_project']}/{row['table_name']}"
            heard[row["project"], row["orchestration"]][table] = row["last_seq"]
        return heard

    async def withdraw(self, connection: asyncpg.Connection, runs: Sequence[UUID]) -> list[asyncpg.Record]:
        """Cancel those of these triggered runs whose updates another full run has used.

        Call it after `begin`, in a transaction that holds the runs' lanes.
        """
        used = await connection.fetch(self._queries["used_by_others"], list(runs)) if runs else []
        if not used:
            return []
        return await connection.fetch(
            self._queries["withdraw_runs"],
            [row["id"] for row in used],
            [f"its updates were used by {row['name']}" for row in used],
            [row["used_by"] for row in used],
        )

    async def lock_waiting(self, connection: asyncpg.Connection, runs: Sequence[UUID]) -> None:
        """Lock the triggers that wait for these runs, before a run ends that has not started.

        This orders the end of the run among the updates of its triggers.
        """
        await connection.execute(self._queries["lock_waiting"], list(runs))

    async def start(
        self,
        connection: asyncpg.Connection,
        starts: Sequence[PlannedRun],
        used: Sequence[dict[str, int] | None],
    ) -> list[asyncpg.Record]:
        """Write the starts; return the rows of the runs that could still start."""
        return await connection.fetch(
            self._queries["start_runs"],
            [start.run for start in starts],
            [start.version for start in starts],
            [start.plan.full for start in starts],
            [None if vector is None else encode_json(vector) for vector in used],
            [start.token_id for start in starts],
        )

    async def write_plans(self, connection: asyncpg.Connection, starts: Sequence[PlannedRun]) -> None:
        """Write the phases and tasks of runs that have just started."""
        phases = [
            (start.run, index, name, len(start.plan.active_in(index)))
            for start in starts
            for index, name in enumerate(start.plan.phases)
        ]
        tasks = [(start, task) for start in starts for task in start.plan.tasks]
        await connection.execute(
            self._queries["insert_phases_and_tasks"],
            *(list(column) for column in zip(*phases, strict=True)),
            [start.run for start, _ in tasks],
            [task.phase for _, task in tasks],
            [task.position for _, task in tasks],
            [task.id for _, task in tasks],
            [task.name for _, task in tasks],
            [task.component for _, task in tasks],
            [task.configuration for _, task in tasks],
            [start.versions.get(start.key(task)) for start, task in tasks],
            [dict(task.request) for _, task in tasks],
            [task.continue_on_failure for _, task in tasks],
            [task.active for _, task in tasks],
            [start.lanes[start.key(task)] for start, task in tasks],
        )

    async def refuse(
        self, connection: asyncpg.Connection, run: UUID, message: str, kind: str, version: int | None
    ) -> asyncpg.Record | None:
        """End a run that cannot start."""
        return await connection.fetchrow(self._queries["refuse_run"], run, message, kind, version)

    async def create_children(
        self, connection: asyncpg.Connection, children: Sequence[ChildTask], replica: UUID, slots: int
    ) -> list[asyncpg.Record]:
        """Create the jobs of these tasks, in lanes that the caller has locked.

        A job whose lane is free becomes ready. This replica claims up to `slots` of those at once.
        """
        requests = [child.request for child in children]
        return await connection.fetch(
            self._queries["create_children"],
            [new_id() for _ in children],
            [child.run for child in children],
            [child.lane_id for child in children],
            [child.phase for child in children],
            [child.position for child in children],
            [child.task_id for child in children],
            [child.component for child in children],
            [child.configuration for child in children],
            [_version(child) for child in children],
            [request["parameters"] for request in requests],
            [request["attempts"] for request in requests],
            [request["attempt_delay_seconds"] for request in requests],
            [request["attempt_backoff"] for request in requests],
            [request["timeout_seconds"] for request in requests],
            [request["retry_on"] for request in requests],
            replica,
            slots,
        )

    async def plan_step(
        self, connection: asyncpg.Connection, runs: Iterable[UUID], ends: Iterable[tuple[UUID, int]]
    ) -> tuple[set[UUID], set[int]]:
        """The runs that can go on after these phase ends, and the lanes that their next step may touch:
        their own and those of their next phase.
        """
        counts = Counter(ends)
        rows = await connection.fetch(
            self._queries["plan_step"],
            list(runs),
            [run for run, _ in counts],
            [phase for _, phase in counts],
            list(counts.values()),
        )
        return {row["run_id"] for row in rows}, {row["lane_id"] for row in rows}

    async def lock(
        self, connection: asyncpg.Connection, lanes: Iterable[int], runs: Iterable[UUID]
    ) -> dict[UUID, asyncpg.Record]:
        """Lock lanes, then runs from the deepest up; return the runs' rows as they are now."""
        rows = await connection.fetch(self._queries["lock_step"], sorted(set(lanes)), list(runs))
        return {row["id"]: row for row in rows}

    async def unapplied_results(
        self, connection: asyncpg.Connection, jobs: Iterable[UUID]
    ) -> list[asyncpg.Record]:
        """Those of these jobs that have ended and whose runs do not know it yet."""
        return await connection.fetch(self._queries["unapplied_results"], list(jobs))

    async def repeat(self, connection: asyncpg.Connection, run: UUID, delay_seconds: float) -> asyncpg.Record:
        """Create another attempt of a nested run, in its lane, which the caller has locked."""
        row = await connection.fetchrow(self._queries["repeat_run"], run, new_id(), delay_seconds)
        assert row is not None, "a job that ended is there"
        return row

    async def apply_results(
        self, connection: asyncpg.Connection, children: Sequence[EndedChild], going_on: Collection[UUID]
    ) -> tuple[list[PhaseLeft], dict[UUID, list[asyncpg.Record]]]:
        """Apply the ends of tasks to locked runs.

        Returns how many tasks are left in these phases, and every task of the runs in `going_on`; tasks of
        the first pending phase come with their requests.
        """
        told = sorted((child.run, child.task, child.job, child.status) for child in children)
        columns = [list(column) for column in zip(*told, strict=True)] if told else [[], [], [], []]
        rows = await connection.fetch(self._queries["apply_results"], *columns, list(going_on))
        left = [
            PhaseLeft(row["run_id"], row["phase"], row["remaining"])
            for row in rows
            if row["remaining"] is not None
        ]
        tasks = (row for row in rows if row["remaining"] is None)
        return left, {run: list(group) for run, group in groupby(tasks, key=lambda row: row["run_id"])}

    async def end(self, connection: asyncpg.Connection, ends: Mapping[UUID, EndRun]) -> list[asyncpg.Record]:
        """End locked runs and mark the tasks they never reached as not executed."""
        return await connection.fetch(
            self._queries["end_runs"],
            list(ends),
            [step.status for step in ends.values()],
            [step.message for step in ends.values()],
            [step.error_kind for step in ends.values()],
            [step.reason for step in ends.values()],
        )

    async def unfinished(self, connection: asyncpg.Connection) -> list[UnfinishedRun]:
        """Every unfinished run if a nested one is waiting; otherwise nothing."""
        rows = await connection.fetch(self._queries["unfinished_runs"])
        return [
            UnfinishedRun(
                id=row["id"],
                lane_id=row["lane_id"],
                seq=row["seq"],
                status=JobStatus(row["status"]),
                parent_id=row["parent_id"],
                orchestration=row["configuration"],
            )
            for row in rows
        ]

    async def break_cycle(
        self, connection: asyncpg.Connection, run: UUID, message: str
    ) -> asyncpg.Record | None:
        """End a run that would wait for ever; return None if it no longer waits."""
        return await connection.fetchrow(self._queries["break_cycle"], run, message)

    async def overlooked(self, connection: asyncpg.Connection) -> tuple[set[UUID], set[UUID]]:
        """Find what a crash between two steps left: runs that can go on, and results not applied yet."""
        runs = await connection.fetch(self._queries["runs_to_go_on"])
        children = await connection.fetch(self._queries["overlooked_results"])
        return {row["id"] for row in runs}, {row["id"] for row in children}


def _version(child: ChildTask) -> int | None:
    """None if the configuration was in the trash when the run started; the claim then looks it up again.

    Nested runs look up their version when they start.
    """
    if child.version is None and child.component != ORCHESTRATOR:
        return None
    return child.request["version"] or child.version


def lane_keys(project: str, tasks: Iterable[PlannedTask]) -> set[LaneKey]:
    """The lanes of these tasks."""
    return {(project, task.component, task.configuration) for task in tasks}


def task_state(row: Row, ended: Mapping[UUID, str]) -> TaskState:
    """A task as `lifecycle` sees it, from a row of `apply_results` and the ends of the jobs in this step."""
    status = ended.get(row["job_id"], row["status"]) if row["status"] == TaskStatus.STARTED else row["status"]
    return TaskState(
        id=row["task_id"],
        phase=row["phase"],
        active=row["active"],
        status=TaskStatus(status),
        continue_on_failure=row["continue_on_failure"],
    )


def ended_child(row: Row) -> EndedChild:
    """A child of a run that ended, from its job's row."""
    return EndedChild(row["parent_id"], row["phase"], row["task_id"], row["id"], row["status"])


def next_child(row: Row) -> ChildTask:
    """A pending task of the next phase, from a row of `apply_results`."""
    return ChildTask(
        run=row["run_id"],
        lane_id=row["lane_id"],
        phase=row["phase"],
        position=row["position"],
        task_id=row["task_id"],
        component=row["component"],
        configuration=row["configuration"],
        version=row["version"],
        request=row["request"],
    )
