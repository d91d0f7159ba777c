"""The jobs of a project: the queue, or all of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.runs import job_query
from orchestrator_api.runs import jobs as service
from orchestrator_api.runs.filters import NEWEST_FIRST, JobFilter
from orchestrator_api.web import entering, pages
from orchestrator_api.web.jobs import queue
from orchestrator_api.web.jobs.filters import PAGE, QUEUE, JobFilters
from orchestrator_api.web.runs.words import ORIGINS, plain
from orchestrator_api.web.statuses import AT_WORK
from orchestrator_api.web.viewer import Viewer, viewer_of
from orchestrator_shared.domain.errors import UserError

SECTION = "jobs"


async def jobs(request: Request) -> Response:
    """The page; `without` shows the lanes as they would be after a termination."""
    filters, viewer = JobFilters.read(request.query_params), viewer_of(request)
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        shown: dict[str, Any]
        if filters.view == QUEUE:
            shown = {"busy": await queue.busy(session, filters, viewer.zone)}
            if pages.is_partial(request):
                return pages.page(request, "jobs/lanes", frame=frame, filters=filters, **shown)
            shown["queue"] = await queue.underway(session, viewer.zone)
        else:
            shown = await _all(session, filters, viewer)
    status = 422 if shown.get("problem") else 200
    more: dict[str, Any] = {"origins": ORIGINS, "at_work": AT_WORK, "hints": job_query.HINTS, "plain": plain}
    template = "jobs/queue" if filters.view == QUEUE else "jobs/all"
    return pages.page(request, template, status, title="Jobs", frame=frame, filters=filters, **more, **shown)


async def _all(session: Session, filters: JobFilters, viewer: Viewer) -> dict[str, Any]:
    """One page of all jobs; a query that cannot be read is told beside the field."""
    part = Part(PAGE, filters.after or None).sorted_by(filters.sort, default=NEWEST_FIRST)
    before, before_id = part.place(datetime, UUID)
    wanted = JobFilter(before=before, before_id=before_id, sort=filters.sort, limit=part.rows)
    try:
        wanted = job_query.applied(filters.q, wanted, now=session.now, zone=viewer.zone)
    except UserError as error:
        return {"problem": error.detail, "rows": [], "next": None, "types": {}}
    found = await service.listing(session, wanted)
    page: dict[str, Any] = part.of(found.jobs, "listed_at", "id", then=found.continues_at)
    rows = await queue.described(session, page["items"])
    return {"rows": rows, "next": page["next"], "types": await queue.types_of(session, page["items"])}
