"""The sessions of the person who makes a request: listed and ended."""

from uuid import UUID

from orchestrator_api.access import personal_tokens
from orchestrator_api.access.audit import About
from orchestrator_api.access.browser_sessions import BrowserSessions
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.http.session import Session
from orchestrator_api.people.rows import StoredSession
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.errors import NotFound


def person_of(session: Session) -> UUID:
    """The person who makes the request; refuses API tokens."""
    if session.actor.person_id is None:
        raise Forbidden("this is for people: an API token has neither a password nor sessions")
    return session.actor.person_id


async def listing(session: Session, rules: BrowserSessions) -> list[StoredSession]:
    """The person's sessions that have not ended."""
    store = PeopleStore(session.connection)
    return await store.sessions(
        person_id=person_of(session),
        created_after=rules.oldest(session.now),
        seen_after=rules.longest_unused(session.now),
    )


def current(session: Session) -> UUID:
    """The session that the request came with."""
    person_of(session)
    if session.actor.session_id is None:
        raise NotFound("this request came with a token, not with a session", field="session")
    return session.actor.session_id


async def end(session: Session, session_id: UUID) -> None:
    """End one session of the person."""
    store = PeopleStore(session.connection)
    if not await store.delete_session(session_id=session_id, person_id=person_of(session)):
        raise NotFound(f"you have no session {session_id}", field="session")
    about = About(id=str(session_id))
    await session.record_in(None, "session.ended", session.actor.label, about, id=str(session_id))


async def end_all(session: Session) -> None:
    """Sign the person out everywhere, also in the command line; a token that asks for it stays."""
    store, person_id = PeopleStore(session.connection), person_of(session)
    count = await store.delete_sessions(person_id=person_id)
    asking = session.actor.token_id
    logins = await personal_tokens.end_logins(session.connection, person_id, except_id=asking)
    if count or logins:
        await session.record_in(None, "sessions.ended", session.actor.label, count=count, logins=logins)
