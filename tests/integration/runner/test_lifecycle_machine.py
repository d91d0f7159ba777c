"""Random histories of runs on a real PostgreSQL: whatever happens, in whatever order, the rules hold."""

import asyncio
import os
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from tests.support.engine_histories import (
    CONFIGURATIONS,
    ORCHESTRATIONS,
    SEEN,
    House,
    check_roll_up,
    check_said,
)
from tests.support.engine_people import People, which
from tests.support.engine_replica import Killed, Replica, said
from tests.support.engine_world import PROJECT

from orchestrator_runner.executors.port import ExecutionLost
from orchestrator_runner.logs.capture import LogChunk
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import FINAL_STATUSES, Origin
from orchestrator_shared.runtime import failpoints

EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "25"))
STEPS = int(os.environ.get("LIFECYCLE_STEPS", "60"))
MOST_REPLICAS = 4

how = st.sampled_from(["success", "success", "error"])
faults = st.sampled_from([Killed, Killed, Unavailable])
DATABASE_POINTS = (failpoints.BEFORE_COMMIT, failpoints.BEFORE_PUBLISH)
RARE = {"attempted again", "cycle", "third epoch", "warning"}
RICH = {*failpoints.CRASH_POINTS, *FINAL_STATUSES, *SEEN, "fenced"} - RARE
"""What happens in histories that are rich enough to break something; the rest does now and then."""


