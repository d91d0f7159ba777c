"""Variables, tokens, notifications, audit and deliveries."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from orchestrator_api.access import tokens
from orchestrator_api.access.models import AuditOut, DeliveryOut, TokenIn, TokenMade, TokenOut
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.http.parts import PREFIX, READ, WRITE, Call, Identifier, Project, saved
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import service as orchestrations
from orchestrator_api.projects import variables
from orchestrator_api.projects.models import VariableIn, VariableOut
from orchestrator_api.schedules.models import SubscriptionsIn, SubscriptionsOut

router = APIRouter(prefix=PREFIX, route_class=GatedRoute)
VariableName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


@router.get("/variables", tags=["variables"], operation_id="list_variables", responses=READ)
async def list_variables(call: Call, project: Project) -> Page[VariableOut]:
    """The project's variables; secrets are masked."""
    async with call.session(Scope.READ, project) as session:
        rows = await session.sql.many("variables", project)
    return Page[VariableOut].model_validate({"items": [variables.shown(row) for row in rows]})


@router.get("/variables/{name}", tags=["variables"], operation_id="get_variable", responses=READ)
async def get_variable(call: Call, project: Project, name: VariableName) -> VariableOut:
    """One variable."""
    async with call.session(Scope.READ, project) as session:
        return VariableOut.model_validate(variables.shown(await variables.find(session, name)))


@router.put(
    "/variables/{name}",
    tags=["variables"],
    operation_id="save_variable",
    responses=saved(VariableOut),
    openapi_extra=takes(Scope.CONFIGURE, most=LARGE),
)
async def save_variable(
    call: Call, project: Project, name: VariableName, body: VariableIn, response: Response
) -> VariableOut:
    """Save a variable."""
    async with call.session(Scope.CONFIGURE, project) as session:
        is_new = await variables.save(session, name, body.value, body.secret)
        row = await variables.find(session, name)
    response.status_code = 201 if is_new else 200
    return VariableOut.model_validate(variables.shown(row))


@router.delete(
    "/variables/{name}",
    tags=["variables"],
    operation_id="delete_variable",
    status_code=204,
    responses=WRITE,
)
async def delete_variable(call: Call, project: Project, name: VariableName) -> None:
    """Delete a variable."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await variables.delete(session, name)


@router.get("/tokens", tags=["tokens"], operation_id="list_tokens", responses=READ)
async def list_tokens(call: Call, project: Project, paging: Paging) -> Page[TokenOut]:
    """The project's tokens, without their secrets (administrator)."""
    (after,) = paging.place(UUID)
    async with call.session(Scope.ADMIN, project) as session:
        rows = await session.sql.many("tokens", project, after, paging.rows)
    return Page[TokenOut].model_validate(paging.of(rows, "id"))


@router.post(
    "/tokens",
    tags=["tokens"],
    operation_id="create_token",
    status_code=201,
    responses=WRITE,
    openapi_extra=takes(Scope.ADMIN, most=LARGE),
)
async def create_token(call: Call, project: Project, body: TokenIn) -> TokenMade:
    """Make a token (administrator); its text is shown this once."""
    async with call.session(Scope.ADMIN, project) as session:
        row, text = await tokens.create(session, tokens.TokenWish(**body.model_dump()))
    return TokenMade.model_validate({**row, "token": text})


@router.delete(
    "/tokens/{token}", tags=["tokens"], operation_id="revoke_token", status_code=204, responses=WRITE
)
async def revoke_token(call: Call, project: Project, token: UUID) -> None:
    """End a token (administrator)."""
    async with call.session(Scope.ADMIN, project) as session:
        await tokens.revoke(session, token)


@router.get(
    "/orchestrations/{orchestration}/notifications",
    tags=["notifications"],
    operation_id="get_notifications",
    responses=READ,
)
async def get_notifications(call: Call, project: Project, orchestration: Identifier) -> SubscriptionsOut:
    """Who hears of what about an orchestration."""
    async with call.session(Scope.READ, project) as session:
        await configurations.load(session, orchestrations.key_of(orchestration))
        rows = await session.sql.many("subscriptions", project, orchestration)
    return SubscriptionsOut.model_validate({"subscriptions": rows})


@router.put(
    "/orchestrations/{orchestration}/notifications",
    tags=["notifications"],
    operation_id="save_notifications",
    responses=WRITE,
    openapi_extra=takes(Scope.CONFIGURE, most=LARGE),
)
async def save_notifications(
    call: Call, project: Project, orchestration: Identifier, body: SubscriptionsIn
) -> SubscriptionsOut:
    """Replace the subscriptions of an orchestration."""
    async with call.session(Scope.CONFIGURE, project) as session:
        wanted = [each.subscription() for each in body.subscriptions]
        await notifications.replace(session, orchestration, wanted)
        rows = await session.sql.many("subscriptions", project, orchestration)
    return SubscriptionsOut.model_validate({"subscriptions": rows})


@router.get("/audit", tags=["records"], operation_id="list_audit", responses=READ)
async def list_audit(call: Call, project: Project, paging: Paging) -> Page[AuditOut]:
    """Every change and run request, newest first."""
    before = paging.place(datetime, UUID)
    async with call.session(Scope.CONFIGURE, project) as session:
        rows = await session.sql.many("audit", project, *before, paging.rows)
    return Page[AuditOut].model_validate(paging.of(rows, "at", "id"))


@router.get("/deliveries", tags=["records"], operation_id="list_deliveries", responses=READ)
async def list_deliveries(call: Call, project: Project, paging: Paging) -> Page[DeliveryOut]:
    """Mails that were or will be sent, newest first."""
    before = paging.place(datetime, UUID)
    async with call.session(Scope.READ, project) as session:
        rows = await session.sql.many("deliveries", project, *before, paging.rows)
    return Page[DeliveryOut].model_validate(paging.of(rows, "created_at", "id"))
