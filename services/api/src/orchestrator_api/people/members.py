"""The members of a project: who they are, and in which role."""

from dataclasses import dataclass
from uuid import UUID

from orchestrator_api.access.audit import About
from orchestrator_api.access.permissions import Membership, Role
from orchestrator_api.http.edits import Target
from orchestrator_api.http.session import Session
from orchestrator_api.people import links
from orchestrator_api.people.rows import Member, Person
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import Conflict, NotFound
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.link_purposes import LinkPurpose


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who shall become a member, in which role."""

    email: str
    membership: Membership
    name: str | None = None


async def listing(session: Session, after: UUID | None, limit: int) -> list[Member]:
    """The project's members."""
    store = PeopleStore(session.connection)
    return await store.members(project=session.project, after=after, limit=limit)


async def last_admin(session: Session) -> UUID | None:
    """The only admin whose account is not disabled, who stays one; None if there are others."""
    found = await PeopleStore(session.connection).enabled_admins(project=session.project, limit=2)
    return found[0] if len(found) == 1 else None


async def find(session: Session, person_id: UUID) -> Member:
    """The member; raises NotFound for a person who is not one, whether or not they have an account."""
    store = PeopleStore(session.connection)
    found = await store.member(project=session.project, person_id=person_id)
    if found is None:
        raise NotFound(f"there is no member {person_id} in this project", field="person")
    return found


async def target(session: Session, person_id: UUID) -> Target:
    """A member, locked to be changed or removed."""
    await PeopleStore(session.connection).lock_members(project=session.project)
    found = await find(session, person_id)
    return Target("this member", "member", found.email, found.etag)


async def invite(session: Session, invitation: Invitation) -> Member:
    """Add a member, with a new account if there is none with this address; mail a link to set a password.

    Someone who was mailed many links just now gets no other: those that they have lead here as well.
    """
    store, membership = PeopleStore(session.connection), invitation.membership
    person = await _person(store, invitation)
    await store.lock_person(person_id=person.id)  # before the member: a sign-in gives roles in this order
    is_new = await store.insert_member(
        project=session.project, person_id=person.id, role=membership.role, may_run=membership.may_run
    )
    if not is_new:
        raise Conflict(f"{person.email} is a member already: change the role instead", field="email")
    about = About(after=_document(membership), id=str(person.id))
    await session.record("member.added", person.email, about, **_document(membership))
    if not await store.has_password(person_id=person.id) and await _may_be_mailed(session, person):
        occasion = links.Occasion(LinkPurpose.INVITE, session.project, session.actor.person_id)
        link = await links.issue(session.connection, person.id, occasion, session.now)
        session.publish(links.mail_of(link))
    return await find(session, person.id)


async def _may_be_mailed(session: Session, person: Person) -> bool:
    return await links.seconds_until_mail(session.connection, person.id) == 0


async def _person(store: PeopleStore, invitation: Invitation) -> Person:
    await store.insert_person(
        person_id=new_id(), email=invitation.email, name=invitation.name or invitation.email
    )
    found = await store.person_by_email(email=invitation.email)
    assert found is not None
    return found


async def change_role(session: Session, person_id: UUID, membership: Membership) -> Member:
    """Change a member's role; the last admin stays one."""
    store = PeopleStore(session.connection)
    await store.lock_members(project=session.project)
    before = await find(session, person_id)
    if (before.role, before.may_run) == (membership.role, membership.may_run):
        return before
    if membership.role is not Role.ADMIN:
        await _check_other_admin(session, before)
    await store.update_member(
        project=session.project, person_id=person_id, role=membership.role, may_run=membership.may_run
    )
    about = About(_document(before), _document(membership), id=str(person_id))
    await session.record("member.changed", before.email, about, **_document(membership))
    return await find(session, person_id)


async def remove(session: Session, person_id: UUID) -> None:
    """Remove a member, but not the last admin; the account stays."""
    store = PeopleStore(session.connection)
    await store.lock_members(project=session.project)
    member = await find(session, person_id)
    await _check_other_admin(session, member)
    await store.delete_member(project=session.project, person_id=person_id)
    about = About(_document(member), id=str(person_id))
    await session.record("member.removed", member.email, about, role=member.role.value)


def _document(member: Member | Membership) -> JsonObject:
    return {"role": Role(member.role).value, "may_run": member.may_run}


async def _check_other_admin(session: Session, member: Member) -> None:
    """Refuse to take away the last admin; the project's members are locked."""
    if member.role is not Role.ADMIN:
        return
    store = PeopleStore(session.connection)
    if not await store.has_other_admin(project=session.project, person_id=member.person_id):
        raise Conflict(
            f"{member.email} is the last admin of this project: make another member an admin first",
            field="person",
        )