class Lifecycle(People):
    """The part that works, fails and ends."""

    # What replicas do.

    @rule(which=which)
    def turn(self, which: int) -> None:
        self.do(self.take_turn(which))

    @rule(which=which)
    def work_at_once(self, which: int) -> None:
        self.do(self._work_at_once(which))

    async def _work_at_once(self, which: int) -> None:
        """Two replicas write how their attempts ended while a request of the same tasks comes in."""
        for replica in {self.replica(which), self.replica(which + 1)} - {None}:
            assert replica is not None
            for job_id in sorted(replica.open):
                await replica.act(_ended(replica, job_id, "success"))
        self.send([*ORCHESTRATIONS, *CONFIGURATIONS][which % 7])
        parts = [self.take_turn(which), self.take_turn(which + 1), self.hand_over(which + 2, [-1])]
        await asyncio.gather(*parts)

    @rule(which=which, how=how)
    def end_attempt(self, which: int, how: str) -> None:
        self.do(self._end_attempt(which, how))

    @rule(ends=st.lists(st.tuples(which, how), min_size=2, max_size=5))
    def work(self, ends: list[tuple[int, str]]) -> None:
        for place, end in ends:
            self.do(self.take_turn(place))
            self.do(self._end_attempt(place, end))

    async def _end_attempt(self, which: int, how: str) -> None:
        """Of any replica: also of one that was declared lost and does not know it yet."""
        attempts = [(each, job_id) for each in self.here.replicas for job_id in sorted(each.open)]
        if attempts:
            replica, job_id = attempts[which % len(attempts)]
            if await replica.act(_ended(replica, job_id, how)):
                await replica.act(replica.engine.turn())

    @rule(which=which)
    def write_log(self, which: int) -> None:
        self.do(self._write_log(which))

    async def _write_log(self, which: int) -> None:
        attempts = [(each, job_id) for each in self.here.replicas for job_id in sorted(each.open)]
        if not attempts:
            return
        replica, job_id = attempts[which % len(attempts)]
        job, _ = replica.open[job_id]
        row = self.kept.seen.jobs[job_id]
        owned = row["epoch"] == job.epoch and row["status"] in ("processing", "terminating")
        self.logged += 1
        chunk = LogChunk(self.logged, datetime.now(UTC), "stdout", "x")
        try:
            await replica.logs.append(job, [chunk])
            written = True
        except ExecutionLost:
            written = False
        self.house.happened["log line of a stale epoch"] += not owned
        assert written == owned, "a log line is written by the owner of its job, and by nobody else"
        count = await self.here.admin.fetchval("SELECT count(*) FROM jobs.logs WHERE seq = $1", self.logged)
        assert count == owned, "a stale epoch writes no log"

    # What goes wrong.

    @rule(which=which, point=st.sampled_from(failpoints.CRASH_POINTS), fault=faults)
    def fault_at_a_named_point(self, which: int, point: str, fault: type[BaseException]) -> None:
        self.do(self._fault(which, point, fault))

    @rule(which=which, point=st.sampled_from(failpoints.CRASH_POINTS))
    def crash_at_a_named_point(self, which: int, point: str) -> None:
        self.do(self._fault(which, point, Killed))

    async def _fault(self, which: int, point: str, fault: type[BaseException]) -> None:
        """It dies (its lease runs out later), or loses its connection and with it the answer."""
        busy = [each for each in self.alive if each.open] if point == failpoints.BEFORE_RESULT else []
        replica = busy[which % len(busy)] if busy else self.replica(which)
        if replica is None:
            return
        if fault is Unavailable:
            point = DATABASE_POINTS[which % 2]
        if point == failpoints.BEFORE_START or fault is Unavailable:
            self.send(CONFIGURATIONS[which % len(CONFIGURATIONS)])
            await self.hand_over(which + 1, [-1])
        replica.armed, replica.fault = point, fault
        if point == failpoints.BEFORE_MARK:
            await replica.act(replica.publish(backlog=True))
        elif point == failpoints.BEFORE_ACK or which % 2:
            self.send(ORCHESTRATIONS[which % len(ORCHESTRATIONS)])
            self.batch = await self.queue.deliver(replica, self.queue.draw([-1, which], again=which > 8))
        for job_id in sorted(replica.open)[:1]:
            await replica.act(_ended(replica, job_id, "success"))
        if not replica.dead:
            await replica.act(replica.engine.turn())
        if replica.armed is None and fault is Killed:
            self.house.happened[point] += 1
        replica.armed = None
        if len(self.alive) < 2:
            await self.here.add_replica()

    @rule(which=which, how=how)
    def lease_runs_out_at_work(self, which: int, how: str) -> None:
        self.do(self._lease_runs_out_at_work(which, how))

    async def _lease_runs_out_at_work(self, which: int, how: str) -> None:
        """Another one works on its jobs when it comes to and says how they ended: its word must not count."""
        busy = [replica for replica in self.alive if replica.open and not replica.lost]
        others = [replica for replica in self.alive if replica.id in self.kept.seen.holders]
        if not busy:
            await self.take_turn(which)
            return
        zombie = busy[which % len(busy)]
        successor = (
            next((each for each in others if each is not zombie), None) or await self.here.add_replica()
        )
        await self.here.expire(zombie)
        await successor.recovery.reap()
        for _ in range(2):
            await successor.act(successor.engine.turn())
        for job_id in sorted(zombie.open):
            await zombie.act(_ended(zombie, job_id, how))
        await zombie.act(zombie.engine.turn())

    @rule(which=which)
    def heartbeat(self, which: int) -> None:
        self.do(self._heartbeat(which))

    async def _heartbeat(self, which: int) -> None:
        replica = self.replica(which)
        if replica is not None:
            await replica.heartbeat()
        if len(self.alive) < 2:
            await self.here.add_replica()

    @rule(which=which, everything=st.booleans())
    def look(self, which: int, everything: bool) -> None:
        self.do(self._look(which, everything))

    async def _look(self, which: int, everything: bool) -> None:
        """Take over what lost replicas had; in the same step, or in a later one."""
        replica = self.replica(which)
        if replica is not None:
            await replica.recovery.reap()
            if everything:
                await replica.act(replica.engine.turn())

    @rule(which=which, taken_over=st.booleans())
    def lease_runs_out(self, which: int, taken_over: bool) -> None:
        self.do(self._lease_runs_out(which, taken_over))

    async def _lease_runs_out(self, which: int, taken_over: bool) -> None:
        """Of a dead replica or of one that hangs; where another one notices, it is a zombie from now on."""
        replica = self.here.replicas[which % len(self.here.replicas)]
        await self.here.expire(replica)
        if taken_over:
            await self._look(which + 1, True)

    @rule()
    def delays_pass(self) -> None:
        self.do(self.here.let_delays_pass())

    @rule(slots=st.integers(1, 3))
    def another_replica(self, slots: int) -> None:
        if len(self.alive) < MOST_REPLICAS:
            self.do(self._add(slots))

    async def _add(self, slots: int) -> None:
        await self.here.add_replica(slots=slots)

    def teardown(self) -> None:
        if self.world is not None:
            self.house.runner.run(self._finish())

    async def _finish(self) -> None:
        """Everything that was asked for comes to an end, and nothing of it is left in a replica."""
        number = next(self.house.numbers)
        await self._do(
            self._fault(
                2 * number + 1, failpoints.CRASH_POINTS[number % len(failpoints.CRASH_POINTS)], Killed
            )
        )
        await self.here.limit(None)
        for replica in self.alive:
            await replica.heartbeat()
        await self.here.add_replica()
        for replica in self.here.replicas:
            if replica.dead:
                await self.here.expire(replica)
        while self.queue.line:
            await self._do(self.hand_over(0, range(len(self.queue.line))))
        await self.here.finish()
        await self._do(asyncio.sleep(0))
        self.house.note(self.kept.seen.jobs.values(), self.queue)
        await check_roll_up(self.here)
        await self._check_slots()
        await check_said(self.here)

    async def _check_slots(self) -> None:
        """Every slot of every replica is free again."""
        for replica in self.here.living:
            await replica.engine.turn()
            assert not replica.open
            assert replica.engine.running == 0, "slots never leak"
            now = datetime.now(UTC)
            fields = {"project": PROJECT, "component": "c", "origin": Origin.API}
            names = [f"slot-{number}" for number in range(replica.slots)]
            await replica.accept(
                [
                    RunRequested(
                        job_id=new_job_id(), configuration=name, requested_at=now, scheduled_for=now, **fields
                    )
                    for name in names
                ]
            )
            await replica.engine.turn()
            await asyncio.sleep(0)
            for job_id in sorted(replica.open):
                await replica.end_attempt(job_id, said(replica.open[job_id][0]))
                names.pop()
            assert not names, "slots never leak"
            await replica.engine.turn()


async def _ended(replica: Replica, job_id: UUID, how: str) -> None:
    job, _ = replica.open[job_id]
    if how == "success":
        await replica.end_attempt(job_id, said(job))
    else:
        await replica.fail_attempt(job_id, said(job).message)


def run_histories(examples: int, steps: int, *, derandomize: bool) -> House:
    """Say afterwards what happened in them."""
    with House.open() as house:
        run_state_machine_as_test(
            type("Lifecycle", (Lifecycle,), {"house": house}),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=derandomize,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(f"happened: {dict(sorted(house.happened.items()))}")
    return house


@pytest.mark.timeout(600)
def test_random_histories_keep_the_rules() -> None:
    house = run_histories(EXAMPLES, STEPS, derandomize="LIFECYCLE_EXAMPLES" not in os.environ)
    assert house.happened.keys() >= RICH or EXAMPLES < 25, f"not seen: {RICH - house.happened.keys()}"
