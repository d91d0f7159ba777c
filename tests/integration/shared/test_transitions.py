"""The database refuses every transition that the tables in `statuses` do not have."""

from collections.abc import AsyncIterator, Mapping
from itertools import product
from uuid import uuid4

import asyncpg
import pytest
from tests.support.databases import Database

from orchestrator_shared.domain.statuses import TASK_TRANSITIONS, TRANSITIONS, JobStatus, TaskStatus

STORED = [status for status in JobStatus if status is not JobStatus.CREATED]
JOB = """
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
                       scheduled_for, requested_at, attempt, finished_at, error_kind)
SELECT $1, id, 1, 'p', 'c', 'x', 'run', $2, 'api', $1, now(), now(), ($2 <> 'cancelled')::integer,
       CASE WHEN $3 THEN now() END, CASE WHEN $2 = 'error' THEN 'user' END
FROM jobs.lanes
"""
BECOMES = """
UPDATE jobs.jobs SET status = $2, attempt = ($2 <> 'cancelled')::integer,
    finished_at = CASE WHEN $3 THEN now() END, error_kind = CASE WHEN $2 = 'error' THEN 'user' END
WHERE id = $1
"""
TASK = """
INSERT INTO jobs.tasks (run_id, phase, position, task_id, name, component, configuration, request,
                        continue_on_failure, status, lane_id, active)
SELECT j.id, 0, 0, 't', 't', 'c', 'x', '{}', false, $1, j.lane_id, true FROM jobs.jobs j
"""


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Who has every right; everything is rolled back."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO jobs.lanes (project, component, configuration) VALUES ('p', 'c', 'x')"
        )
        yield connection


async def tried(connection: asyncpg.Connection, before: str, after: str, constraint: str) -> bool:
    """Whether the last of these statements is allowed; none of them stays."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if constraint == "jobs_transitions":
            job = uuid4()
            await connection.execute(JOB, job, before, JobStatus(before).is_final)
            await connection.execute(BECOMES, job, after, JobStatus(after).is_final)
        else:
            await connection.execute(JOB, uuid4(), JobStatus.PROCESSING, False)
            await connection.execute(
                "INSERT INTO jobs.phases (run_id, index, name, remaining) SELECT id, 0, '', 1 FROM jobs.jobs"
            )
            await connection.execute(TASK, before)
            await connection.execute("UPDATE jobs.tasks SET status = $1", after)
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != constraint:
            raise
        return False
    finally:
        await transaction.rollback()
    return True


def table(transitions: Mapping[JobStatus, frozenset[JobStatus]]) -> dict[str, set[str]]:
    """What may follow each status that is stored; to write the same status again is no transition."""
    return {status: {status, *transitions[status]} for status in STORED}


async def test_jobs(superuser: asyncpg.Connection) -> None:
    allowed: dict[str, set[str]] = {status: set() for status in STORED}
    for before, after in product(STORED, STORED):
        if await tried(superuser, before, after, "jobs_transitions"):
            allowed[before].add(after)
    assert allowed == table(TRANSITIONS)


async def test_tasks(superuser: asyncpg.Connection) -> None:
    allowed: dict[str, set[str]] = {status: set() for status in TaskStatus}
    for before, after in product(TaskStatus, TaskStatus):
        if await tried(superuser, before, after, "tasks_transitions"):
            allowed[before].add(after)
    assert allowed == {status: {status, *after} for status, after in TASK_TRANSITIONS.items()}


async def test_the_refusal_names_what_was_tried(superuser: asyncpg.Connection) -> None:
    await superuser.execute(JOB, uuid4(), JobStatus.SUCCESS, True)
    with pytest.raises(asyncpg.CheckViolationError, match="status cannot change from success to waiting"):
        await superuser.execute("UPDATE jobs.jobs SET status = 'waiting', finished_at = NULL")


async def test_an_attempt_ends_once(superuser: asyncpg.Connection) -> None:
    await superuser.execute(JOB, uuid4(), JobStatus.PROCESSING, False)
    await superuser.execute(
        "INSERT INTO jobs.attempts (job_id, attempt, replica_id) SELECT id, 1, id FROM jobs.jobs"
    )
    for _ in range(2):  # to say the same again changes nothing
        await superuser.execute("UPDATE jobs.attempts SET outcome = 'lost'")
    for outcome in ("success", None):
        with pytest.raises(asyncpg.CheckViolationError, match="outcome cannot change from lost to"):
            await superuser.execute("UPDATE jobs.attempts SET outcome = $1", outcome)
