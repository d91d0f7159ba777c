"""People and the members of projects in the database."""

from uuid import UUID

from orchestrator_api.access.permissions import Role
from orchestrator_api.people.rows import Member, Person
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class PeopleStore(Store):
    """Writes people and members."""

    queries = Queries.load(__package__, "store.sql")

    async def insert_person(self, *, person_id: UUID, email: str, name: str) -> bool:
        """Create an account; returns False if there is one with this address."""
        return await self._run("insert_person", id=person_id, email=email, name=name) > 0

    async def person_by_email(self, *, email: str) -> Person | None:
        """The account with this address, in upper or lower case."""
        return await self._one(Person, "person_by_email", email=email)

    async def person(self, *, person_id: UUID) -> Person | None:
        """One account."""
        return await self._one(Person, "person", id=person_id)

    async def members(self, *, project: str, after: UUID | None, limit: int) -> list[Member]:
        """The members of a project."""
        return await self._many(Member, "members", project=project, after=after, limit=limit)

    async def member(self, *, project: str, person_id: UUID) -> Member | None:
        """One member of a project."""
        return await self._one(Member, "member", project=project, person_id=person_id)

    async def insert_member(self, *, project: str, person_id: UUID, role: Role, may_run: bool) -> bool:
        """Add a member; returns False if they are one already."""
        return (
            await self._run(
                "insert_member", project=project, person_id=person_id, role=role.value, may_run=may_run
            )
            > 0
        )

    async def update_member(self, *, project: str, person_id: UUID, role: Role, may_run: bool) -> None:
        """Change a member's role."""
        await self._run(
            "update_member", project=project, person_id=person_id, role=role.value, may_run=may_run
        )

    async def delete_member(self, *, project: str, person_id: UUID) -> None:
        """Remove a member."""
        await self._run("delete_member", project=project, person_id=person_id)

    async def lock_members(self, *, project: str) -> None:
        """Let no one else change the project's members until the transaction ends."""
        await self._run("lock_members", project=project)

    async def has_other_admin(self, *, project: str, person_id: UUID) -> bool:
        """Whether the project has an admin besides this person whose account is not disabled."""
        return await self._value(bool, "has_other_admin", project=project, person_id=person_id) is True
