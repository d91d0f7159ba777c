"""What random histories of the engine share: one database for all, definitions to draw, ends to check."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
from hypothesis import strategies as st
from tests.support import databases
from tests.support.engine_commands import CommandQueue
from tests.support.engine_replica import Killed, reach
from tests.support.engine_world import World, pools

from orchestrator_runner import metrics
from orchestrator_runner.runs.lifecycle import TaskState, next_step
from orchestrator_shared.contracts.envelope import parse_envelope
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import TaskStatus
from orchestrator_shared.runtime import failpoints

CONFIGURATIONS = ("a", "b", "c", "e")
ORCHESTRATIONS = ("one", "two", "outer")
DELAY_SECONDS = 3600.0

Drawn = Sequence[Sequence[tuple[str, bool, int, bool, bool]]]
"""Phases of tasks: what it runs, continue on failure, attempts, with a delay between them, enabled."""

tasks_drawn = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from((*CONFIGURATIONS, *CONFIGURATIONS, *ORCHESTRATIONS)),
            st.booleans(),
            st.integers(1, 2),
            st.booleans(),
            st.sampled_from([True, True, False]),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


FORGET = """
    TRUNCATE jobs.jobs, jobs.phases, jobs.tasks, jobs.attempts, jobs.logs, jobs.withdrawals, jobs.lanes,
        jobs.replicas, jobs.project_locks, jobs.configuration_states, jobs.tombstones, jobs.request_records,
        jobs.outbox;
    DELETE FROM catalog.run_requests; DELETE FROM catalog.configuration_versions;
    DELETE FROM catalog.configurations; DELETE FROM catalog.projects;
    DELETE FROM catalog.components WHERE id IN ('c', 'd');
"""
"""Truncated where rows change often: what is only deleted is read again and again until a vacuum comes."""


class House:
    """One database and one loop for all histories: connections and prepared statements are kept."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.stack = AsyncExitStack()
        self.numbers = count()
        self.happened: Counter[str] = Counter()
        """How often which named point was a replica's end, and what came of the jobs."""

    @classmethod
    @contextmanager
    def open(cls) -> Iterator["House"]:
        """Stays open for as many histories as one likes."""
        with asyncio.Runner() as runner, patch.object(failpoints, "reach", reach):
            runner.get_loop().set_exception_handler(_ignore_the_dead)
            house = cls(runner)
            try:
                runner.run(house._prepare())
                yield house
            finally:
                runner.run(house.stack.aclose())

    async def _prepare(self) -> None:
        self._database = await self.stack.enter_async_context(databases.migrated_database())
        self._pools = await self.stack.enter_async_context(pools(self._database))

    async def empty_world(self) -> World:
        """Everything of the history before is gone."""
        world = World(self._database, *self._pools)
        await world.admin.execute(FORGET)
        await world.begin()
        return world

    def note(self, jobs: Collection[asyncpg.Record], queue: CommandQueue) -> None:
        """Count what became of a history's jobs: a history in which nothing happens breaks nothing."""
        self.happened["fenced"] = int(metrics.FENCED._value.get())
        self.happened.update(job["status"] for job in jobs)
        for name, sees in SEEN.items():
            self.happened[name] += sum(1 for job in jobs if sees(job))
        self.happened["messages"] += len(queue.sent)
        self.happened += Counter()  # leaves nothing at zero


SEEN: Mapping[str, Callable[[asyncpg.Record], bool]] = {
    "run": lambda job: bool(job["kind"] == "run" and job["started_at"]),
    "nested": lambda job: bool(job["kind"] == "run" and job["depth"] > 0),
    "retried": lambda job: job["retry_of"] is not None,
    "attempted again": lambda job: bool(job["attempt"] - job["free_attempts"] > 1),
    "attempted again for nothing": lambda job: bool(job["free_attempts"] > 0),
    "third epoch": lambda job: bool(job["epoch"] > 2),
    "runner lost": lambda job: "runner lost" in (job["message"] or ""),
    "cycle": lambda job: "wait for each other" in (job["message"] or ""),
    "later version": lambda job: bool(job["kind"] == "run" and (job["version"] or 0) > 1),
}


def _ignore_the_dead(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(dict(context))


def component_of(name: str) -> str:
    """The component whose configuration this is; `d` is not safe to run again."""
    return ORCHESTRATOR if name in ORCHESTRATIONS else "d" if name == "b" else "c"


def definition_of(phases: Drawn) -> dict[str, Any]:
    """Phases of tasks with ids of their own, so that a configuration may occur several times."""
    return {
        "phases": [
            {
                "name": f"Phase {index}",
                "tasks": [_task(f"{drawn[0]}-{index}-{place}", *drawn) for place, drawn in enumerate(phase)],
            }
            for index, phase in enumerate(phases)
        ]
    }


def _task(task_id: str, name: str, go_on: bool, attempts: int, late: bool, enabled: bool) -> dict[str, Any]:
    return {
        "id": task_id,
        "component": component_of(name),
        "configuration": name,
        "continue_on_failure": go_on,
        "attempts": attempts,
        "attempt_delay_seconds": DELAY_SECONDS if late else 0.0,
        "enabled": enabled,
    }


async def check_roll_up(world: World) -> None:
    """Every run that started ended as its tasks say."""
    for run in await world.admin.fetch(
        "SELECT id, status, stop_requested_at FROM jobs.jobs WHERE kind = 'run' AND started_at IS NOT NULL"
    ):
        rows = await world.admin.fetch("SELECT * FROM jobs.tasks WHERE run_id = $1", run["id"])
        states = [
            TaskState(
                row["task_id"],
                row["phase"],
                row["active"],
                TaskStatus(row["status"]),
                row["continue_on_failure"],
            )
            for row in rows
        ]
        step = next_step(states, stopping=run["stop_requested_at"] is not None)
        assert getattr(step, "status", None) == run["status"], "a run ends as its tasks did"


async def check_said(world: World) -> None:
    """Every durable message was published at least once, and none was made twice."""
    for number, replica in enumerate(world.living):
        await world.let_delays_pass()
        await replica.publish(backlog=number == 0)
    assert not await world.admin.fetchval("SELECT count(*) FROM jobs.outbox"), "the outbox drains"
    ids: dict[tuple[str, str], set[str]] = {}
    for message in world.exchange.published:
        if message.persistent:
            data = parse_envelope(message.body).data
            ids.setdefault((message.routing_key, data["job_id"]), set()).add(message.id)
    said = Counter(key for key, _ in ids)
    assert all(len(each) == 1 for each in ids.values()), "nothing is said twice"
    for key, condition in SAID.items():
        expected = await world.admin.fetch(f"SELECT id FROM jobs.jobs WHERE {condition}")
        heard = {UUID(job) for routing_key, job in ids if routing_key.startswith(key)}
        assert heard == {row["id"] for row in expected}, f"{key} is said of each: {said}"


SAID = {
    "run.created": "kind = 'run' AND parent_id IS NULL",
    "run.started": "kind = 'run' AND started_at IS NOT NULL",
    "run.finished": "kind = 'run' AND finished_at IS NOT NULL",
    "table.updated": "kind = 'component' AND status = 'success'",
}
