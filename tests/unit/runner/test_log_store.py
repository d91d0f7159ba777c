"""Storing logs when the database's answers do not arrive, and when the job belongs to somebody else."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import asyncpg
import pytest
from tests.support.claimed_jobs import claimed_job

from orchestrator_runner.executors.port import ExecutionLost
from orchestrator_runner.logs.capture import LogChunk
from orchestrator_runner.logs.store import LogStore

NOTHING_STORED = "INSERT 0 0"
CHUNKS = [LogChunk(1, datetime(2026, 3, 1, tzinfo=UTC), "stdout", "hello\n")]
JOB = claimed_job()


class Answers:
    """A pool whose statements end as told."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers: Iterator[str | Exception] = iter(answers)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Answers"]:
        yield self

    async def expire_connections(self) -> None:
        pass

    def is_closed(self) -> bool:
        return True

    async def execute(self, *_: Any) -> str:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def store(*answers: str | Exception) -> LogStore:
    return LogStore(cast(asyncpg.Pool, Answers(*answers)))


async def test_lines_of_a_lost_job_are_not_stored() -> None:
    with pytest.raises(ExecutionLost):
        await store(NOTHING_STORED).append(JOB, CHUNKS)


async def test_a_batch_that_was_stored_although_its_answer_was_lost_costs_no_job() -> None:
    lost = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    await store(lost, NOTHING_STORED).append(JOB, CHUNKS)
