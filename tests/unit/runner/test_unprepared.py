"""Claimed jobs whose configurations cannot be loaded, for a reason that waiting does not mend."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from tests.support.claimed_jobs import claimed_job

from orchestrator_runner.logs.capture import LogLimits
from orchestrator_runner.logs.store import LogStore
from orchestrator_runner.queue.attempts import AttemptRunner
from orchestrator_runner.queue.definitions import Loaded
from orchestrator_runner.queue.handle_store import HandleStore
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_shared.domain.statuses import JobStatus
from orchestrator_shared.security import Encryption


async def broken(jobs: Sequence[ClaimedJob]) -> Sequence[Loaded]:
    raise KeyError("version")


@pytest.mark.parametrize(("most", "status"), [(1, JobStatus.ERROR), (2, JobStatus.WAITING)])
async def test_they_end_as_attempts_that_failed(most: int, status: JobStatus) -> None:
    attempts = AttemptRunner(
        load=broken,
        logs=cast(LogStore, None),
        executors={},
        encryption=cast(Encryption, None),
        handles=cast(HandleStore, None),
        log_limits=LogLimits(),
    )
    job = claimed_job(max_attempts=most)
    prepared = await attempts.prepare([job])
    result = await prepared[job.id](asyncio.Event())
    assert (result.ending.status, result.ending.message) == (status, "the runner failed: KeyError")
