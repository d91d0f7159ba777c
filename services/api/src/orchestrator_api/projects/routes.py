"""Projects."""

from fastapi import APIRouter

from orchestrator_api.access.permissions import Scope, no_such_project
from orchestrator_api.http.gate import GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging
from orchestrator_api.http.parts import READ, WRITE, Call, Project
from orchestrator_api.projects.models import ProjectIn, ProjectOut, ProjectPatch
from orchestrator_shared.domain.errors import Conflict

router = APIRouter(prefix="/v1", route_class=GatedRoute)


@router.get("/projects", tags=["projects"], operation_id="list_projects", responses=READ)
async def list_projects(call: Call, paging: Paging) -> Page[ProjectOut]:
    """The projects that the token is good for."""
    (after,) = paging.place(str)
    async with call.session(Scope.READ) as session:
        only = None if session.actor.administers else session.actor.project
        rows = await session.sql.many("projects", only, after, paging.rows)
    return Page[ProjectOut].model_validate(paging.of(rows, "id"))


@router.post(
    "/projects",
    tags=["projects"],
    operation_id="create_project",
    status_code=201,
    responses=WRITE,
    openapi_extra=takes(Scope.ADMIN),
)
async def create_project(call: Call, body: ProjectIn) -> ProjectOut:
    """Make a project (administrator)."""
    async with call.session(Scope.ADMIN) as session:
        values = (body.id, body.name or body.id, body.parallel_limit)
        if await session.sql.value("insert_project", *values) is None:
            raise Conflict(f"there is a project {body.id!r} already", field="id")
        await session.record("project.created", body.id)
        return ProjectOut.model_validate(await session.sql.one("project", body.id))


@router.get("/projects/{project}", tags=["projects"], operation_id="get_project", responses=READ)
async def get_project(call: Call, project: Project) -> ProjectOut:
    """One project."""
    async with call.session(Scope.READ, project) as session:
        row = await session.sql.one("project", project)
    if row is None:
        raise no_such_project(project)
    return ProjectOut.model_validate(row)


@router.patch(
    "/projects/{project}",
    tags=["projects"],
    operation_id="change_project",
    responses=WRITE,
    openapi_extra=takes(Scope.ADMIN),
)
async def change_project(call: Call, project: Project, body: ProjectPatch) -> ProjectOut:
    """Change a project's name or its limit of parallel jobs (administrator)."""
    changes = body.model_dump(exclude_unset=True)
    async with call.session(Scope.ADMIN, project) as session:
        before = await session.sql.one("lock_project", project)
        if before is None:
            raise no_such_project(project)
        after = {**before, **changes}
        if after != before:
            await session.sql.run("update_project", project, after["name"], after["parallel_limit"])
            await session.record("project.changed", project, **changes)
    return ProjectOut.model_validate(after)
