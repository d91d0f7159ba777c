"""Tokens of people: made by a login of the command line, they may do what their person may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from orchestrator_api.access import audit
from orchestrator_api.access.audit import About, Author
from orchestrator_api.access.rows import CreatedPersonalToken, PersonalToken
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.refusals import Unauthenticated
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.messaging.outbox import UnitOfWork
from orchestrator_shared.security import hash_token, new_api_token

LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Login:
    """A login that a person has confirmed; its id is the id of the one token that comes of it."""

    token_id: UUID
    person_id: UUID
    session_id: UUID
    """In which they have confirmed it."""
    name: str
    """The computer that it is for."""
    address: str
    """Where the command line is."""


async def create(work: UnitOfWork, login: Login, now: datetime) -> CreatedPersonalToken:
    """Create the login's token, once; this is the only time its text is shown."""
    prefix, text = new_api_token()
    store = AccessStore(work.connection)
    made = await store.insert_personal_token(
        token_id=login.token_id,
        person_id=login.person_id,
        session_id=login.session_id,
        name=f"command line on {login.name}",
        secret_hash=hash_token(text),
        prefix=prefix,
        expires_at=now + LIFETIME,
    )
    if made is None:
        raise Unauthenticated("this login was used already, or the person has signed out: log in again")
    await audit.record(
        work.connection,
        project=None,
        actor=Author(made.email, "person", login.person_id, login.address),
        action="token.created",
        subject=made.name,
        detail={"id": str(made.id), "by": "login of the command line"},
        about=About(after={"name": made.name, "prefix": made.prefix}, id=str(made.id)),
    )
    return CreatedPersonalToken(**columns_of(made), token=text)


async def listing(session: Session) -> Sequence[PersonalToken]:
    """The person's own tokens; none for an API token."""
    if session.actor.person_id is None:
        return []
    return await AccessStore(session.connection).personal_tokens(person_id=session.actor.person_id)


async def revoke(session: Session, token_id: UUID) -> None:
    """End one of the person's own tokens, even the one that sends this request."""
    store, person_id = AccessStore(session.connection), session.actor.person_id
    found = [] if person_id is None else await store.personal_tokens(person_id=person_id, token_id=token_id)
    if person_id is None or not found:
        raise NotFound(f"you have no token {token_id}", field="token")
    if await store.revoke_personal_token(person_id=person_id, token_id=token_id):
        about = About({"revoked": False}, {"revoked": True}, id=str(token_id))
        await session.record("token.revoked", f"{found[0].name} {found[0].email}", about, id=str(token_id))


async def end_logins(
    connection: asyncpg.Connection, person_id: UUID, *, except_id: UUID | None = None
) -> int:
    """End all logins of the command line, or all others; call it once the sessions have ended."""
    return await AccessStore(connection).revoke_logins(person_id=person_id, except_id=except_id)
