"""Unlinks accounts from their identities at the provider."""

from uuid import UUID

from orchestrator_api.access import personal_tokens
from orchestrator_api.access.audit import About
from orchestrator_api.http.session import Session
from orchestrator_api.people import accounts
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.errors import NotFound


async def unlink(session: Session, person_id: UUID) -> None:
    """Unlink the identity and sign the person out everywhere: someone else may have come in by it.

    An account without a password is unlinked, too: the next sign-in at the provider links it again.
    """
    store = PeopleStore(session.connection)
    person = await accounts.find(session, person_id)
    identity = await store.delete_identity(person_id=person_id)
    if identity is None:
        raise NotFound(f"{person.email} is not linked to an identity provider", field="person")
    ended = await store.delete_sessions(person_id=person_id)
    logins = await personal_tokens.end_logins(session.connection, person_id)
    before = {"issuer": identity.issuer, "subject": identity.subject}
    counts = {"ended_sessions": ended, "ended_logins": logins}
    await session.record("person.unlinked", person.email, About(before, {}, id=str(person_id)), **counts)
