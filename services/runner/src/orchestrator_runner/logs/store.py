"""Storing what tasks write, as long as this replica owns their jobs."""

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from orchestrator_runner.executors.port import ExecutionLost
from orchestrator_runner.logs.capture import LogChunk
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.outages import Outage

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class LogStore:
    """Appends batches of chunks; waits out an outage of the database, as the task then must."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._outage = Outage("logs")
        self._append = Queries.load("orchestrator_runner.logs", "store.sql")["append_logs"]

    async def append(self, job: ClaimedJob, chunks: Sequence[LogChunk]) -> None:
        """Raises ExecutionLost when the job has a new owner: its task must not go on."""
        repeated = False
        while True:
            try:
                async with acquire(self._pool) as connection:
                    status = await connection.execute(self._append, *_columns(job, chunks))
                self._outage.end()
                break
            except Unavailable as error:
                if self._outage.is_news(str(error)):
                    log.warning("log.database_unavailable", reason=str(error))
                repeated = True
                await asyncio.sleep(RETRY_SECONDS)
        # A repeated batch may have been stored the first time, and its answer lost: the next one will tell.
        if status == "INSERT 0 0" and not repeated:
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
