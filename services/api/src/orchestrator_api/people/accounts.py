"""Accounts: changed and disabled by an instance administrator; their passwords, by the person."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from orchestrator_api.access import personal_tokens
from orchestrator_api.access.audit import About
from orchestrator_api.http.dependencies import Caller
from orchestrator_api.http.edits import Target
from orchestrator_api.http.ports import UnitsOfWork
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.http.session import Session
from orchestrator_api.people import links, sessions
from orchestrator_api.people.rows import Credentials, NewLink, Person
from orchestrator_api.people.sign_in import SignIns, account_key, reserve_attempt
from orchestrator_api.people.sign_in_settings import SignInSettings, ways_in
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.link_purposes import LinkPurpose

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What of an account shall change; None stays."""

    name: str | None = None
    disabled: bool | None = None
    is_administrator: bool | None = None


async def warn_of_no_administrator(units_of_work: UnitsOfWork, settings: SignInSettings) -> None:
    """Say at the start how the first administrator gets in."""
    async with units_of_work.work() as work:
        if not await PeopleStore(work.connection).can_administer(ways_in(settings)):
            hint = "to get a link, run `python -m orchestrator_api.people.first_link EMAIL` beside the api"
            log.warning("administrator.missing", hint=hint)


async def listing(session: Session, after: UUID | None, limit: int) -> list[Person]:
    """All accounts."""
    return await PeopleStore(session.connection).people(after=after, limit=limit)


async def find(session: Session, person_id: UUID) -> Person:
    """The account; raises NotFound if it does not exist."""
    found = await PeopleStore(session.connection).person(person_id=person_id)
    if found is None:
        raise NotFound(f"there is no person {person_id}", field="person")
    return found


async def target(session: Session, person_id: UUID) -> Target:
    """An account, locked to be changed."""
    await PeopleStore(session.connection).lock_administrators()
    found = await find(session, person_id)
    return Target("this account", "person", found.email, found.etag)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create."""

    email: str
    name: str | None
    is_administrator: bool


async def invite(session: Session, account: NewAccount, *, mailed: bool) -> NewLink:
    """Create an account, or invite again someone who has not chosen a password yet."""
    store = PeopleStore(session.connection)
    if account.is_administrator:
        await store.lock_administrators()
    name = account.name or account.email
    is_new = await store.insert_person(person_id=new_id(), email=account.email, name=name)
    person = await store.person_by_email(email=account.email)
    assert person is not None
    if not is_new and await store.has_password(person_id=person.id):
        raise Conflict(f"{person.email} has an account already: reset the password instead", field="email")
    if account.is_administrator:
        await change(session, person.id, AccountChange(is_administrator=True))
    return await _link(session, person, LinkPurpose.INVITE, mailed=mailed)


async def reset(session: Session, person_id: UUID, *, mailed: bool) -> NewLink:
    """Make a link with which the person sets a new password; the old one is good until then."""
    person = await find(session, person_id)
    if person.disabled_at is not None:
        raise Conflict(f"the account of {person.email} is disabled: enable it first", field="person")
    return await _link(session, person, LinkPurpose.RESET, mailed=mailed)


async def _link(session: Session, person: Person, purpose: LinkPurpose, *, mailed: bool) -> NewLink:
    if mailed:
        await _check_mails(session, person)
    occasion = links.Occasion(purpose, invited_by=session.actor.person_id, is_mailed=mailed)
    link = await links.issue(session.connection, person.id, occasion, session.now)
    if mailed:
        session.publish(links.mail_of(link))
    action = "person.invited" if purpose is LinkPurpose.INVITE else "password.reset_requested"
    await session.record(action, person.email, About(id=str(person.id)), mailed=mailed)
    return link


async def _check_mails(session: Session, person: Person) -> None:
    wait = await links.seconds_until_mail(session.connection, person.id)
    if wait > 0:
        raise TooMany(
            f"{links.MAILS_AN_HOUR} links were mailed to {person.email} within an hour, and no more are; "
            "get the link itself with `show_link`, or wait",
            retry_after=wait,
        )


async def change(session: Session, person_id: UUID, change: AccountChange) -> Person:
    """Change an account; disabling it ends its sessions, logins and links at once, and for good."""
    store = PeopleStore(session.connection)
    await store.lock_administrators()
    before = await find(session, person_id)
    was_disabled = before.disabled_at is not None
    is_disabled = was_disabled if change.disabled is None else change.disabled
    administers = before.is_administrator if change.is_administrator is None else change.is_administrator
    name = before.name if change.name is None else change.name
    fields = ("name", "is_administrator", "disabled")
    old = dict(zip(fields, (before.name, before.is_administrator, was_disabled), strict=True))
    new = dict(zip(fields, (name, administers, is_disabled), strict=True))
    if old == new:
        return before
    await _check_other_administrator(store, before, stays=administers and not is_disabled)
    await store.update_person(
        person_id=person_id, name=name, is_administrator=administers, is_disabled=is_disabled
    )
    if is_disabled:
        await store.delete_sessions(person_id=person_id)
        await store.use_links(person_id=person_id)
        await personal_tokens.end_logins(session.connection, person_id)
    action = "person.changed"
    if is_disabled != was_disabled:
        action = "person.disabled" if is_disabled else "person.enabled"
    about = About(old, new, id=str(person_id))
    await session.record(action, before.email, about, name=name, is_administrator=administers)
    return await find(session, person_id)


async def _check_other_administrator(store: PeopleStore, person: Person, *, stays: bool) -> None:
    if stays or not person.is_administrator or person.disabled_at is not None:
        return
    if not await store.has_other_administrator(person_id=person.id):
        raise Conflict(
            f"{person.email} is the last administrator: make another person one first", field="person"
        )


async def has_password(session: Session) -> bool:
    """Whether the person who makes the request has a password."""
    return await PeopleStore(session.connection).has_password(person_id=sessions.person_of(session))


async def change_password(call: Caller, desk: SignIns, current: str, new: str) -> None:
    """Change the password of the person who makes the request, and sign them out everywhere else.

    Their links end, too. Wrong passwords count as they do in signing in.
    Nothing is locked while passwords are hashed.
    """
    desk.require_passwords()
    async with call.session(()) as session:
        person_id = sessions.person_of(session)
        store = PeopleStore(session.connection)
        credentials = await store.credentials_of(person_id=person_id)
        assert credentials is not None
        await reserve_attempt(store, account_key(credentials.email))
    verdict = await desk.passwords.verify(person_id, credentials.password_hash, current)
    if credentials.password_hash is None or not verdict.is_right:
        raise UserError("this is not your current password", field="current_password")
    new_hash = await desk.passwords.hash(person_id, new)
    async with call.session(()) as session:
        await _replace(session, credentials, credentials.password_hash, new_hash)


async def _replace(session: Session, credentials: Credentials, old_hash: str, new_hash: str) -> None:
    store = PeopleStore(session.connection)
    await store.delete_attempts(account=account_key(credentials.email))
    if not await store.change_password(person_id=credentials.id, old_hash=old_hash, new_hash=new_hash):
        raise Conflict("your password was changed at the same moment: try again", field="current_password")
    await store.use_links(person_id=credentials.id)
    ended = await store.delete_sessions(person_id=credentials.id, except_id=session.actor.session_id)
    logins = await personal_tokens.end_logins(
        session.connection, credentials.id, except_id=session.actor.token_id
    )
    about = About({"#password": old_hash}, {"#password": new_hash}, id=str(credentials.id))
    counts = {"ended_sessions": ended, "ended_logins": logins}
    await session.record_in(None, "password.changed", credentials.email, about, **counts)
