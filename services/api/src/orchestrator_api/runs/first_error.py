"""Finds out why a run failed: its first error, where that is in the log, and what has changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.rows import CurrentVersion
from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs, logs
from orchestrator_api.runs.error_history import SameError, error_line, same_error
from orchestrator_api.runs.fingerprints import fingerprint
from orchestrator_api.runs.log_lines import LogLine
from orchestrator_api.runs.rows import EarlierJob, Failure
from orchestrator_api.runs.store import RunStore

LOOKED_AT: Final = 1000
"""Lines at the end of the log in which the error is looked for."""
ABOVE: Final = 3
BELOW: Final = 6
"""Lines that are shown with the error's."""
FEW_CHARACTERS: Final = 32 * 1024
"""Messages of earlier jobs that are together longer are compared in a thread."""


@dataclass(frozen=True, slots=True)
class FirstError:
    """The first error of a run, and what helps to understand it."""

    failure: Failure
    fingerprint: str
    line: int | None
    """The line of its job's log; None if it is not found there, or the log is no longer kept."""
    log: Sequence[LogLine]
    earlier: SameError | None
    current: CurrentVersion | None
    """The configuration as it is now; None if it was deleted."""

    @property
    def changed(self) -> CurrentVersion | None:
        """The current version of the configuration, if it is another one than the one that failed."""
        is_same = self.current is None or self.current.version == self.failure.version
        return None if is_same else self.current


async def first_error(session: Session, job_id: UUID) -> FirstError | None:
    """The first error of a run and of the runs nested in it, or that of a component's job."""
    await jobs.find(session, job_id)
    store = RunStore(session.connection)
    failure = await store.first_failure(project=session.project, job_id=job_id)
    if failure is None:
        return None
    found = fingerprint(failure.error_kind, failure.message)
    tail = await logs.lines(session, failure.id, first=None, count=LOOKED_AT)
    line = error_line(tail.lines, failure.message)
    before = await store.jobs_before(project=session.project, failure=failure)
    current = await configurations.existing(session, [(failure.component, failure.configuration)])
    return FirstError(
        failure=failure,
        fingerprint=found,
        line=line.number if line else None,
        log=_around(tail.lines, line),
        earlier=await _same_error(session, before, found),
        current=current[0] if current else None,
    )


async def _same_error(session: Session, before: Sequence[EarlierJob], wanted: str) -> SameError | None:
    """Two hundred messages of four kilobytes take a fifth of a second."""
    if sum(len(job.message or "") for job in before) <= FEW_CHARACTERS:
        return same_error(before, wanted)
    return await session.offload.run(same_error, before, wanted)


def _around(lines: Sequence[LogLine], line: LogLine | None) -> list[LogLine]:
    """The error's line with some above and below; without one, the last lines."""
    if line is None:
        return list(lines[-(ABOVE + BELOW + 1) :])
    return [each for each in lines if -ABOVE <= each.number - line.number <= BELOW]
