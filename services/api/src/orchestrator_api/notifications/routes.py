"""Who is notified of what about an orchestration, and the mails that were sent or will be sent."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import (
    EDIT,
    PREFIX,
    READ,
    READ_ONE,
    WRITE,
    Call,
    Identifier,
    If,
    Project,
    tagged,
)
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging, Since, Until
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.models import (
    DeliveryOut,
    RecipientsOut,
    SubscriptionsIn,
    SubscriptionsOut,
    TestDeliveryIn,
    TestDeliveryOut,
)
from orchestrator_api.notifications.recipients import RunOrigin
from orchestrator_api.notifications.rows import DeliveryFilter, StoredSubscription

router = APIRouter(prefix=PREFIX, route_class=GatedRoute)


@router.get(
    "/orchestrations/{orchestration}/notifications",
    tags=["notifications"],
    operation_id="get_notifications",
    responses=READ_ONE,
)
async def get_notifications(
    call: Call, project: Project, orchestration: Identifier, response: Response
) -> SubscriptionsOut:
    """Get who is notified of what about an orchestration."""
    async with call.session(Scope.READ, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        found = await notifications.listing(session, [orchestration])
    return tagged(response, _shown(found))


@router.get(
    "/orchestrations/{orchestration}/notifications/recipients",
    tags=["notifications"],
    operation_id="get_recipients",
    responses=READ,
)
async def get_recipients(
    call: Call,
    project: Project,
    orchestration: Identifier,
    origin: Annotated[
        RunOrigin | None, Query(description="By default, what a run that you start would be.")
    ] = None,
) -> RecipientsOut:
    """Get who will be notified of which events of a run of this orchestration, and why."""
    async with call.session(Scope.READ, project) as session:
        await configurations.current(session, configurations.orchestration_key(orchestration))
        return RecipientsOut.model_validate(await notifications.recipients(session, orchestration, origin))


@router.put(
    "/orchestrations/{orchestration}/notifications",
    tags=["notifications"],
    operation_id="save_notifications",
    responses=EDIT,
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def save_notifications(
    call: Call,
    project: Project,
    orchestration: Identifier,
    body: SubscriptionsIn,
    condition: If,
    response: Response,
) -> SubscriptionsOut:
    """Replace the subscriptions of an orchestration."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await edits.check(session, condition, await notifications.target(session, orchestration))
        wanted = [each.subscription() for each in body.subscriptions]
        await notifications.replace(session, orchestration, wanted)
        found = await notifications.listing(session, [orchestration])
    return tagged(response, _shown(found))


@router.post(
    "/orchestrations/{orchestration}/notifications/test-deliveries",
    tags=["notifications"],
    operation_id="send_test_mail",
    status_code=202,
    responses=WRITE,
    openapi_extra=takes(Scope.CONFIGURE),
)
async def send_test_mail(
    call: Call, project: Project, orchestration: Identifier, body: TestDeliveryIn
) -> TestDeliveryOut:
    """Send one test mail to a subscribed address; ten an hour in a project.

    Whether it was sent is told by the deliveries of the orchestration, as of every mail.
    """
    async with call.session(Scope.CONFIGURE, project) as session:
        test_id = await notifications.send_test(session, orchestration, body.address)
    return TestDeliveryOut(fact_key=f"test-mail:{test_id}", address=body.address)


def _shown(found: list[StoredSubscription]) -> SubscriptionsOut:
    return SubscriptionsOut.model_validate({"subscriptions": found, "etag": notifications.tag(found)})


@router.get("/deliveries", tags=["records"], operation_id="list_deliveries", responses=READ)
async def list_deliveries(
    call: Call,
    project: Project,
    paging: Paging,
    orchestration: Annotated[str | None, Query(max_length=64)] = None,
    since: Since = None,
    until: Until = None,
    status: Annotated[
        Literal["pending", "failed"] | None,
        Query(description="Only those that were not sent: not yet, or given up."),
    ] = None,
) -> Page[DeliveryOut]:
    """List the mails that were or will be sent, newest first; of the project, or of one orchestration."""
    at, last_id = paging.place(datetime, UUID)
    wanted = DeliveryFilter(orchestration, since, until, at, last_id, paging.rows, status)
    async with call.session(Scope.READ, project) as session:
        rows = await notifications.deliveries(session, wanted)
    return Page[DeliveryOut].model_validate(paging.of(rows, "created_at", "id"))
