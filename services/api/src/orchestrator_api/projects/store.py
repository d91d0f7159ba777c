"""Projects and their variables in the database."""

from uuid import UUID

from orchestrator_api.projects.rows import ProjectSizes, StoredProject, Variable
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class ProjectStore(Store):
    """Writes projects and variables."""

    queries = Queries.load(__package__, "store.sql")

    async def projects(
        self, *, only: str | None, member: UUID | None, after: str | None, limit: int
    ) -> list[StoredProject]:
        """All projects, only the requested one, or only those that this person is a member of."""
        return await self._many(StoredProject, "projects", only=only, member=member, after=after, limit=limit)

    async def project(self, *, project: str) -> StoredProject | None:
        """One project."""
        return await self._one(StoredProject, "project", project=project)

    async def sizes(self, *, project: str) -> ProjectSizes:
        """Counted with indexes that have no more rows than that."""
        found = await self._one(ProjectSizes, "project_sizes", project=project)
        assert found is not None
        return found

    async def lock(self, *, project: str) -> StoredProject | None:
        """The same project, locked against changes until the transaction ends."""
        return await self._one(StoredProject, "lock_project", project=project)

    async def insert(self, *, project: str, name: str, parallel_limit: int | None) -> StoredProject | None:
        """Create a project; returns None if one with this id exists."""
        return await self._one(
            StoredProject, "insert_project", project=project, name=name, parallel_limit=parallel_limit
        )

    async def update(self, *, project: str, name: str, parallel_limit: int | None) -> None:
        """Change a project."""
        await self._run("update_project", project=project, name=name, parallel_limit=parallel_limit)

    async def dotted_ids(self) -> list[str]:
        """Projects whose ids contain dots."""
        return await self._column(str, "dotted_project_ids")

    async def variables(self, *, project: str) -> list[Variable]:
        """All variables, by name."""
        return await self._many(Variable, "variables", project=project)

    async def variable(self, *, project: str, name: str) -> Variable | None:
        """One variable."""
        return await self._one(Variable, "variable", project=project, name=name)

    async def lock_variable(self, *, project: str, name: str) -> bool:
        """Lock a variable until the transaction ends; returns False if it does not exist."""
        return await self._value(str, "lock_variable", project=project, name=name) is not None

    async def save_variable(self, *, project: str, name: str, value: str, secret: bool) -> None:
        """Add a variable or change it."""
        await self._run("save_variable", project=project, name=name, value=value, secret=secret)

    async def delete_variable(self, *, project: str, name: str) -> bool:
        """Delete a variable; returns False if it does not exist."""
        return await self._run("delete_variable", project=project, name=name) > 0
