"""Project variables."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator_api.access.permissions import READ_OR_JOB, Scope
from orchestrator_api.catalog import variable_users
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import (
    DELETE,
    PREFIX,
    READ,
    READ_ONE,
    Call,
    If,
    Project,
    saved,
    tagged,
)
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Search
from orchestrator_api.projects import variables
from orchestrator_api.projects.models import VariableIn, VariableOut, VariableUsageOut

router = APIRouter(prefix=PREFIX, tags=["variables"], route_class=GatedRoute)


VariableName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


@router.get("/variables", operation_id="list_variables", responses=READ)
async def list_variables(call: Call, project: Project, search: Search = None) -> Page[VariableOut]:
    """List the project's variables, all at once; secrets are masked, and left out for a job token.

    A search looks at their names.
    """
    async with call.session(READ_OR_JOB, project) as session:
        rows = await variables.readable(session)
    if search is not None:
        rows = [row for row in rows if search.lower() in row.name]
    return Page[VariableOut].model_validate({"items": [variables.shown(row) for row in rows]})


@router.get("/variables/{name}", operation_id="get_variable", responses=READ_ONE)
async def get_variable(call: Call, project: Project, name: VariableName, response: Response) -> VariableOut:
    """Get a variable; a secret is masked."""
    async with call.session(READ_OR_JOB, project) as session:
        found = await variables.read(session, name)
    return tagged(response, VariableOut.model_validate(variables.shown(found)))


@router.get("/variables/{name}/usages", operation_id="list_variable_usages", responses=READ)
async def list_variable_usages(call: Call, project: Project, name: VariableName) -> Page[VariableUsageOut]:
    """List the configurations and tasks that use a variable, also in versions that tasks pin."""
    async with call.session(Scope.READ, project) as session:
        await variables.find(session, name)
        rows = await variable_users.usages(session, name)
    return Page[VariableUsageOut].model_validate({"items": rows})


@router.put(
    "/variables/{name}",
    operation_id="save_variable",
    responses=saved(VariableOut),
    openapi_extra=takes(Scope.CONFIGURE, max_bytes=LARGE),
)
async def save_variable(
    call: Call, project: Project, name: VariableName, body: VariableIn, condition: If, response: Response
) -> VariableOut:
    """Create or change a variable."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await edits.check_save(session, condition, await variables.target(session, name))
        is_new = await variables.save(session, name, body.value, body.secret)
        row = await variables.find(session, name)
    response.status_code = 201 if is_new else 200
    return tagged(response, VariableOut.model_validate(variables.shown(row)))


@router.delete(
    "/variables/{name}",
    operation_id="delete_variable",
    status_code=204,
    responses=DELETE,
)
async def delete_variable(call: Call, project: Project, name: VariableName, condition: If) -> None:
    """Delete a variable."""
    async with call.session(Scope.CONFIGURE, project) as session:
        await edits.check(session, condition, await variables.target(session, name))
        await variables.delete(session, name)
