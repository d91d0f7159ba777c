"""Links that set a password: made, shown or mailed, looked at, and used once."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from orchestrator_api.access import audit, personal_tokens
from orchestrator_api.access.audit import About, Author
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.people.rows import NewLink, OpenLink
from orchestrator_api.people.sign_in import SignIns, account_key
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.contracts.events import PersonMailRequested
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import sign_link, verify_link

VALID = {
    LinkPurpose.INVITE: timedelta(days=7),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.FIRST: timedelta(hours=24),
}
MAILS_AN_HOUR = 5
"""To one person, whoever asks for them."""
ENDED = "this link was used, has expired or was never valid: ask for a new one"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a link is made, and who asked for it."""

    purpose: LinkPurpose
    project: str | None = None
    invited_by: UUID | None = None
    is_mailed: bool = True
    """Otherwise it is shown to an administrator."""


async def issue(
    connection: asyncpg.Connection, person_id: UUID, occasion: Occasion, now: datetime
) -> NewLink:
    """Store a new link of the person; whoever mails it also publishes `mail_of`."""
    link = NewLink(
        id=new_id(),
        person_id=person_id,
        purpose=occasion.purpose,
        expires_at=(now + VALID[occasion.purpose]).replace(microsecond=0),
        project=occasion.project,
        invited_by=occasion.invited_by,
        is_mailed=occasion.is_mailed,
    )
    await PeopleStore(connection).insert_link(link)
    return link


async def seconds_until_mail(connection: asyncpg.Connection, person_id: UUID) -> float:
    """Seconds until another link may be mailed to the person; 0 means now. Requests for them take turns."""
    store = PeopleStore(connection)
    await store.lock_person(person_id=person_id)
    return await store.seconds_until_mail(person_id=person_id, most=MAILS_AN_HOUR)


def mail_of(link: NewLink) -> PersonMailRequested:
    """Asks the notifier to mail the link, which it derives itself."""
    return PersonMailRequested(
        link_id=link.id, person_id=link.person_id, purpose=link.purpose, expires_at=link.expires_at
    )


def address_of(keys: Sequence[bytes], public_url: str | None, link: NewLink) -> str:
    """The whole link; without a public URL only its path."""
    text = sign_link(keys[0], link.id, link.purpose, link.expires_at)
    return f"{(public_url or '').rstrip('/')}/links/{text}"


async def look_at(desk: SignIns, text: str, address: str) -> OpenLink:
    """The link with this text; the same refusal whatever is wrong with it."""
    wait = desk.attempts.seconds_to_wait(address, hashlib.sha256(text.encode()).digest(), time.monotonic())
    if wait > 0:
        raise TooMany("too many invalid links from your address", retry_after=wait)
    now = desk.sessions.clock.now()
    claims = verify_link(desk.link_keys, text, now)
    if claims is not None:
        async with desk.sessions.units_of_work.work() as work:
            found = await PeopleStore(work.connection).open_link(link_id=claims.link_id, now=now)
        if found is not None and found.purpose == claims.purpose:
            return found
    desk.attempts.record_failure(address, time.monotonic())
    raise NotFound(ENDED, field="link")


async def use(desk: SignIns, text: str, address: str, password: str, name: str | None) -> OpenLink:
    """Set the password, which ends every link, session and login. Of two uses at once, one succeeds."""
    link = await look_at(desk, text, address)
    if link.purpose is not LinkPurpose.FIRST:
        desk.require_passwords()
    password_hash = await desk.passwords.hash(address, password)
    async with desk.sessions.units_of_work.work() as work:
        store = PeopleStore(work.connection)
        await store.delete_attempts(account=account_key(link.email))
        if not await store.lock_person(person_id=link.person_id):
            raise NotFound(ENDED, field="link")
        if link.id not in await store.use_links(person_id=link.person_id):
            raise NotFound(ENDED, field="link")
        await store.set_password(person_id=link.person_id, password_hash=password_hash, name=name)
        await store.delete_sessions(person_id=link.person_id)
        await personal_tokens.end_logins(work.connection, link.person_id)
        await audit.record(
            work.connection,
            project=None,
            actor=Author(link.email, "person", link.person_id, address),
            action="password.set",
            subject=link.email,
            detail={"purpose": link.purpose.value},
            about=About(id=str(link.person_id)),
        )
    return link
