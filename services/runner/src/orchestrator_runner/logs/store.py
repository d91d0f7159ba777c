"""Stores what tasks write, as long as this replica owns their jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from orchestrator_runner.executors.port import ExecutionLost, Stream
from orchestrator_runner.logs.capture import LogChunk
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import retry_while_unavailable


@dataclass(frozen=True, slots=True)
class _Length:
    stream: Stream
    characters: int


class _Logs(Store):
    queries = Queries.load(__package__, "store.sql")

    async def append(self, *, job: ClaimedJob, chunks: Sequence[LogChunk]) -> int:
        """Store these chunks; returns how many were new and the job's to write."""
        return await self._run(
            "append_logs",
            jobs=[job.id] * len(chunks),
            epochs=[job.epoch] * len(chunks),
            attempts=[job.attempt] * len(chunks),
            seqs=[chunk.seq for chunk in chunks],
            streams=[chunk.stream for chunk in chunks],
            times=[chunk.at for chunk in chunks],
            texts=[chunk.text for chunk in chunks],
            line_ends=[chunk.text.count("\n") for chunk in chunks],
            are_open=[not chunk.text.endswith("\n") for chunk in chunks],
        )

    async def lengths(self, *, job: ClaimedJob, since: int) -> list[_Length]:
        """Characters of each stream that are stored, from this number on."""
        return await self._many(_Length, "log_lengths", job=job.id, attempt=job.attempt, since=since)


class LogStore:
    """Appends batches of chunks; during a database outage it waits, and so does the task."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._outage = OutageLog("logs")

    async def lengths(self, job: ClaimedJob, since: int) -> Mapping[Stream, int]:
        """How many characters of each stream are stored, from this number on."""

        async def once() -> list[_Length]:
            async with acquire(self._pool) as connection:
                return await _Logs(connection).lengths(job=job, since=since)

        rows = await retry_while_unavailable(once, outage=self._outage)
        return {row.stream: row.characters for row in rows}

    async def append(self, job: ClaimedJob, chunks: Sequence[LogChunk]) -> None:
        """Raises ExecutionLost when the job has a new owner: its task must not continue."""
        tries = 0

        async def once() -> int:
            nonlocal tries
            tries += 1
            async with acquire(self._pool) as connection:
                return await _Logs(connection).append(job=job, chunks=chunks)

        stored = await retry_while_unavailable(once, outage=self._outage)
        # The first try may have stored this batch, with only its answer lost; the next batch will show.
        if not stored and tries == 1:
            raise ExecutionLost("the job has a new owner")
