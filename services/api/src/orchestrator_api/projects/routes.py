"""Projects."""

from fastapi import APIRouter, Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.dependencies import CREATE, EDIT, READ, READ_ONE, Call, If, Project, tagged
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.projects import service as projects
from orchestrator_api.projects.models import ProjectIn, ProjectOut, ProjectPatch

router = APIRouter(prefix="/v1", route_class=GatedRoute)


@router.get("/projects", tags=["projects"], operation_id="list_projects", responses=READ)
async def list_projects(call: Call, paging: Paging) -> Page[ProjectOut]:
    """List the projects that the token may use, or that the person is a member of."""
    (after,) = paging.place(str)
    async with call.session(Scope.READ) as session:
        rows = await projects.listing(session, after, paging.rows)
    return Page[ProjectOut].model_validate(paging.of(rows, "id"))


@router.post(
    "/projects",
    tags=["projects"],
    operation_id="create_project",
    status_code=201,
    responses=CREATE,
    openapi_extra=takes(Scope.ADMIN),
)
async def create_project(call: Call, body: ProjectIn, response: Response) -> ProjectOut:
    """Create a project (administrators only)."""
    async with call.session(Scope.ADMIN) as session:
        created = await projects.create(session, body.id, body.name or body.id, body.parallel_limit)
    return tagged(response, ProjectOut.model_validate(created))


@router.get("/projects/{project}", tags=["projects"], operation_id="get_project", responses=READ_ONE)
async def get_project(call: Call, project: Project, response: Response) -> ProjectOut:
    """Get a project."""
    async with call.session(Scope.READ, project) as session:
        found = await projects.load(session)
    return tagged(response, ProjectOut.model_validate(found))


@router.patch(
    "/projects/{project}",
    tags=["projects"],
    operation_id="change_project",
    responses=EDIT,
    openapi_extra=takes(Scope.ADMINISTER),
)
async def change_project(
    call: Call, project: Project, body: ProjectPatch, condition: If, response: Response
) -> ProjectOut:
    """Change a project's name or its limit of parallel jobs (project admin)."""
    changes = body.model_dump(exclude_unset=True)
    async with call.session(Scope.ADMINISTER, project) as session:
        await edits.check(session, condition, await projects.target(session))
        changed = await projects.change(session, changes)
    return tagged(response, ProjectOut.model_validate(changed))
