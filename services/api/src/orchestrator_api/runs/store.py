"""Run requests, and the jobs that runners created from them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from orchestrator_api.runs.filters import JobFilter, JobPage
from orchestrator_api.runs.origins import RanAs, UpdateUsed
from orchestrator_api.runs.overlaps import Overlap
from orchestrator_api.runs.rows import (
    AttemptRow,
    EarlierJob,
    FailedTask,
    Failure,
    Job,
    KeyedRequest,
    KeyedUpdates,
    LastJob,
    LastRun,
    Listed,
    LogChunk,
    LogPlace,
    NewRequest,
    PhaseRow,
    RetryRow,
    RunCounts,
    TaskComponent,
    TaskEnd,
    TaskRow,
    TaskVersion,
    UnfinishedRun,
    UnsolvedFailure,
    UsualDuration,
    UsualPhase,
    WaitingJob,
    WrittenTable,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import JobId

Pairs = Sequence[tuple[str, str]]
"""Of component and configuration."""


class RunStore(Store):
    """Writes run requests; jobs belong to the runner and are only read."""

    queries = Queries.load(
        __package__, "store.sql", "attention.sql", "logs.sql", "errors.sql", "usual.sql", "origins.sql"
    )

    async def insert_request(self, request: NewRequest) -> bool:
        """Request a run; returns False if the job's id was requested before."""
        return await self._value(UUID, "insert_request", **columns_of(request)) is not None

    async def insert_fires(
        self,
        *,
        project: str,
        orchestration: str,
        origin: str,
        requested_by: str,
        token_id: UUID,
        requested_at: datetime,
        job_ids: Sequence[JobId],
        scheduled_for: Sequence[datetime],
        idempotency_id: UUID | None,
        request_digest: bytes | None,
    ) -> set[JobId]:
        """Request a run for each fire; returns the jobs that were not requested before."""
        inserted = await self._column(
            JobId,
            "insert_fires",
            project=project,
            orchestration=orchestration,
            origin=origin,
            requested_by=requested_by,
            token_id=token_id,
            requested_at=requested_at,
            job_ids=job_ids,
            scheduled_for=scheduled_for,
            idempotency_id=idempotency_id,
            request_digest=request_digest,
        )
        return set(inserted)

    async def lock_key(self, *, idempotency_id: UUID) -> None:
        """Lock the key against other requests until the transaction ends."""
        await self._run("lock_key", idempotency_key=str(idempotency_id))

    async def requests_under_key(self, *, project: str, idempotency_id: UUID) -> list[KeyedRequest]:
        """What was requested under this key."""
        return await self._many(
            KeyedRequest, "requests_under_key", project=project, idempotency_id=idempotency_id
        )

    async def updates_under_key(self, *, project: str, idempotency_id: UUID) -> KeyedUpdates | None:
        """The table updates that were published under the key."""
        return await self._one(
            KeyedUpdates, "updates_under_key", project=project, idempotency_id=idempotency_id
        )

    async def insert_updates(
        self, *, project: str, idempotency_id: UUID, digest: bytes, update_ids: Sequence[str]
    ) -> None:
        """Remember the table updates that were published under the key."""
        await self._run(
            "insert_keyed_updates",
            project=project,
            idempotency_id=idempotency_id,
            request_digest=digest,
            update_ids=list(update_ids),
        )

    async def known(self, *, project: str, ids: Sequence[JobId]) -> set[JobId]:
        """Which of these jobs exist or were requested."""
        return set(await self._column(JobId, "known_runs", project=project, ids=ids))

    async def job(self, *, project: str, job_id: UUID) -> Job | None:
        """One job, or its request."""
        return await self._one(Job, "jobs", project=project, ids=[job_id], listed_at=[None])

    async def jobs(self, *, project: str, wanted: JobFilter) -> JobPage:
        """One page of the jobs."""
        listed = await self._many(Listed, "listed_jobs", project=project, **wanted.values())
        return await self._page(project, listed, wanted)

    async def own_runs(self, *, project: str, token_id: UUID, wanted: JobFilter) -> JobPage:
        """One page of the runs that a token started; jobs below them are found by root or parent."""
        values = replace(wanted, is_own=True).values()
        for name in ("parent", "root", "searches_messages", "path"):
            del values[name]
        listed = await self._many(Listed, "listed_own_runs", project=project, token_id=token_id, **values)
        return await self._page(project, listed, wanted)

    async def _page(self, project: str, listed: Sequence[Listed], wanted: JobFilter) -> JobPage:
        jobs = await self._jobs(project, [each for each in listed if each.is_match])
        edge = next(((each.listed_at, each.id) for each in listed if not each.is_match), None)
        return JobPage(jobs, wanted.continuing(edge))

    async def _jobs(self, project: str, listed: Sequence[Listed]) -> list[Job]:
        if not listed:
            return []
        ids, times = [each.id for each in listed], [each.listed_at for each in listed]
        return await self._many(Job, "jobs", project=project, ids=ids, listed_at=times)

    async def is_own_run(self, *, project: str, token_id: UUID, job_id: UUID) -> bool:
        """Whether the token started this run."""
        found = await self._value(bool, "is_own_run", project=project, token_id=token_id, job_id=job_id)
        return found is True

    async def root_of_job(self, *, project: str, job_id: UUID) -> UUID | None:
        """The topmost run above a job."""
        return await self._value(UUID, "root_of_job", project=project, job_id=job_id)

    async def run_by_number(self, *, project: str, orchestration: str, number: int) -> UUID | None:
        """The run of an orchestration that has this number."""
        return await self._value(
            UUID, "run_by_number", project=project, orchestration=orchestration, number=number
        )

    async def task_components(self, *, project: str, run: UUID) -> list[TaskComponent]:
        """The components of a run's tasks."""
        return await self._many(TaskComponent, "task_components", project=project, run=run)

    async def components_of_run(self, *, project: str, run: UUID) -> list[str]:
        """The components of a run and its nested runs, or of the job itself."""
        return await self._column(str, "components_of_run", project=project, run=run)

    async def waiting(self, *, project: str, ids: Sequence[UUID]) -> list[WaitingJob]:
        """What each of these jobs waits for; jobs that do not wait are left out."""
        return await self._many(WaitingJob, "waiting_facts", project=project, ids=ids)

    async def phases(self, *, project: str, run: UUID) -> list[PhaseRow]:
        """The phases of a run, in order."""
        return await self._many(PhaseRow, "phases", project=project, run=run)

    async def tasks(self, *, project: str, run: UUID) -> list[TaskRow]:
        """The tasks of a run, in order."""
        return await self._many(TaskRow, "tasks", project=project, run=run)

    async def task_ends(self, *, project: str, run: UUID) -> list[TaskEnd]:
        """The current status of each task of a run, in order."""
        return await self._many(TaskEnd, "task_ends", project=project, run=run)

    async def task_versions(self, *, project: str, run: UUID) -> list[TaskVersion]:
        """Which versions the tasks of a run and its nested runs had."""
        return await self._many(TaskVersion, "task_versions", project=project, run=run)

    async def retries(self, *, project: str, job_id: UUID) -> list[RetryRow]:
        """The retries of a job, oldest first."""
        return await self._many(RetryRow, "retries", project=project, job_id=job_id)

    async def attempts(self, *, project: str, job_id: UUID) -> list[AttemptRow]:
        """The attempts of a job, oldest first."""
        return await self._many(AttemptRow, "attempts", project=project, job_id=job_id)

    async def log_chunks(
        self,
        *,
        project: str,
        job_id: UUID,
        attempt: int | None,
        seq: int | None,
        limit: int,
        max_bytes: int,
    ) -> list[LogChunk]:
        """The log after this place; always at least one chunk, if there is one."""
        return await self._many(
            LogChunk,
            "log_chunks",
            project=project,
            job_id=job_id,
            attempt=attempt,
            seq=seq,
            limit=limit,
            max_bytes=max_bytes,
        )

    async def first_failure(self, *, project: str, job_id: UUID) -> Failure | None:
        """The first job that failed in a run, or the job itself if it did."""
        return await self._one(Failure, "first_failure", project=project, job_id=job_id)

    async def jobs_before(self, *, project: str, failure: Failure) -> list[EarlierJob]:
        """The configuration's jobs before one that failed, newest first."""
        return await self._many(
            EarlierJob,
            "jobs_before",
            project=project,
            component=failure.component,
            configuration=failure.configuration,
            number=failure.number,
        )

    async def updates_used(self, *, project: str, job_id: UUID) -> list[UpdateUsed]:
        """The table updates that a trigger requested the run for; none if that is no longer kept."""
        return await self._many(UpdateUsed, "updates_used", project=project, job_id=job_id)

    async def ran_as(self, *, project: str, job_id: UUID) -> RanAs | None:
        """Whose rights the job has; None if the token is no longer kept."""
        return await self._one(RanAs, "ran_as", project=project, job_id=job_id)

    async def tables_written(self, *, project: str, job_id: UUID, limit: int) -> list[WrittenTable]:
        """The tables that a job, or the jobs of a run, reported as their outputs, by name."""
        return await self._many(WrittenTable, "tables_written", project=project, job_id=job_id, limit=limit)

    async def log_place(self, *, project: str, job_id: UUID, line: int | None, count: int) -> LogPlace:
        """Where to begin reading for this line, or for the last `count` lines."""
        found = await self._one(LogPlace, "log_place", project=project, job_id=job_id, line=line, count=count)
        assert found is not None
        return found

    async def has_unfinished_jobs(self, *, project: str, component: str, configuration: str) -> bool:
        """Whether a job of the configuration waits, runs, or was requested and not accepted yet."""
        found = await self._value(
            bool, "has_unfinished_jobs", project=project, component=component, configuration=configuration
        )
        return found is True

    async def has_finished_run(self, *, project: str, orchestration: str) -> bool:
        """Whether one of the newest runs of the orchestration has started and finished."""
        found = await self._value(bool, "has_finished_run", project=project, orchestration=orchestration)
        return found is True

    async def last_runs(self, *, project: str, orchestrations: Sequence[str], count: int) -> list[LastRun]:
        """The newest runs of each of these orchestrations, newest first."""
        return await self._many(
            LastRun, "last_runs", project=project, orchestrations=orchestrations, count=count
        )

    async def run_counts(self, *, project: str, orchestration: str, most: int) -> RunCounts:
        """How many of the newest runs of the orchestration there are, and how they ended."""
        found = await self._one(
            RunCounts, "run_counts", project=project, orchestration=orchestration, most=most
        )
        assert found is not None
        return found

    async def last_jobs(self, *, project: str, wanted: Pairs) -> list[LastJob]:
        """The newest job of each of these configurations that has one."""
        return await self._many(
            LastJob,
            "last_jobs",
            project=project,
            components=[component for component, _ in wanted],
            configurations=[name for _, name in wanted],
        )

    async def usual_durations(self, *, project: str, wanted: Pairs) -> list[UsualDuration]:
        """The average durations of these configurations, without those that rarely succeeded."""
        return await self._many(
            UsualDuration,
            "usual_durations",
            project=project,
            components=[component for component, _ in wanted],
            configurations=[name for _, name in wanted],
        )

    async def unsolved_failures(self, *, project: str, limit: int) -> list[UnsolvedFailure]:
        """The newest failure of each orchestration, unless a later run of it went well."""
        return await self._many(UnsolvedFailure, "unsolved_failures", project=project, limit=limit)

    async def first_failed_tasks(self, *, project: str, runs: Sequence[UUID]) -> list[FailedTask]:
        """The task that failed first in each of these runs."""
        return await self._many(FailedTask, "first_failed_tasks", project=project, runs=runs)

    async def long_unfinished_runs(self, *, project: str, seconds: float, limit: int) -> list[UnfinishedRun]:
        """Runs that have waited or worked for longer than this, and what was usual before them."""
        return await self._many(
            UnfinishedRun, "long_unfinished_runs", project=project, seconds=seconds, limit=limit
        )

    async def usual_phases(self, *, project: str, run: UUID) -> list[UsualPhase]:
        """The average durations of the phases of the run's orchestration."""
        return await self._many(UsualPhase, "usual_phases", project=project, run=run)

    async def overlaps(
        self,
        *,
        project: str,
        orchestration: str,
        before: datetime | None,
        before_id: UUID | None,
        limit: int,
    ) -> list[Overlap]:
        """Requests of an orchestration that overlapped another run, newest first."""
        return await self._many(
            Overlap,
            "overlaps",
            project=project,
            orchestration=orchestration,
            before=before,
            before_id=before_id,
            limit=limit,
        )

    async def overlap(self, *, project: str, job_id: UUID) -> Overlap | None:
        """What happened to a request that overlapped another run."""
        return await self._one(Overlap, "overlap", project=project, job_id=job_id)
