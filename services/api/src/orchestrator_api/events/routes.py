"""Streams of server-sent events."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request

from orchestrator_api.access.permissions import STATUS, Scope
from orchestrator_api.events.frames import resumed_place
from orchestrator_api.events.models import JobEvents, LogEvents, ProjectEvents
from orchestrator_api.events.responses import StreamResponse
from orchestrator_api.events.service import Streams
from orchestrator_api.http.dependencies import PREFIX, READ, Call, Project
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import UserError

router = APIRouter(
    prefix=PREFIX, tags=["events"], route_class=GatedRoute, default_response_class=StreamResponse
)


def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


Open = Annotated[Streams, Depends(_streams)]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that you received, here or from another replica: what happened "
        "since then comes first. Sent by browsers when they connect again.",
    ),
]


def _described(events: Any, text: str) -> dict[int | str, dict[str, Any]]:
    description = f"{text} Each event's `data` is one of these objects, as JSON; `event` names which."
    return {200: {"description": description, "model": events}, **READ}


async def _opened(
    entered: AbstractAsyncContextManager[Session], opening: Callable[[Session], Awaitable[StreamResponse]]
) -> StreamResponse:
    """The stream, once its session has ended: it holds no connection."""
    response: StreamResponse | None = None
    try:
        async with entered as session:
            response = await opening(session)
    except BaseException:
        if response is not None:
            response.leave()
        raise
    return response


@router.get(
    "/events",
    status_code=200,
    operation_id="stream_project_events",
    responses=_described(ProjectEvents, "`job`, `readiness`, `reset`."),
)
async def stream_project_events(
    call: Call, project: Project, streams: Open, last_event_id: LastEventId = None
) -> StreamResponse:
    """Stream changes to the runs, jobs and tables of the project as they happen, until you close the stream.

    It begins with `reset`: load what you show now, and again whenever `reset` comes. A token that may only
    run hears of the runs that it started.
    """
    return await _opened(
        call.session(STATUS, project), lambda session: streams.of_project(session, last_event_id)
    )


@router.get(
    "/jobs/{job}/events",
    status_code=200,
    operation_id="stream_job_events",
    responses=_described(JobEvents, "`job`, `reset`, `end`."),
)
async def stream_job_events(
    call: Call, project: Project, job: UUID, streams: Open, last_event_id: LastEventId = None
) -> StreamResponse:
    """Stream changes to one job and, for a run, to the jobs below it.

    `end` follows when the job has ended.
    """
    return await _opened(
        call.session(STATUS, project), lambda session: streams.of_job(session, job, last_event_id)
    )


@router.get(
    "/jobs/{job}/log/stream",
    status_code=200,
    operation_id="stream_job_log",
    responses=_described(LogEvents, "`log`, `reset`, `end`."),
)
async def stream_job_log(
    call: Call,
    project: Project,
    job: UUID,
    streams: Open,
    after: Annotated[
        str | None,
        Query(
            description="Begin after this piece: attempt:seq. `Last-Event-ID` takes precedence.",
            json_schema_extra={"pattern": "^[0-9]{1,9}:[0-9]{1,9}$"},
        ),
    ] = None,
    last_event_id: LastEventId = None,
) -> StreamResponse:
    """Stream the log of a job as it is written.

    `end` follows when the job has ended and its log is complete.
    """
    place = resumed_place(after) if after is not None else None
    if after is not None and place is None:
        raise UserError("expected attempt:seq, such as 1:42", field="after")
    return await _opened(
        call.session(Scope.READ, project),
        lambda session: streams.of_log(session, job, place, last_event_id),
    )
