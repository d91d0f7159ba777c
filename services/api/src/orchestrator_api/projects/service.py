"""Creates and changes projects."""

from dataclasses import replace

from orchestrator_api.access.audit import About
from orchestrator_api.access.permissions import no_such_project
from orchestrator_api.http.edits import Target
from orchestrator_api.http.session import Session
from orchestrator_api.projects.rows import ProjectSizes, StoredProject
from orchestrator_api.projects.store import ProjectStore
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import Conflict


async def listing(session: Session, after: str | None, limit: int) -> list[StoredProject]:
    """The projects for which the token is valid, or that the person is a member of; by id."""
    actor = session.actor
    member, only = (None, None) if actor.administers else (actor.person_id, actor.project)
    store = ProjectStore(session.connection)
    return await store.projects(only=only, member=member, after=after, limit=limit)


async def load(session: Session) -> StoredProject:
    """The project; raises NotFound if it does not exist."""
    found = await ProjectStore(session.connection).project(project=session.project)
    if found is None:
        raise no_such_project(session.project)
    return found


async def sizes(session: Session) -> ProjectSizes:
    """How much there is in the project."""
    return await ProjectStore(session.connection).sizes(project=session.project)


async def target(session: Session) -> Target:
    """The project, locked to be changed."""
    found = await ProjectStore(session.connection).lock(project=session.project)
    if found is None:
        raise no_such_project(session.project)
    return Target("this project", "project", found.id, found.etag)


async def create(session: Session, project: str, name: str, parallel_limit: int | None) -> StoredProject:
    """Create a project."""
    store = ProjectStore(session.connection)
    created = await store.insert(project=project, name=name, parallel_limit=parallel_limit)
    if created is None:
        raise Conflict(f"the project {project!r} already exists: choose another id", field="id")
    about = About(after={"name": created.name, "parallel_limit": created.parallel_limit})
    await session.record("project.created", project, about)
    return created


async def change(session: Session, changes: JsonObject) -> StoredProject:
    """Change a project's name, its limit of parallel jobs, or both."""
    store = ProjectStore(session.connection)
    before = await store.lock(project=session.project)
    if before is None:
        raise no_such_project(session.project)
    after = replace(before, **changes)
    if after != before:
        await store.update(project=session.project, name=after.name, parallel_limit=after.parallel_limit)
        about = About({field: getattr(before, field) for field in changes}, changes)
        await session.record("project.changed", session.project, about, **changes)
    return after
