"""Stores what tasks write, as long as this replica owns their jobs."""

from collections.abc import Sequence

import asyncpg

from orchestrator_runner.executors.port import ExecutionLost
from orchestrator_runner.logs.capture import LogChunk
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import retry_while_unavailable


class LogStore:
    """Appends batches of chunks; during a database outage it waits, and so does the task."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._outage = OutageLog("logs")
        self._append = Queries.load("orchestrator_runner.logs", "store.sql")["append_logs"]

    async def append(self, job: ClaimedJob, chunks: Sequence[LogChunk]) -> None:
        """Raises ExecutionLost when the job has a new owner: its task must not continue."""
        tries = 0

        async def once() -> str:
            nonlocal tries
            tries += 1
            async with acquire(self._pool) as connection:
                status: str = await connection.execute(self._append, *_columns(job, chunks))
                return status

        status = await retry_while_unavailable(once, outage=self._outage)
        # The first try may have stored this batch, with only its answer lost; the next batch will show.
        if status == "INSERT 0 0" and tries == 1:
            raise ExecutionLost("the job has a new owner")


def _columns(job: ClaimedJob, chunks: Sequence[LogChunk]) -> tuple[list[object], ...]:
    count = len(chunks)
    return (
        [job.id] * count,
        [job.epoch] * count,
        [job.attempt] * count,
        [chunk.seq for chunk in chunks],
        [chunk.stream for chunk in chunks],
        [chunk.at for chunk in chunks],
        [chunk.text for chunk in chunks],
    )
