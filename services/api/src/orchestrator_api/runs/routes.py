"""Starts runs and reads jobs."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import STATUS, STATUS_OF_JOB, Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, IdempotencyKey, Identifier, Project
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import MAX_NUMBER, Limit, Paging, Part, Since, Until
from orchestrator_api.http.session import Session
from orchestrator_api.runs import job_query, jobs
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.filters import NEWEST_FIRST, JobFilter, JobPage, JobSort, whole_id
from orchestrator_api.runs.models import (
    ConfigurationRunIn,
    JobDetail,
    JobOut,
    JobStatusName,
    LogOut,
    OverlapOut,
    RunAccepted,
    RunCountsOut,
    RunIn,
    RunTasksOut,
    TerminationOut,
)
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.domain.zones import parse_zone

router = APIRouter(prefix=PREFIX, tags=["runs"], route_class=GatedRoute)


@dataclass(frozen=True, slots=True)
class JobFilters:
    """What runs and jobs are filtered by."""

    status: Annotated[list[JobStatusName] | None, Query(description="May be given several times.")] = None
    origin: Annotated[list[Origin] | None, Query(description="May be given several times.")] = None
    since: Since = None
    until: Until = None
    longer_than_seconds: Annotated[
        float | None,
        Query(ge=0, le=1e9, description="Only those that ran, or have been running, for longer."),
    ] = None
    search: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="An id, a number, or part of the component, configuration, task, message or name of "
            "who requested it.",
        ),
    ] = None

    sort: Annotated[
        JobSort,
        Query(
            description="The order: the last accepted (the default), the last finished or the longest first. "
            "`-finished_at` lists jobs that have finished, `-duration` those that have started."
        ),
    ] = NEWEST_FIRST

    def part(self, paging: Part) -> Part:
        """The page in this order."""
        return paging.sorted_by(self.sort, default=NEWEST_FIRST)

    def wanted(self, paging: Part) -> JobFilter:
        """The filter, and where the page begins."""
        before, before_id = self.part(paging).place(datetime, UUID)
        job_id = whole_id(self.search)
        return JobFilter(
            statuses=self.status or None,
            origins=[origin.value for origin in self.origin or ()] or None,
            since=self.since,
            until=self.until,
            longer_than_seconds=self.longer_than_seconds,
            job_id=job_id,
            search=self.search if job_id is None else None,
            before=before,
            before_id=before_id,
            sort=self.sort,
            limit=paging.rows,
        )

    def page(self, paging: Part, found: JobPage) -> Page[JobOut]:
        """The answer with these jobs."""
        page = self.part(paging).of(found.jobs, "listed_at", "id", then=found.continues_at)
        return Page[JobOut].model_validate(page)


Filters = Annotated[JobFilters, Depends()]
RunNumber = Annotated[
    int, Path(ge=1, le=MAX_NUMBER, description="The `number` of the run: 42 of `campaigns #42`.")
]


async def accepted(session: Session, job_id: UUID) -> RunAccepted:
    """The response to a run request."""
    job = await jobs.find(session, job_id)
    url = f"/v1/projects/{session.project}/jobs/{job_id}"
    return RunAccepted(job_id=job_id, status=job.status, number=job.number, url=url)


@router.post(
    "/orchestrations/{orchestration}/runs",
    operation_id="run_orchestration",
    status_code=202,
    responses=WRITE,
    openapi_extra=takes(Scope.RUN, max_bytes=LARGE),
)
async def run_orchestration(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: RunIn | None = None,
    key: IdempotencyKey = None,
) -> RunAccepted:
    """Run an orchestration, completely or only the selected tasks."""
    async with call.session(Scope.RUN, project) as session:
        session.actor.require_run(ORCHESTRATOR, orchestration)
        given = (body or RunIn()).model_dump()
        dedup_key = dedup_keys.accept(session, key, f"run {orchestration}", given)
        request = runs.RunRequest(**given, dedup_key=dedup_key)
        job_id = await runs.start(session, configurations.orchestration_key(orchestration), request)
        return await accepted(session, job_id)


@router.get("/orchestrations/{orchestration}/runs", operation_id="list_runs", responses=READ)
async def list_runs(
    call: Call, project: Project, orchestration: Identifier, paging: Paging, filters: Filters
) -> Page[JobOut]:
    """List the runs of an orchestration, newest first; a token that may only run sees those it started.

    A page looks at 5,000 runs, at most: it may have few items, or none, and still a `next`. In the other
    orders, the newest 5,000 runs of the time asked for are listed, and no others.
    """
    async with call.session(STATUS, project) as session:
        if session.actor.reads_project:
            await configurations.current(session, configurations.orchestration_key(orchestration))
        wanted = replace(filters.wanted(paging), component=ORCHESTRATOR, configuration=orchestration)
        found = await jobs.listing(session, wanted)
    return filters.page(paging, found)


@router.get("/orchestrations/{orchestration}/run-counts", operation_id="count_runs", responses=READ)
async def count_runs(call: Call, project: Project, orchestration: Identifier) -> RunCountsOut:
    """Count the runs of an orchestration by how they ended."""
    async with call.session(Scope.READ, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        return RunCountsOut.model_validate(await jobs.run_counts(session, orchestration))


@router.get("/orchestrations/{orchestration}/runs/{number}", operation_id="get_run", responses=READ)
async def get_run(call: Call, project: Project, orchestration: Identifier, number: RunNumber) -> JobDetail:
    """Get a run by its number; the same as `GET …/jobs/{job}` with its id.

    A token that may only run sees the runs that it started.
    """
    async with call.session(STATUS, project) as session:
        job = await jobs.numbered(session, orchestration, number)
        return JobDetail.model_validate(await jobs.detail(session, job))


@router.get("/orchestrations/{orchestration}/overlaps", operation_id="list_overlaps", responses=READ)
async def list_overlaps(
    call: Call, project: Project, orchestration: Identifier, paging: Paging
) -> Page[OverlapOut]:
    """List the fires that the schedule's overlap policy merged into a waiting run or skipped."""
    place = paging.place(datetime, UUID)
    async with call.session(Scope.READ, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        rows = await jobs.overlaps(session, orchestration, place, paging.rows)
    return Page[OverlapOut].model_validate(paging.of(rows, "at", "job_id"))


@router.get("/jobs", tags=["jobs"], operation_id="list_jobs", responses=READ)
async def list_jobs(
    call: Call,
    project: Project,
    paging: Paging,
    filters: Filters,
    component: Annotated[str | None, Query(max_length=64)] = None,
    configuration: Annotated[str | None, Query(max_length=64)] = None,
    parent: UUID | None = None,
    root: UUID | None = None,
    query: Annotated[
        str | None,
        Query(
            max_length=job_query.LONGEST,
            description="The filters in one text: keys `status`, `component`, `configuration`, "
            "`orchestration`, `origin`, `by`, `duration` and `started`; what has no key is searched for.",
            examples=["status:error duration:>10m started:[2026-11-01 TO *] by:jana"],
        ),
    ] = None,
    timezone: Annotated[
        str,
        Query(
            max_length=100,
            description="The IANA time zone of days in `query`.",
            examples=["Europe/Prague"],
            json_schema_extra={"format": "time-zone"},
        ),
    ] = "UTC",
) -> Page[JobOut]:
    """List the jobs of the project, newest first.

    A page looks at 5,000 jobs, at most: it may have few items, or none, and still a `next`. `-duration` lists
    the newest 5,000 jobs of the time asked for, and no others, as `-finished_at` does with a configuration,
    `root`, `parent` or only statuses of failures. A token that may only run sees the runs that it started
    and, with `root` or `parent`, the jobs below one.
    """
    async with call.session(STATUS, project) as session:
        wanted = replace(
            filters.wanted(paging),
            component=component,
            configuration=configuration,
            parent=parent,
            root=root,
        )
        if query:
            wanted = job_query.applied(query, wanted, now=session.now, zone=parse_zone(timezone))
        found = await jobs.listing(session, wanted)
    return filters.page(paging, found)


@router.get("/jobs/{job}", tags=["jobs"], operation_id="get_job", responses=READ)
async def get_job(call: Call, project: Project, job: UUID) -> JobDetail:
    """Get a job: what it runs, why it waits, how it ended, and its retries.

    A token that may only run sees the status of the jobs of the runs that it started, but neither parameters
    nor anything that programs wrote.
    """
    async with call.session(STATUS_OF_JOB, project) as session:
        return JobDetail.model_validate(await jobs.detail(session, job))


@router.get("/jobs/{job}/tasks", tags=["jobs"], operation_id="get_job_tasks", responses=READ)
async def get_job_tasks(call: Call, project: Project, job: UUID) -> RunTasksOut:
    """List the phases and tasks of a run, with their jobs."""
    async with call.session(STATUS_OF_JOB, project) as session:
        phases = await jobs.tasks(session, job)
    return RunTasksOut.model_validate({"phases": phases})


@router.get("/jobs/{job}/log", tags=["jobs"], operation_id="get_job_log", responses=READ)
async def get_job_log(
    call: Call,
    project: Project,
    job: UUID,
    after: Annotated[
        str | None,
        Query(
            description="`next` of the previous response: attempt:seq",
            json_schema_extra={"pattern": "^[0-9]{1,9}:[0-9]{1,9}$"},
        ),
    ] = None,
    limit: Limit = 100,
) -> LogOut:
    """Read the log of a job, about 4 MiB at a time; continue with `after` until `finished`."""
    place = _place(after)
    async with call.session(Scope.READ, project) as session:
        return LogOut.model_validate(await jobs.log(session, job, place, limit))


def _place(after: str | None) -> tuple[int, int] | None:
    if after is None:
        return None
    attempt, _, seq = after.partition(":")
    digits = attempt.isascii() and seq.isascii() and attempt.isdigit() and seq.isdigit()
    if not digits or max(len(attempt), len(seq)) > 9:
        raise UserError("must be attempt:seq, the `next` of the previous response", field="after")
    return int(attempt), int(seq)


@router.post(
    "/jobs/{job}/termination",
    tags=["jobs"],
    operation_id="terminate_job",
    status_code=202,
    responses=WRITE,
)
async def terminate_job(call: Call, project: Project, job: UUID) -> TerminationOut:
    """Ask a job to stop; a run also stops its jobs. Requires the scopes `run` and `read`."""
    async with call.session(Scope.RUN, project) as session:
        session.actor.require(Scope.READ)
        status = await runs.terminate(session, job)
    return TerminationOut(job_id=job, status=status)


@router.post(
    "/configurations/{component}/{configuration}/runs",
    operation_id="run_configuration",
    tags=["configurations"],
    status_code=202,
    responses=WRITE,
    openapi_extra=takes(Scope.RUN, max_bytes=LARGE),
)
async def run_configuration(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    body: ConfigurationRunIn | None = None,
    key: IdempotencyKey = None,
) -> RunAccepted:
    """Run a single configuration."""
    async with call.session(Scope.RUN, project) as session:
        session.actor.require_run(component, configuration)
        given = (body or ConfigurationRunIn()).model_dump()
        dedup_key = dedup_keys.accept(session, key, f"run {component}/{configuration}", given)
        request = runs.RunRequest(**given, dedup_key=dedup_key)
        job_id = await runs.start(session, configurations.component_key(component, configuration), request)
        return await accepted(session, job_id)
