"""All that is known after a chaos run: the tasks' ledger, the database's records, what was asked for."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
from tests.support.chaos_faults import Death
from tests.support.chaos_ledger import Execution, read
from tests.support.chaos_load import Asked
from tests.support.chaos_world import Scene

from orchestrator_shared.contracts.message import DEAD_LETTERS
from orchestrator_shared.contracts.routing import RUNNER_COMMANDS

WATCH = """
CREATE TABLE public.revived (job_id uuid, before text, after text);
CREATE FUNCTION public.note_revived() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.revived VALUES (OLD.id, OLD::text, NEW::text);
    RETURN NEW;
END $$;
CREATE TRIGGER note_revived AFTER UPDATE ON jobs.jobs FOR EACH ROW
WHEN (OLD.finished_at IS NOT NULL AND
      (OLD.status, OLD.finished_at, OLD.attempt, OLD.free_attempts, OLD.message, OLD.output_tables)
      IS DISTINCT FROM
      (NEW.status, NEW.finished_at, NEW.attempt, NEW.free_attempts, NEW.message, NEW.output_tables))
EXECUTE FUNCTION public.note_revived();
"""
"""The database itself notes every change of a finished job: no look at the right moment is needed."""

LEFT = """
SELECT (SELECT count(*) FROM jobs.jobs WHERE finished_at IS NULL) AS unfinished_jobs,
       (SELECT count(*) FROM jobs.outbox) + (SELECT count(*) FROM catalog.outbox) AS unsent_messages,
       (SELECT count(*) FROM unnest($1::uuid[]) AS asked (id)
        WHERE NOT EXISTS (SELECT FROM jobs.jobs j WHERE j.id = asked.id)
          AND NOT EXISTS (SELECT FROM jobs.request_records r WHERE r.job_id = asked.id)) AS unheard_requests
"""

UNTIDY = """
SELECT (SELECT count(*) FROM jobs.tasks WHERE status IN ('pending', 'started')) AS unfinished_tasks,
       (SELECT count(*) FROM jobs.attempts WHERE finished_at IS NULL OR outcome IS NULL) AS open_attempts,
       (SELECT count(*) FROM jobs.tombstones JOIN jobs.jobs ON id = job_id) AS forgotten_tombstones,
       (SELECT count(*) FROM jobs.jobs j JOIN jobs.request_records r ON r.job_id = j.id) AS jobs_with_records,
       (SELECT count(*) FROM jobs.phases p JOIN jobs.jobs j ON j.id = p.run_id
        WHERE p.started_at IS NOT NULL AND p.remaining > 0) AS unfinished_phases,
       (SELECT count(*) FROM jobs.lanes l WHERE next_seq <= (
            SELECT max(seq) FROM jobs.jobs j WHERE j.lane_id = l.id)) AS lanes_that_count_wrong
"""

Attempt = tuple[UUID, int]


@dataclass
class Evidence:
    """Read once, at rest."""

    asked: Asked
    deaths: Sequence[Death]
    executions: Sequence[Execution]
    slots: int
    limits: dict[str, int]
    jobs: dict[UUID, asyncpg.Record] = field(default_factory=dict)
    tasks: dict[UUID, list[asyncpg.Record]] = field(default_factory=lambda: defaultdict(list))
    attempts: dict[Attempt, asyncpg.Record] = field(default_factory=dict)
    logs: dict[Attempt, list[asyncpg.Record]] = field(default_factory=lambda: defaultdict(list))
    records: dict[UUID, asyncpg.Record] = field(default_factory=dict)
    replicas: dict[UUID, asyncpg.Record] = field(default_factory=dict)
    revived: Sequence[asyncpg.Record] = ()
    untidy: dict[str, int] = field(default_factory=dict)
    by_job: dict[UUID, list[Execution]] = field(default_factory=lambda: defaultdict(list))

    def lanes(self, kind: str) -> dict[int, list[asyncpg.Record]]:
        """The jobs of this kind by lane, in the order of their numbers."""
        found: dict[int, list[asyncpg.Record]] = defaultdict(list)
        for job in sorted(self.jobs.values(), key=lambda each: each["seq"]):
            if job["kind"] == kind:
                found[job["lane_id"]].append(job)
        return found

    def ancestors(self, job: asyncpg.Record) -> Iterator[asyncpg.Record]:
        """The run a job belongs to, the run that belongs to, and so on."""
        while job["parent_id"] is not None:
            job = self.jobs[job["parent_id"]]
            yield job

    def was_stopped(self, job: asyncpg.Record) -> bool:
        """By request: itself or what it belongs to."""
        return any(each["id"] in self.asked.stopped for each in (job, *self.ancestors(job)))


async def left(scene: Scene, asked: Asked) -> dict[str, int]:
    """What is still to be done, by name; empty at rest."""
    (row,) = await scene.database.fetch(LEFT, asked.jobs)
    found = {name: count for name, count in row.items() if count}
    return found or {name: count for name, count in (await _messages(scene)).items() if count}


async def _messages(scene: Scene) -> dict[str, int]:
    """How many messages lie in the queues, as the queues themselves say."""
    async with asyncio.timeout(60), await aio_pika.connect(scene.broker.url) as connection:
        channel = await connection.channel()
        queues = [
            await channel.declare_queue(name, passive=True) for name in (RUNNER_COMMANDS.name, DEAD_LETTERS)
        ]
        return {queue.name: queue.declaration_result.message_count or 0 for queue in queues}


async def gather(scene: Scene, evidence: Evidence) -> Evidence:
    """Read everything."""
    database = scene.database
    evidence.jobs = {row["id"]: row for row in await database.fetch("SELECT * FROM jobs.jobs")}
    for row in await database.fetch("SELECT * FROM jobs.tasks ORDER BY run_id, phase, position"):
        evidence.tasks[row["run_id"]].append(row)
    for row in await database.fetch("SELECT * FROM jobs.attempts"):
        evidence.attempts[row["job_id"], row["attempt"]] = row
    for row in await database.fetch("SELECT * FROM jobs.logs ORDER BY job_id, attempt, seq"):
        evidence.logs[row["job_id"], row["attempt"]].append(row)
    evidence.records = {
        row["job_id"]: row for row in await database.fetch("SELECT * FROM jobs.request_records")
    }
    evidence.replicas = {row["id"]: row for row in await database.fetch("SELECT * FROM jobs.replicas")}
    evidence.revived = await database.fetch("SELECT * FROM public.revived")
    (row,) = await database.fetch(UNTIDY)
    evidence.untidy = {name: count for name, count in row.items() if count}
    evidence.executions = read(scene.ledger)
    for execution in evidence.executions:
        evidence.by_job[execution.job_id].append(execution)
    return evidence


def brief(job: asyncpg.Record) -> dict[str, Any]:
    """What helps to find out why."""
    names = ("id", "component", "configuration", "status", "message", "attempt", "free_attempts", "parent_id")
    return {name: str(job[name]) for name in names}
