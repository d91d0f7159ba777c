"""The mails of a project: which were sent, and which were not and why."""

from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.paging import Part
from orchestrator_api.notifications import service
from orchestrator_api.notifications.rows import DeliveryFilter
from orchestrator_api.queue import explanations
from orchestrator_api.web import entering, pages
from orchestrator_api.web.notifications.words import DELIVERED, because, event_label

SECTION = "deliveries"
PAGE_SIZE = 50
TABS = {"": "All", "pending": "Not yet sent", "failed": "Given up"}


async def deliveries(request: Request) -> Response:
    """One page, newest first."""
    query = request.query_params
    status = query["status"] if query.get("status") in TABS else ""
    part = Part(PAGE_SIZE, query.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        at, last = part.place(datetime, UUID)
        wanted = DeliveryFilter(
            query.get("orchestration") or None,
            before=at,
            before_id=last,
            limit=part.rows,
            status=status or None,
        )
        sent = await service.deliveries(session, wanted)
        page = part.of(sent, "created_at", "id")
        runs = await explanations.references(session, {each.job_id for each in sent if each.job_id})
    return pages.page(
        request,
        "notifications/deliveries",
        title="Deliveries",
        frame=frame,
        deliveries=page["items"],
        next=page["next"],
        tabs=TABS,
        status_wanted=status,
        orchestration=wanted.orchestration,
        is_first_page=not query.get("after"),
        delivered=DELIVERED,
        runs=runs,
        because=because,
        event_label=event_label,
    )
