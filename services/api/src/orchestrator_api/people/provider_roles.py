"""Roles that follow the groups of the identity provider: applied again at each sign-in."""

import asyncpg

from orchestrator_api.access import audit
from orchestrator_api.access.audit import SYSTEM, About, Author
from orchestrator_api.access.permissions import Membership
from orchestrator_api.people.oidc.group_roles import Grants, RoleChange, changes
from orchestrator_api.people.rows import Person
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.database.rows import JsonObject

ACTOR = "identity provider"
"""In the audit log: who gives and takes the roles of groups."""


async def apply(connection: asyncpg.Connection, person: Person, grants: Grants) -> None:
    """Give and take roles; what was given by hand stays. Who administers is locked, and then the person.

    A role is taken away even from the last admin of a project or of the installation: whoever has left a
    group must not keep its rights because no one else has them.
    """
    store = PeopleStore(connection)
    if changes(await store.held_roles(person_id=person.id), grants.memberships):
        await _apply_roles(connection, person, grants)
    was_by_provider = await store.administers_by_provider(person_id=person.id)
    if grants.is_administrator != person.is_administrator and (grants.is_administrator or was_by_provider):
        await store.set_administrator_by_provider(person_id=person.id, administers=grants.is_administrator)
        before, after = (
            {"is_administrator": each} for each in (person.is_administrator, grants.is_administrator)
        )
        await _record(connection, None, "person.changed", person, before, after)


async def _apply_roles(connection: asyncpg.Connection, person: Person, grants: Grants) -> None:
    """Changes of a project's members take turns, so what is to change is decided again under their locks."""
    store = PeopleStore(connection)
    held = await store.held_roles(person_id=person.id)
    concerned = sorted(grants.memberships.keys() | {each.project for each in held if each.is_from_provider})
    existing = {project for project in concerned if await store.lock_members(project=project)}
    for change in changes(await store.held_roles(person_id=person.id), grants.memberships):
        if change.project in existing:
            await _apply_change(connection, person, change)


async def _apply_change(connection: asyncpg.Connection, person: Person, change: RoleChange) -> None:
    store, membership = PeopleStore(connection), change.after
    if membership is None:
        await store.delete_member(project=change.project, person_id=person.id)
        await _record(connection, change.project, "member.removed", person, _document(change.before))
        return
    await store.give_role(
        project=change.project, person_id=person.id, role=membership.role, may_run=membership.may_run
    )
    action = "member.added" if change.before is None else "member.changed"
    await _record(connection, change.project, action, person, _document(change.before), _document(membership))


def _document(membership: Membership | None) -> JsonObject | None:
    if membership is None:
        return None
    return {"role": membership.role.value, "may_run": membership.may_run}


async def _record(
    connection: asyncpg.Connection,
    project: str | None,
    action: str,
    person: Person,
    before: JsonObject | None,
    after: JsonObject | None = None,
) -> None:
    await audit.record(
        connection,
        project=project,
        actor=Author(ACTOR, SYSTEM),
        action=action,
        subject=person.email,
        detail=after or before or {},
        about=About(before, after, id=str(person.id)),
    )
