"""Logs of jobs by lines, everything as a file, and the error that a log ends with."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.paging import MAX_NUMBER
from orchestrator_api.runs import first_error, jobs, logs
from orchestrator_api.runs.error_models import FirstErrorOut
from orchestrator_api.runs.log_lines import WholeText
from orchestrator_api.runs.log_models import LogLinesOut, LogSearchOut
from orchestrator_api.runs.rows import Job
from orchestrator_shared.domain.errors import UserError

router = APIRouter(prefix=f"{PREFIX}/jobs", tags=["jobs"], route_class=GatedRoute)

First = Annotated[
    int | None,
    Query(ge=1, le=MAX_NUMBER, description="Begin with this line; 1 if nothing else is given."),
]
Around = Annotated[int | None, Query(ge=1, le=MAX_NUMBER, description="Show this line in the middle.")]
PART_CHUNKS = 500


class LogText(StreamingResponse):
    """A log as plain text."""

    media_type = "text/plain"


@router.get("/{job}/log/lines", operation_id="get_job_log_lines", responses=READ)
async def get_job_log_lines(
    call: Call,
    project: Project,
    job: UUID,
    first: First = None,
    around: Around = None,
    tail: Annotated[bool, Query(description="Show the last lines.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many lines to return, at most.")] = 100,
) -> LogLinesOut:
    """Read numbered lines of a job's log: from one on, around one, or the last ones."""
    if (first is not None) + (around is not None) + tail > 1:
        raise UserError("give only one of first, around and tail", field="around" if around else "tail")
    async with call.session(Scope.READ, project) as session:
        if around is not None:
            part = await logs.around(session, job, line=around, count=limit)
        else:
            part = await logs.lines(session, job, first=None if tail else first or 1, count=limit)
    return LogLinesOut.model_validate(part)


@router.get("/{job}/first-error", operation_id="get_first_error", responses=READ)
async def get_first_error(call: Call, project: Project, job: UUID) -> FirstErrorOut:
    """Find out why a run or job failed: its first error, with the line of the log and what changed since.

    Of a run, the first task that failed, also in nested runs; tasks that may fail come last.
    """
    async with call.session(Scope.READ, project) as session:
        return FirstErrorOut.of(await first_error.first_error(session, job))


@router.get("/{job}/log/search", operation_id="search_job_log", responses=READ)
async def search_job_log(
    call: Call,
    project: Project,
    job: UUID,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00\r\n]*$",
            description="Plain text within a line, in upper or lower case.",
        ),
    ],
    first: Annotated[int, Query(ge=1, le=MAX_NUMBER, description="Search from this line on.")] = 1,
) -> LogSearchOut:
    """Find the lines of a job's log that contain a text, and their numbers."""
    async with call.session(Scope.READ, project) as session:
        found = await logs.search(session, job, text=q, first=first)
    return LogSearchOut.model_validate(found)


@router.get(
    "/{job}/log/raw",
    operation_id="download_job_log",
    response_class=LogText,
    responses=READ,
)
async def download_job_log(call: Call, project: Project, job: UUID) -> LogText:
    """Download the whole log of a job, as far as it has been written; its lines have the same numbers."""
    async with call.session(Scope.READ, project) as session:
        found = await jobs.find(session, job)
        part = await jobs.log(session, job, None, PART_CHUNKS)
    disposition = f'attachment; filename="{_file_name(found)}"'
    return LogText(_text(call, project, job, part), headers={"Content-Disposition": disposition})


def _file_name(job: Job) -> str:
    number = str(job.id) if job.number is None else str(job.number)
    return f"{job.component}-{job.configuration}-{number}.log"


async def _text(call: Call, project: str, job: UUID, part: jobs.LogPart) -> AsyncIterator[bytes]:
    """The log, read part by part: a slow client holds no connection, and a revoked token ends it."""
    whole = WholeText()
    while part.chunks:
        yield "".join(whole.feed(chunk) for chunk in part.chunks).encode()
        if part.finished:
            return
        after = (part.chunks[-1].attempt, part.chunks[-1].seq)
        async with call.session(Scope.READ, project) as session:
            part = await jobs.log(session, job, after, PART_CHUNKS)
