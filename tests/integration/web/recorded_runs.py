"""Runs as runners record them: phases, tasks, attempts and logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.web.conftest import Visit

MESSAGE = "column r.opted_in does not exist"
LOG = (
    *(f"Read {count},000 rows" for count in range(1, 22)),
    f"ERROR: {MESSAGE}",
    "LINE 7:  WHERE r.opted_in AND c.ended_at IS NULL",
    'HINT:  Perhaps you meant to reference the column "r.opt_in".',
    "Exit code 1",
)

PIECE = 700


@dataclass
class Recorded:
    """A run that began some time ago; times are seconds from its request."""

    visit: Visit
    name: str
    number: int
    run: UUID
    begin: datetime

    def at(self, seconds: float) -> datetime:
        return self.begin + timedelta(seconds=seconds)

    async def phases(self, **seconds: Sequence[float | None]) -> None:
        """Each with its start and end, if it started."""
        for index, (name, times) in enumerate(seconds.items()):
            begin, end = (None if time is None else self.at(time) for time in times or (None, None))
            await self.visit.site.database.execute(
                "INSERT INTO jobs.phases (run_id, index, name, remaining, started_at, finished_at)"
                " VALUES ($1, $2, $3, 0, $4, $5)",
                self.run,
                index,
                name.replace("_", " ").capitalize(),
                begin,
                end,
            )

    async def task(
        self, phase: int, name: str, status: str, seconds: Sequence[float] = (), **more: Any
    ) -> UUID | None:
        """Its times: accepted, ready, started, and its end if there is one."""
        job = await self._job(name, status, seconds, **more) if seconds else None
        await self.visit.site.database.execute(
            "INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration,"
            " request, continue_on_failure, status, job_id, lane_id, active)"
            " VALUES ($1, $2, (SELECT count(*) FROM jobs.tasks WHERE run_id = $1), $3, $4, 'demo-extractor',"
            " $3, '{}', false, $5, $6, $7, true)",
            self.run,
            phase,
            name,
            name.replace("-", " ").capitalize(),
            status if status in ("success", "error", "pending", "not_executed") else "started",
            job,
            await self.visit.runner.lane("demo-extractor", name),
        )
        return job

    async def _job(self, name: str, status: str, seconds: Sequence[float], **more: Any) -> UUID:
        accepted, ready, started, *ended = map(self.at, seconds)
        times = {"requested_at": accepted, "accepted_at": accepted, "due_at": accepted, "ready_at": ready}
        if status not in ("waiting", "ready"):
            times["started_at"] = started
        if ended:
            times["finished_at"] = ended[0]
        return await self.visit.runner.job(
            name, self.number, status, parent=self.run, task_id=name, version=1, **times, **more
        )


async def written(
    visit: Visit, job: UUID, lines: Sequence[str], stream: str = "stderr", *, seq: int = 1
) -> None:
    """Lines of a job's log, in pieces as runners write them; more of them begin with a higher `seq`."""
    texts = [
        "".join(f"{line}\n" for line in lines[begin : begin + PIECE]) for begin in range(0, len(lines), PIECE)
    ]
    await visit.site.database.execute(
        "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text, line_ends, is_open)"
        " SELECT $1, 1, seq, $2, now(), text, ends, false FROM unnest($3::int[], $4::text[], $5::int[])"
        " AS piece (seq, text, ends)",
        job,
        stream,
        list(range(seq, seq + len(texts))),
        texts,
        [text.count("\n") for text in texts],
    )


PHASES = {
    "Extract": ("campaigns", "one"),
    "Transform": ("campaign-performance",),
    "Second transformation": ("campaign-recipient",),
    "Write": ("new-recipients", "newsletter-tags"),
}


async def defined(visit: Visit) -> None:
    """The orchestration `campaigns` as the run that fails ran it."""
    for name in (name for names in PHASES.values() for name in names):
        await visit.client.put(f"configurations/demo-extractor/{name}", {"parameters": {"rows": 1}})
    phases = [
        {
            "name": phase,
            "tasks": [
                {
                    "id": name,
                    "name": name.replace("-", " ").capitalize(),
                    "component": "demo-extractor",
                    "configuration": name,
                }
                for name in names
            ],
        }
        for phase, names in PHASES.items()
    ]
    await visit.client.put("orchestrations/campaigns", {"phases": phases})


async def begun(visit: Visit, name: str, number: int, status: str, *, took: float = 413) -> Recorded:
    """The run itself, which was requested so many seconds ago (and 3 more)."""
    run = await visit.ran(name, number, status, took=took)
    begin = await visit.site.database.fetchval("SELECT requested_at FROM jobs.jobs WHERE id = $1", run)
    return Recorded(visit, name, number, run, begin)


async def failed(
    visit: Visit, number: int = 42, message: str = MESSAGE, lines: Sequence[str] = LOG
) -> Recorded:
    """A run of `campaigns` whose third phase failed after waits for a configuration and a slot."""
    made = await begun(visit, "campaigns", number, "error")
    await defined(visit)
    await made.phases(extract=(3, 236), transform=(236, 370), second_transformation=(370, 412), write=())
    await made.task(0, "campaigns", "success", (3, 3, 15, 200))
    await made.task(0, "one", "success", (3, 128, 128, 236))
    await made.task(1, "campaign-performance", "success", (236, 236, 250, 370))
    job = await made.task(2, "campaign-recipient", "error", (370, 370, 371, 412), message=message)
    assert job is not None
    await written(visit, job, lines)
    await made.task(3, "new-recipients", "not_executed")
    await made.task(3, "newsletter-tags", "not_executed")
    return made


MINUTE = timedelta(minutes=1)


async def _since(visit: Visit, minutes: float, *, is_started: bool = True) -> dict[str, datetime]:
    """The times of a job that was requested, accepted and perhaps started so long ago."""
    now: datetime = await visit.site.database.fetchval("SELECT clock_timestamp()")
    names = ("requested_at", "accepted_at", "due_at", *(["started_at"] if is_started else []))
    return dict.fromkeys(names, now - minutes * MINUTE)


async def lane(visit: Visit, name: str = "nightly-sales") -> tuple[UUID, Sequence[UUID]]:
    """A task of its run 411 has held `one` for four of its usual ten minutes; three jobs wait."""
    await visit.orchestration(name)
    runner = visit.runner
    times = await _since(visit, 1440)
    for number in range(1, 6):
        ended = times["started_at"] + 10 * MINUTE
        await runner.job("one", number, "success", **times, finished_at=ended)
    run = await runner.job(name, 411, "processing", component="orchestrator", **await _since(visit, 5))
    task = {"parent": run, "origin": "parent", "task_id": "one"}
    holder = await runner.job("one", 6, "processing", **task, **await _since(visit, 4))
    waiting = []
    for number, person in ((7, "Petra Dvořák"), (8, "Tomáš Říha"), (9, "Jana Nováková")):
        asked = await _since(visit, 4 - number / 3, is_started=False)
        waiting.append(await runner.job("one", number, "waiting", requested_by=person, **asked))
    return holder, waiting
