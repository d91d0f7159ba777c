"""Rows of runs, phases and tasks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

import asyncpg

from orchestrator_runner.adapters.lanes import LaneKey
from orchestrator_runner.domain.cycles import UnfinishedRun
from orchestrator_runner.domain.jobs import Row
from orchestrator_runner.domain.lifecycle import EndRun, TaskState
from orchestrator_runner.domain.plan import PlannedTask, RunPlan
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.statuses import JobStatus, TaskStatus


class Runs:
    """Every method runs on a connection, inside the caller's transaction."""

    def __init__(self) -> None:
        self._queries = Queries.load("orchestrator_runner.adapters", "runs.sql")

    async def ready(self, connection: asyncpg.Connection, limit: int) -> list[UUID]:
        """Runs that may start."""
        return [row["id"] for row in await connection.fetch(self._queries["ready_runs"], limit)]

    async def to_start(self, connection: asyncpg.Connection, run: UUID) -> asyncpg.Record | None:
        """A run that may start, with the definition it would use; None if it may no longer."""
        return await connection.fetchrow(self._queries["run_to_start"], run)

    async def ancestors(self, connection: asyncpg.Connection, run: UUID) -> list[str]:
        """The orchestrations above this run, from the root to its parent."""
        rows = await connection.fetch(self._queries["ancestors"], run)
        return [row["configuration"] for row in rows][:-1]

    async def versions(
        self, connection: asyncpg.Connection, project: str, tasks: Sequence[PlannedTask]
    ) -> dict[tuple[str, str], int]:
        """The current versions of the tasks' configurations; those that do not exist are left out."""
        rows = await connection.fetch(
            self._queries["configuration_versions"],
            project,
            [task.component for task in tasks],
            [task.configuration for task in tasks],
        )
        return {(row["component"], row["configuration"]): row["version"] for row in rows}

    async def lock_to_start(self, connection: asyncpg.Connection, run: UUID) -> bool:
        """Whether the run still may start; if so, nobody else starts it."""
        return await connection.fetchval(self._queries["lock_run_to_start"], run) is not None

    async def begin(self, connection: asyncpg.Connection, project: str, orchestration: str) -> dict[str, int]:
        """How far each table of its triggers has been heard; orders this start among the updates."""
        rows = await connection.fetch(self._queries["begin_run"], project, orchestration)
        return {f"{row['table_project']}/{row['table_name']}": row["last_seq"] for row in rows}

    async def start(
        self,
        connection: asyncpg.Connection,
        row: Row,
        plan: RunPlan,
        used: Mapping[str, int] | None,
        versions: Mapping[tuple[str, str], int],
    ) -> asyncpg.Record:
        """Write the run's start, its phases and its tasks."""
        run = row["id"]
        started = await connection.fetchrow(
            self._queries["start_run"], run, row["version"], plan.full, used, row["token_id"]
        )
        assert started is not None, "the run is locked"
        remaining = [len(plan.active_in(index)) for index in range(len(plan.phases))]
        await connection.execute(
            self._queries["insert_phases"], run, list(range(len(plan.phases))), list(plan.phases), remaining
        )
        await self._insert_tasks(connection, run, plan.tasks, versions)
        return started

    async def _insert_tasks(
        self,
        connection: asyncpg.Connection,
        run: UUID,
        tasks: Sequence[PlannedTask],
        versions: Mapping[tuple[str, str], int],
    ) -> None:
        await connection.execute(
            self._queries["insert_tasks"],
            run,
            [task.phase for task in tasks],
            [task.position for task in tasks],
            [task.id for task in tasks],
            [task.name for task in tasks],
            [task.component for task in tasks],
            [task.configuration for task in tasks],
            [versions.get(task.lane) for task in tasks],
            [dict(task.request) for task in tasks],
            [task.continue_on_failure for task in tasks],
            [task.active for task in tasks],
        )

    async def refuse(
        self, connection: asyncpg.Connection, run: UUID, message: str, kind: str, version: int | None
    ) -> asyncpg.Record | None:
        """End a run that cannot start."""
        return await connection.fetchrow(self._queries["refuse_run"], run, message, kind, version)

    async def create_phase(
        self, connection: asyncpg.Connection, run: UUID, phase: int
    ) -> tuple[list[asyncpg.Record], list[int]]:
        """Make the jobs of a phase, in lanes that the caller has locked; returns their rows and lanes."""
        tasks = await connection.fetch(self._queries["tasks_of_phase"], run, phase)
        requests = [task["request"] for task in tasks]
        made = await connection.fetch(
            self._queries["create_children"],
            run,
            [new_id() for _ in tasks],
            [task["lane_id"] for task in tasks],
            [task["position"] for task in tasks],
            [task["task_id"] for task in tasks],
            [task["component"] for task in tasks],
            [task["configuration"] for task in tasks],
            [request["version"] or task["version"] for task, request in zip(tasks, requests, strict=True)],
            [request["parameters"] for request in requests],
            [request["attempts"] for request in requests],
            [request["attempt_delay_seconds"] for request in requests],
            [request["attempt_backoff"] for request in requests],
            [request["timeout_seconds"] for request in requests],
            [request["retry_on"] for request in requests],
            phase,
        )
        return made, [task["lane_id"] for task in tasks]

    async def nearly_done(
        self, connection: asyncpg.Connection, finished: Iterable[tuple[UUID, int]]
    ) -> set[UUID]:
        """Runs whose phase would be finished by so many (run, phase) results."""
        counts = Counter(finished)
        rows = await connection.fetch(
            self._queries["phases_nearly_done"],
            [run for run, _ in counts],
            [phase for _, phase in counts],
            list(counts.values()),
        )
        return {row["run_id"] for row in rows}

    async def lanes_of_next_steps(self, connection: asyncpg.Connection, runs: Iterable[UUID]) -> set[int]:
        """The lanes that going on with these runs may touch: their own and those of their next phase."""
        rows = await connection.fetch(self._queries["lanes_of_next_steps"], list(runs))
        return {row[0] for row in rows}

    async def lock(self, connection: asyncpg.Connection, runs: Iterable[UUID]) -> dict[UUID, asyncpg.Record]:
        """Lock runs, the deepest first; returns their rows as they are now."""
        await connection.execute(self._queries["lock_runs"], list(runs))
        rows = await connection.fetch(self._queries["lock_runs"], list(runs))
        return {row["id"]: row for row in rows}

    async def children_to_settle(
        self, connection: asyncpg.Connection, jobs: Iterable[UUID]
    ) -> list[asyncpg.Record]:
        """Of these jobs, those that ended and whose runs do not know yet."""
        return await connection.fetch(self._queries["children_to_settle"], list(jobs))

    async def settle(
        self, connection: asyncpg.Connection, children: Sequence[tuple[UUID, str, UUID, str]]
    ) -> set[UUID]:
        """Tell runs how tasks ended: (run, task, job, status). Returns those whose phase is finished."""
        columns = [list(column) for column in zip(*sorted(children), strict=True)]
        rows = await connection.fetch(self._queries["settle_tasks"], *columns)
        counts = Counter((row["run_id"], row["phase"]) for row in rows)
        done = await connection.fetch(
            self._queries["count_down"],
            [run for run, _ in counts],
            [phase for _, phase in counts],
            list(counts.values()),
        )
        return {row["run_id"] for row in done if row["remaining"] == 0}

    async def states(
        self, connection: asyncpg.Connection, runs: Iterable[UUID]
    ) -> dict[UUID, list[TaskState]]:
        """Every task of these runs."""
        rows = await connection.fetch(self._queries["task_states"], list(runs))
        return {
            run: [_task_state(row) for row in group]
            for run, group in groupby(rows, key=lambda row: row["run_id"])
        }

    async def end(self, connection: asyncpg.Connection, run: UUID, step: EndRun) -> asyncpg.Record | None:
        """Write the end of a locked run; tasks never reached are shown as such."""
        return await connection.fetchrow(
            self._queries["end_run"], run, step.status, step.message, step.error_kind
        )

    async def unfinished(self, connection: asyncpg.Connection) -> list[UnfinishedRun]:
        """Every unfinished run, if a nested one waits; otherwise none."""
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
        """End a run that waits for ever; None if it no longer waits."""
        return await connection.fetchrow(self._queries["break_cycle"], run, message)

    async def overlooked(self, connection: asyncpg.Connection) -> tuple[set[UUID], set[UUID]]:
        """What a crash between two steps left: runs to go on with, and ended children to settle."""
        runs = await connection.fetch(self._queries["runs_to_go_on"])
        children = await connection.fetch(self._queries["children_left_unsettled"])
        return {row["id"] for row in runs}, {row["id"] for row in children}


def lane_keys(project: str, tasks: Iterable[PlannedTask]) -> set[LaneKey]:
    """The lanes of these tasks."""
    return {(project, task.component, task.configuration) for task in tasks}


def _task_state(row: Row) -> TaskState:
    return TaskState(
        id=row["task_id"],
        phase=row["phase"],
        active=row["active"],
        status=TaskStatus(row["status"]),
        continue_on_failure=row["continue_on_failure"],
    )
