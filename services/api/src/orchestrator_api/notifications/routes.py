"""Who is notified of what about an orchestration, and the mails that were sent or will be sent."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, Identifier, Project
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.models import DeliveryOut, SubscriptionsIn, SubscriptionsOut

router = APIRouter(prefix=PREFIX, route_class=GatedRoute)


@router.get(
    "/orchestrations/{orchestration}/notifications",
    tags=["notifications"],
    operation_id="get_notifications",
    responses=READ,
)
async def get_notifications(call: Call, project: Project, orchestration: Identifier) -> SubscriptionsOut:
    """Get who is notified of what about an orchestration."""
    async with call.session(Scope.READ, project) as session:
        await configurations.load(session, configurations.orchestration_key(orchestration))
        found = await notifications.listing(session, [orchestration])
    return SubscriptionsOut.model_validate({"subscriptions": found})


@router.put(
    "/orchestrations/{orchestration}/notifications",
    tags=["notifications"],
    operation_id="save_notifications",
    responses=WRITE,
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def save_notifications(
    call: Call, project: Project, orchestration: Identifier, body: SubscriptionsIn
) -> SubscriptionsOut:
    """Replace the subscriptions of an orchestration."""
    async with call.session(Scope.CONFIGURE, project) as session:
        wanted = [each.subscription() for each in body.subscriptions]
        await notifications.replace(session, orchestration, wanted)
        found = await notifications.listing(session, [orchestration])
    return SubscriptionsOut.model_validate({"subscriptions": found})


@router.get("/deliveries", tags=["records"], operation_id="list_deliveries", responses=READ)
async def list_deliveries(call: Call, project: Project, paging: Paging) -> Page[DeliveryOut]:
    """List the mails that were or will be sent, newest first."""
    at, last_id = paging.place(datetime, UUID)
    async with call.session(Scope.READ, project) as session:
        rows = await notifications.deliveries(session, (at, last_id), paging.rows)
    return Page[DeliveryOut].model_validate(paging.of(rows, "created_at", "id"))
