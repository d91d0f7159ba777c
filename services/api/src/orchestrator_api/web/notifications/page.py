"""Who is notified of what about an orchestration, and the last mails about it."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.notifications import service
from orchestrator_api.notifications.rows import DeliveryFilter
from orchestrator_api.queue import explanations
from orchestrator_api.web import entering, pages
from orchestrator_api.web.notifications.words import DELIVERED, because, event_label, subscribers
from orchestrator_api.web.orchestrations.actions import SECTION

MOST_DELIVERIES = 20


async def notifications(request: Request) -> Response:
    """The addresses with their events, and below them the newest mails."""
    name = request.path_params["orchestration"]
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(name))
        found = await service.listing(session, [name])
        wanted = DeliveryFilter(orchestration=name, limit=MOST_DELIVERIES)
        sent = await service.deliveries(session, wanted)
        runs = await explanations.references(session, {each.job_id for each in sent if each.job_id})
    listed = subscribers(found)
    return pages.page(
        request,
        "notifications/page",
        title=f"Notifications of {row.name}",
        frame=frame,
        name=row.name,
        orchestration=name,
        subscribers=listed,
        hears_of_errors=any("error" in each.events for each in listed),
        deliveries=sent,
        delivered=DELIVERED,
        runs=runs,
        because=because,
        event_label=event_label,
    )
