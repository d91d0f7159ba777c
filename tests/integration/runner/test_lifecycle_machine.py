"""Random histories of runs on a real PostgreSQL: whatever happens, in whatever order, the rules hold."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support import databases
from tests.support.engine_world import Replica, World

from orchestrator_runner.domain.lifecycle import TaskState, next_step
from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy, TaskStatus

CONFIGURATIONS = ("a", "b", "c")
ORCHESTRATIONS = ("one", "two", "outer")
EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "25"))
STEPS = int(os.environ.get("LIFECYCLE_STEPS", "50"))

tasks_drawn = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(CONFIGURATIONS),
            st.booleans(),
            st.integers(1, 2),
            st.sampled_from([True, True, False]),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


class Lifecycle(RuleBasedStateMachine):
    """Requests, redeliveries, endings, losses, zombies, terminations: in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.requests: list[RunRequested] = []
        self.finals: dict[UUID, tuple[str, datetime]] = {}

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @initialize(one=tasks_drawn, two=tasks_drawn)
    def begin(self, one: Any, two: Any) -> None:
        self.do(self._begin(one, two))

    async def _begin(self, one: Any, two: Any) -> None:
        database = await self.stack.enter_async_context(databases.migrated_database())
        self.world = await self.stack.enter_async_context(World.open(database))
        for name in CONFIGURATIONS:
            await self.world.save("d" if name == "b" else "c", name, {})
        await self.world.save("orchestrator", "one", _definition(one))
        await self.world.save("orchestrator", "two", _definition(two))
        nested = [{**_task("one", False, 1, True), "component": "orchestrator"}]
        outer = {"phases": [{"name": "n", "tasks": nested}, *_definition(two)["phases"]]}
        await self.world.save("orchestrator", "outer", outer)
        for _ in range(2):
            await self.world.add_replica()

    @rule(name=st.sampled_from(ORCHESTRATIONS), overlap=st.sampled_from(list(OverlapPolicy)))
    def request(self, name: str, overlap: OverlapPolicy) -> None:
        now = datetime.now(UTC)
        self.requests.append(
            RunRequested(
                job_id=new_job_id(),
                project="p",
                configuration=name,
                origin=Origin.SCHEDULE,
                requested_at=now,
                scheduled_for=now,
                overlap=overlap,
                schedule_id=UUID(int=ORCHESTRATIONS.index(name) + 1),
                fire_key=str(len(self.requests)),
            )
        )
        self.do(self.world.replicas[-1].accept([self.requests[-1]]))

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def redeliver(self, data: st.DataObject) -> None:
        again = data.draw(st.lists(st.sampled_from(self.requests), min_size=1, max_size=3))
        self.do(self.world.replicas[-1].accept(again))

    @rule(which=st.integers(0, 5))
    def turn(self, which: int) -> None:
        replicas = self.world.replicas  # lost ones too: zombies go on until they learn
        self.do(replicas[which % len(replicas)].engine.turn())

    @rule(which=st.integers(0, 20), how=st.sampled_from(["success", "success", "error"]))
    def end_attempt(self, which: int, how: str) -> None:
        attempts = [(r, job) for r in self.world.replicas for job in sorted(r.open)]
        if attempts:
            replica, job_id = attempts[which % len(attempts)]
            self.do(self._end(replica, job_id, how))

    async def _end(self, replica: Replica, job_id: UUID, how: str) -> None:
        await (replica.end_attempt if how == "success" else replica.fail_attempt)(job_id)
        await replica.engine.turn()

    @precondition(lambda self: len(self.world.living) > 1)
    @rule(which=st.integers(0, 1), at_once=st.booleans())
    def lose_replica(self, which: int, at_once: bool) -> None:
        self.do(self._lose(self.world.living[which], at_once=at_once))

    async def _lose(self, replica: Replica, *, at_once: bool) -> None:
        replica.lost = True
        await self.world.pool.execute(
            "UPDATE jobs.replicas SET lease_until = '-infinity' WHERE id = $1", replica.id
        )
        await self.world.living[0].recovery.look()
        if len(self.world.replicas) < 5:
            await self.world.add_replica()
        if at_once:  # others own its jobs now, while it still executes them: its word must not count
            await self.world.living[0].engine.turn()
            for job_id in sorted(replica.open):
                await self._end(replica, job_id, "success")

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def terminate(self, data: st.DataObject) -> None:
        self.do(self._terminate(data.draw(st.integers(0, 7))))

    async def _terminate(self, which: int) -> None:
        rows = await self.world.pool.fetch(
            "SELECT id FROM jobs.jobs ORDER BY finished_at IS NOT NULL, accepted_at, id LIMIT 8"
        )
        job = rows[which % len(rows)]["id"] if rows else self.requests[0].job_id
        await self.world.replicas[-1].terminate(TerminateRequested(job_id=job, project="p"))

    @invariant()
    def rules_hold(self) -> None:
        if hasattr(self, "world"):
            self.do(self._check())

    async def _check(self) -> None:
        jobs = await self.world.pool.fetch("SELECT * FROM jobs.jobs ORDER BY lane_id, seq")
        for job in jobs:
            if job["finished_at"] is not None:
                final = (job["status"], job["finished_at"])
                assert self.finals.setdefault(job["id"], final) == final, "finished is final"
        started = [job for job in jobs if job["started_at"] is not None]
        for earlier, later in pairwise(started):
            if earlier["lane_id"] == later["lane_id"]:
                assert earlier["started_at"] <= later["started_at"], "first come, first served"
        overlaps = await self.world.pool.fetch(
            """SELECT t.run_id
               FROM jobs.tasks t JOIN jobs.tasks u ON u.run_id = t.run_id AND u.phase > t.phase
               WHERE t.status IN ('pending', 'started')
                   AND u.status NOT IN ('pending', 'skipped', 'not_executed')"""
        )
        assert not overlaps, "phases never overlap"
        orphans = await self.world.pool.fetch(
            """SELECT c.id FROM jobs.jobs r JOIN jobs.jobs c ON c.parent_id = r.id
               WHERE r.finished_at IS NOT NULL AND c.finished_at IS NULL"""
        )
        assert not orphans, "a run ends after its children"
        self._check_owners({job["id"]: job for job in jobs})
        await self._check_counts()

    def _check_owners(self, jobs: Mapping[UUID, asyncpg.Record]) -> None:
        """Only the owner's word ends an attempt."""
        for replica in self.world.replicas:
            for job, future in replica.open.values():
                row = jobs[job.id]
                if not future.done() and row["epoch"] == job.epoch and not replica.lost:
                    assert row["status"] in ("processing", "terminating"), "ended by somebody else"

    async def _check_counts(self) -> None:
        wrong = await self.world.pool.fetch(
            """SELECT p.run_id FROM jobs.phases p JOIN jobs.jobs r ON r.id = p.run_id
               WHERE p.remaining <> (SELECT count(*) FROM jobs.tasks t
                   WHERE (t.run_id, t.phase) = (p.run_id, p.index)
                   AND t.status IN ('pending', 'started', 'not_executed'))"""
        )
        assert not wrong, "remaining counts the tasks that have not finished"
        merged = await self.world.pool.fetchval("SELECT count(*) FROM jobs.request_records")
        roots = await self.world.pool.fetchval("SELECT count(*) FROM jobs.jobs WHERE parent_id IS NULL")
        assert merged + roots == len(self.requests), "every request becomes one row, however often delivered"

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.do(self._finish())
        finally:
            self.do(self.stack.aclose())
            self.runner.close()

    async def _finish(self) -> None:
        """Everything that was asked for comes to an end."""
        await self.world.finish()
        await self._check()
        await self._check_roll_up()
        await self.world.let_go()

    async def _check_roll_up(self) -> None:
        for run in await self.world.pool.fetch(
            """SELECT id, status, stop_requested_at FROM jobs.jobs
               WHERE kind = 'run' AND started_at IS NOT NULL"""
        ):
            rows = await self.world.pool.fetch("SELECT * FROM jobs.tasks WHERE run_id = $1", run["id"])
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


def _task(name: str, go_on: bool, attempts: int, enabled: bool) -> dict[str, Any]:
    return {
        "id": name,
        "component": "d" if name == "b" else "c",
        "configuration": name,
        "continue_on_failure": go_on,
        "attempts": attempts,
        "enabled": enabled,
    }


def _definition(phases: Sequence[Sequence[tuple[str, bool, int, bool]]]) -> dict[str, Any]:
    """Phases of tasks with ids of their own, so that a configuration may occur several times."""
    return {
        "phases": [
            {
                "name": f"Phase {index}",
                "tasks": [
                    {**_task(*drawn), "id": f"{drawn[0]}-{index}-{position}"}
                    for position, drawn in enumerate(phase)
                ],
            }
            for index, phase in enumerate(phases)
        ]
    }


@pytest.mark.timeout(300)
def test_random_histories_keep_the_rules() -> None:
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="LIFECYCLE_EXAMPLES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
