"""Automate: from any configuration to an orchestration in one step."""

from fastapi import APIRouter, Response

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.dependencies import (
    CREATE,
    PREFIX,
    Call,
    IdempotencyKey,
    Identifier,
    Project,
    tagged,
)
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.orchestrations import automation
from orchestrator_api.orchestrations.automation import Automation
from orchestrator_api.orchestrations.automation_models import AutomationIn
from orchestrator_api.orchestrations.models import OrchestrationOut
from orchestrator_api.schedules.rows import ScheduleSpec

router = APIRouter(prefix=f"{PREFIX}/configurations", tags=["configurations"], route_class=GatedRoute)


@router.post(
    "/{component}/{configuration}/automation",
    operation_id="automate_configuration",
    status_code=201,
    responses=CREATE,
    openapi_extra=takes(Scope.CONFIGURE),
)
async def automate_configuration(
    call: Call,
    project: Project,
    component: Identifier,
    configuration: Identifier,
    body: AutomationIn,
    response: Response,
    key: IdempotencyKey = None,
) -> OrchestrationOut:
    """Create an orchestration with this configuration as its only task, and a schedule if one is given."""
    async with call.session(Scope.CONFIGURE, project) as session:
        schedule = None if body.schedule is None else ScheduleSpec(**body.schedule.model_dump())
        subject = Key(component, configuration)
        dedup_key = dedup_keys.accept(session, key, f"automate {subject}", body.model_dump())
        wish = Automation(body.id, body.name, schedule, dedup_key)
        orchestration = await automation.automate(session, subject, wish)
        shown = await automation.shown(session, orchestration)
    return tagged(response, OrchestrationOut.model_validate(shown))
