"""People, the members of projects, and sessions in the database."""

from datetime import datetime
from uuid import UUID

from orchestrator_api.access.permissions import Role
from orchestrator_api.people.oidc.group_roles import HeldRole
from orchestrator_api.people.rows import (
    Attempts,
    Credentials,
    LinkedIdentity,
    Member,
    NewLink,
    NewSession,
    OpenLink,
    Person,
    Preferences,
    StoredSession,
    WaysIn,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.database.store import Store


class PeopleStore(Store):
    """Writes people, members and sessions."""

    queries = Queries.load(__package__, "store.sql")

    async def insert_person(self, *, person_id: UUID, email: str, name: str) -> bool:
        """Create an account; returns False if there is one with this address."""
        return await self._run("insert_person", id=person_id, email=email, name=name) > 0

    async def person_by_email(self, *, email: str) -> Person | None:
        """The account with this address, in upper or lower case."""
        if not email.isascii():  # accounts' addresses are, but for most databases İ is a kind of i
            return None
        return await self._one(Person, "person_by_email", email=email)

    async def person(self, *, person_id: UUID) -> Person | None:
        """One account."""
        return await self._one(Person, "person", id=person_id)

    async def has_password(self, *, person_id: UUID) -> bool:
        """Whether the person has chosen a password."""
        return await self._value(bool, "has_password", id=person_id) is True

    async def preferences(self, *, person_id: UUID) -> Preferences:
        """How the person wants to see the pages."""
        found = await self._one(Preferences, "preferences", id=person_id)
        return found or Preferences()

    async def update_preferences(
        self,
        *,
        person_id: UUID,
        theme: str | None,
        timezone: str | None,
        single_keys: bool | None,
        page_size: int | None,
    ) -> None:
        """Store how the person wants to see the pages."""
        chosen = {"theme": theme, "timezone": timezone, "single_keys": single_keys, "page_size": page_size}
        await self._run("update_preferences", id=person_id, **chosen)

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

    async def lock_members(self, *, project: str) -> bool:
        """Let no one else change the project's members until the transaction ends; False without project."""
        return await self._value(str, "lock_members", project=project) is not None

    async def enabled_admins(self, *, project: str, limit: int) -> list[UUID]:
        """Some admins of the project whose accounts are not disabled."""
        return await self._column(UUID, "enabled_admins", project=project, limit=limit)

    async def has_other_admin(self, *, project: str, person_id: UUID) -> bool:
        """Whether the project has an admin besides this person whose account is not disabled."""
        return await self._value(bool, "has_other_admin", project=project, person_id=person_id) is True

    async def people(self, *, after: UUID | None, limit: int) -> list[Person]:
        """All accounts."""
        return await self._many(Person, "people", after=after, limit=limit)

    async def update_person(
        self, *, person_id: UUID, name: str, is_administrator: bool, is_disabled: bool
    ) -> None:
        """Change an account."""
        await self._run(
            "update_person",
            id=person_id,
            name=name,
            is_administrator=is_administrator,
            is_disabled=is_disabled,
        )

    async def lock_administrators(self) -> None:
        """Let no one else change who is an administrator until the transaction ends."""
        await self._run("lock_who_administers")

    async def has_other_administrator(self, *, person_id: UUID) -> bool:
        """Whether there is an administrator besides this person whose account is not disabled."""
        return await self._value(bool, "has_other_administrator", id=person_id) is True

    async def credentials(self, *, email: str) -> Credentials | None:
        """What decides whether the person with this address may sign in."""
        if not email.isascii():  # as above: each spelling would have tries of its own
            return None
        return await self._one(Credentials, "credentials", email=email)

    async def credentials_of(self, *, person_id: UUID) -> Credentials | None:
        """The same for a person."""
        return await self._one(Credentials, "credentials_of", id=person_id)

    async def lock_attempts(self, *, account: bytes) -> Attempts:
        """The tries to sign in to an account, locked."""
        await self._run("insert_attempts", account=account)
        found = await self._one(Attempts, "lock_attempts", account=account)
        assert found is not None
        return found

    async def record_attempt(self, *, account: bytes, failures: int, delay: float) -> None:
        """Close the account for this many seconds."""
        await self._run("record_attempt", account=account, failures=failures, delay=delay)

    async def delete_attempts(self, *, account: bytes) -> None:
        """Forget wrong passwords of the account."""
        await self._run("delete_attempts", account=account)

    async def insert_session(self, session: NewSession, *, password_hash: str) -> bool:
        """Store a session; returns False if the account was disabled or its password changed meanwhile."""
        return await self._run("insert_session", **columns_of(session), password_hash=password_hash) > 0

    async def insert_provider_session(self, session: NewSession) -> None:
        """Store a session of a person whose account is locked and not disabled."""
        await self._run("insert_provider_session", **columns_of(session))

    async def change_password(self, *, person_id: UUID, old_hash: str, new_hash: str) -> bool:
        """Replace a password; returns False if another request has replaced it."""
        values = {"id": person_id, "old_hash": old_hash, "new_hash": new_hash}
        return await self._run("change_password", **values) > 0

    async def sessions(
        self, *, person_id: UUID, created_after: datetime, seen_after: datetime
    ) -> list[StoredSession]:
        """The sessions of a person, the last used first."""
        return await self._many(
            StoredSession,
            "sessions",
            person_id=person_id,
            created_after=created_after,
            seen_after=seen_after,
        )

    async def delete_session(self, *, session_id: UUID, person_id: UUID) -> bool:
        """End one session of a person; returns False if there is none with this id."""
        return await self._run("delete_session", id=session_id, person_id=person_id) > 0

    async def delete_sessions(self, *, person_id: UUID, except_id: UUID | None = None) -> int:
        """End all sessions of a person, or all others; returns how many."""
        return await self._run("delete_sessions", person_id=person_id, except_id=except_id)

    async def insert_link(self, link: NewLink) -> None:
        """Store a link."""
        await self._run("insert_link", **columns_of(link))

    async def open_link(self, *, link_id: UUID, now: datetime) -> OpenLink | None:
        """The link, if it can still be used."""
        return await self._one(OpenLink, "open_link", id=link_id, now=now)

    async def lock_person(self, *, person_id: UUID) -> bool:
        """Lock an account; returns False if it is disabled."""
        return await self._value(UUID, "lock_person", id=person_id) is not None

    async def use_links(self, *, person_id: UUID) -> list[UUID]:
        """End all links of a person that were not used yet; returns them."""
        return await self._column(UUID, "use_links", person_id=person_id)

    async def set_password(self, *, person_id: UUID, password_hash: str, name: str | None) -> None:
        """Set the password and, if there is one, the name."""
        await self._run("set_password", id=person_id, password_hash=password_hash, name=name)

    async def is_reset_under_way(self, *, person_id: UUID) -> bool:
        """Whether a link for a new password was mailed to the person just now."""
        return await self._value(bool, "is_reset_under_way", person_id=person_id) is True

    async def seconds_until_mail(self, *, person_id: UUID, most: int) -> float:
        """Seconds until the person has been mailed fewer than this many links within an hour; 0 means now."""
        found = await self._value(float, "seconds_until_mail", person_id=person_id, most=most)
        return max(0.0, found or 0.0)

    async def can_administer(self, ways: WaysIn) -> bool:
        """Whether any instance administrator can sign in or has a token."""
        return await self._value(bool, "can_administer", **columns_of(ways)) is True

    async def make_administrator(self, *, person_id: UUID) -> None:
        """Make a person an instance administrator whose account is not disabled."""
        await self._run("make_administrator", id=person_id)

    async def person_of_identity(self, *, issuer: str, subject: str) -> UUID | None:
        """Whose identity this is."""
        return await self._value(UUID, "person_of_identity", issuer=issuer, subject=subject)

    async def insert_identity(self, *, issuer: str, subject: str, person_id: UUID) -> bool:
        """Link an identity; returns False if it or the person is linked already."""
        values = {"issuer": issuer, "subject": subject, "person_id": person_id}
        return await self._run("insert_identity", **values) > 0

    async def delete_identity(self, *, person_id: UUID) -> LinkedIdentity | None:
        """Unlink the person's identity; returns it, or None if there was none."""
        return await self._one(LinkedIdentity, "delete_identity", person_id=person_id)

    async def held_roles(self, *, person_id: UUID) -> list[HeldRole]:
        """The roles of a person in all projects."""
        return await self._many(HeldRole, "held_roles", person_id=person_id)

    async def give_role(self, *, project: str, person_id: UUID, role: Role, may_run: bool) -> None:
        """Give a role because of the person's groups; one given by hand stays."""
        values = {"project": project, "person_id": person_id, "role": role.value, "may_run": may_run}
        await self._run("give_role", **values)

    async def administers_by_provider(self, *, person_id: UUID) -> bool:
        """Whether the person is an instance administrator because of their groups."""
        return await self._value(bool, "administers_by_provider", id=person_id) is True

    async def set_administrator_by_provider(self, *, person_id: UUID, administers: bool) -> None:
        """Make or unmake an instance administrator because of the person's groups."""
        await self._run("set_administrator_by_provider", id=person_id, administers=administers)
