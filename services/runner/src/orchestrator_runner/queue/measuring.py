"""Measures the queue and the lanes, for the metrics: one runner does so for all."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from orchestrator_runner import metrics
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.statuses import JobStatus

MOST = 10_000
STUCK_SECONDS = 60.0
KINDS = ("component", "run")
UNFINISHED = (JobStatus.WAITING, JobStatus.READY, JobStatus.PROCESSING, JobStatus.TERMINATING)


@dataclass(frozen=True, slots=True)
class _Jobs:
    kind: str
    status: JobStatus
    jobs: int


@dataclass(frozen=True, slots=True)
class _WaitedFor:
    waited_for: int
    oldest_seconds: float
    stuck: int


class MeasuringStore(Store):
    """Counts up to `MOST` of everything."""

    queries = Queries.load(__package__, "measuring.sql")

    async def unfinished(self) -> dict[tuple[str, JobStatus], int]:
        """How many jobs of each kind have each status."""
        rows = await self._many(_Jobs, "unfinished_jobs", most=MOST)
        return {(row.kind, row.status): row.jobs for row in rows}

    async def oldest_ready(self) -> float:
        """How long the job that is ready longest has been so; 0 if none is."""
        return await self._value(float, "oldest_ready") or 0.0

    async def held_lanes(self) -> int:
        """Lanes with a job that is ready or runs."""
        return await self._value(int, "held_lanes", most=MOST) or 0

    async def waited_for(self) -> _WaitedFor:
        """Lanes with a job that waits for them."""
        row = await self._one(_WaitedFor, "lanes_waited_for", most=MOST, stuck_seconds=STUCK_SECONDS)
        assert row is not None, "an aggregate has a row"
        return row


async def measure(connection: asyncpg.Connection) -> None:
    """Set the gauges about all runners' jobs."""
    store = MeasuringStore(connection)
    jobs = await store.unfinished()
    for kind in KINDS:
        for status in UNFINISHED:
            metrics.JOBS.labels(kind, status).set(jobs.get((kind, status), 0))
    lanes = await store.waited_for()
    metrics.OLDEST_SECONDS.labels(JobStatus.WAITING).set(lanes.oldest_seconds)
    metrics.OLDEST_SECONDS.labels(JobStatus.READY).set(await store.oldest_ready())
    metrics.LANES.labels("held").set(await store.held_lanes())
    metrics.LANES.labels("waited_for").set(lanes.waited_for)
    metrics.LANES.labels("stuck").set(lanes.stuck)


def forget() -> None:
    """Report them no more: another runner does."""
    for gauge in (metrics.JOBS, metrics.OLDEST_SECONDS, metrics.LANES):
        gauge.clear()


def watch_disk(work_dir: Path) -> None:
    """Report the disk of the work directory, read whenever metrics are."""
    metrics.WORK_DIR_BYTES.labels("free").set_function(_disk(work_dir, lambda found: found.f_bavail))
    metrics.WORK_DIR_BYTES.labels("total").set_function(_disk(work_dir, lambda found: found.f_blocks))


def _disk(path: Path, blocks: Callable[[os.statvfs_result], int]) -> Callable[[], float]:
    def bytes_now() -> float:
        try:
            found = os.statvfs(path)
        except OSError:
            return float("nan")
        return float(blocks(found) * found.f_frsize)

    return bytes_now
