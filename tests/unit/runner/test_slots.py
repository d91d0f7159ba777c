"""A replica's slots: how many attempts at once, in which order, and what is given back."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from tests.support.claimed_jobs import claimed_job

from orchestrator_runner.queue.slots import Execute, Prepared, Slots
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.domain.statuses import JobStatus

NOW = datetime.now(UTC)


def job(number: int) -> ClaimedJob:
    return claimed_job(number, safe_to_rerun=True)


class Bench:
    """Slots whose attempts end when the test says so."""

    def __init__(self, count: int) -> None:
        self.results: list[Result] = []
        self.begun: list[int] = []
        self.ends: dict[int, asyncio.Event] = {}
        self.slots = Slots(count, self.results.append)

    def claim(self, *numbers: int) -> None:
        jobs = [job(number) for number in numbers]
        self.slots.take(jobs, asyncio.ensure_future(self._prepare(jobs)))

    async def _prepare(self, jobs: Sequence[ClaimedJob]) -> Prepared:
        return {one.id: self._execution(one) for one in jobs}

    def _execution(self, claimed: ClaimedJob) -> Execute:
        return partial(self._execute, claimed)

    async def _execute(self, claimed: ClaimedJob, stop: asyncio.Event) -> Result:
        number = claimed.id.int
        self.begun.append(number)
        end = self.ends[number] = asyncio.Event()
        waits = {asyncio.ensure_future(end.wait()), asyncio.ensure_future(stop.wait())}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        status = JobStatus.TERMINATED if stop.is_set() else JobStatus.SUCCESS
        return Result(claimed.id, 1, number, None, None, Ending(status))

    async def end(self, number: int) -> None:
        self.ends[number].set()
        await settled()

    def reported(self) -> list[tuple[int, str]]:
        return [(result.job_id.int, result.ending.status.value) for result in self.results]


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_slots_run_and_the_rest_begins_in_order() -> None:
    bench = Bench(2)
    bench.claim(1, 2, 3)
    bench.claim(4)
    await settled()
    assert bench.begun == [1, 2]

    await bench.end(2)
    assert bench.begun == [1, 2, 3]
    await bench.end(1)
    assert bench.begun == [1, 2, 3, 4]
    assert bench.slots.running == 2
    await bench.end(3)
    await bench.end(4)
    assert bench.slots.jobs == set()
    assert bench.reported() == [(n, "success") for n in (2, 1, 3, 4)]


async def test_what_waits_for_a_slot_is_given_back_after_a_while() -> None:
    bench = Bench(1)
    bench.claim(1, 2)
    await settled()
    assert bench.slots.give_back(older_than=60) == []

    given = bench.slots.give_back(older_than=0)

    assert [(result.job_id.int, result.ending.status) for result in given] == [(2, JobStatus.READY)]
    assert bench.slots.jobs == {UUID(int=1)}
    await bench.end(1)
    assert bench.begun == [1]


async def test_a_job_that_is_stopped_before_it_began_is_given_back() -> None:
    bench = Bench(1)
    bench.claim(1, 2)
    await settled()

    given = bench.slots.stop({UUID(int=1), UUID(int=2), UUID(int=9)})
    await settled()

    assert [result.job_id.int for result in given] == [2]
    assert bench.reported() == [(1, "terminated")]


async def test_nothing_is_claimed_ahead_of_long_attempts() -> None:
    bench = Bench(4)
    assert bench.slots.room(step_seconds=0.01) == (4, 0)
    bench.claim(1, 2, 3, 4)
    await settled()
    assert bench.slots.room(step_seconds=0.01) == (0, 0)
    for number in (1, 2, 3, 4):
        await bench.end(number)
    assert bench.slots.room(step_seconds=0.01) == (4, 0), "four in the pace's time are no hurry"


async def test_short_attempts_are_claimed_ahead_of_but_not_without_bound() -> None:
    bench = Bench(4)
    for number in range(1, 101):
        bench.claim(number)
        await settled()
        await bench.end(number)

    free, ahead = bench.slots.room(step_seconds=0.01)
    assert (free, 0 < ahead <= 16) == (4, True)
    assert bench.slots.room(step_seconds=60) == (4, 64)

    bench.claim(*range(200, 210))
    await settled()
    assert bench.slots.room(step_seconds=60) == (0, 58)
    bench.slots.give_back(older_than=0)
    for number in (200, 201, 202, 203):
        await bench.end(number)


async def test_draining_stops_what_takes_longer_than_its_time() -> None:
    bench = Bench(1)
    bench.claim(1)
    await settled()
    await bench.slots.drain(0.01, 5)
    assert bench.reported() == [(1, "terminated")]
    assert bench.slots.running == 0
