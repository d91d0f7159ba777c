"""Signs in people who come from the identity provider, and gives them the roles of their groups."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from orchestrator_api.access import audit
from orchestrator_api.access.audit import SYSTEM, About, Author
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.people import provider_roles
from orchestrator_api.people.metrics import PROVIDER_SIGN_INS
from orchestrator_api.people.oidc.endpoints import ProviderUnavailable
from orchestrator_api.people.oidc.group_roles import granted
from orchestrator_api.people.oidc.pending import PendingSignIn
from orchestrator_api.people.oidc.provider import Identity, NotProved, Provider
from orchestrator_api.people.provider_roles import ACTOR
from orchestrator_api.people.sign_in import (
    Opened,
    Sender,
    SignIns,
    check_address,
    new_session,
    record_opened,
    record_refused,
)
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.mail_addresses import check_mail_address

log = structlog.get_logger(__name__)

TOO_OLD = "this sign-in is too old, or it was begun in another browser: sign in again"
NOT_PROVED = "the answer of the identity provider is not valid: sign in again"
NO_MAIL = "the identity provider has not verified your mail address: ask whoever manages it"
DISABLED = "your account is disabled: ask an administrator"
TAKEN = "another person has signed in with your mail address: ask an administrator"


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What the browser brings back from the provider."""

    state: str
    code: str
    error: str
    """Instead of a code."""


async def begin(provider: Provider, pending: PendingSignIn) -> str:
    """Where the person signs in; raises ProviderUnavailable."""
    try:
        return await provider.authorization_url(pending)
    except ProviderUnavailable as error:
        raise _unavailable(error) from error


async def sign_in(
    desk: SignIns, provider: Provider, pending: PendingSignIn | None, answer: ProviderAnswer, sender: Sender
) -> Opened:
    """Open a session for whoever the answer is about; raises Forbidden, TooMany, ProviderUnavailable."""
    check_address(desk, b"", sender)
    if pending is None or not pending.is_answered_by(answer.state):
        raise await _refusal(desk, sender, "the state is not the browser's", TOO_OLD)
    if not answer.code:
        reason = f"the provider refuses: {answer.error}"
        raise await _refusal(
            desk, sender, reason, f"the identity provider did not let you in: {answer.error}"
        )
    try:
        identity = await provider.identity(answer.code, pending)
    except ProviderUnavailable as error:
        raise _unavailable(error) from error
    except NotProved as error:
        raise await _refusal(desk, sender, str(error), NOT_PROVED) from error
    return await _sign_in(desk, provider, identity, sender)


async def _sign_in(desk: SignIns, provider: Provider, identity: Identity, sender: Sender) -> Opened:
    try:
        _check_address(identity)
        async with desk.sessions.units_of_work.work() as work:
            opened = await _open(work.connection, provider, identity, sender)
    except Forbidden as error:
        raise await _refusal(desk, sender, error.detail, error.detail, identity) from error
    PROVIDER_SIGN_INS.labels("opened").inc()
    return opened


async def _refusal(
    desk: SignIns, sender: Sender, reason: str, shown: str, identity: Identity | None = None
) -> Forbidden:
    """Record a failed sign-in; returns what to tell the person."""
    PROVIDER_SIGN_INS.labels("refused").inc()
    subject = ACTOR if identity is None else identity.email[:320] or identity.subject
    await record_refused(desk, subject, sender, reason)
    return Forbidden(shown)


def _unavailable(error: ProviderUnavailable) -> ProviderUnavailable:
    PROVIDER_SIGN_INS.labels("unavailable").inc()
    log.warning("identity_provider.unavailable", reason=str(error))
    return error


def _check_address(identity: Identity) -> None:
    try:
        check_mail_address(identity.email)
    except UserError:
        raise Forbidden(NO_MAIL) from None
    if not identity.is_verified:
        raise Forbidden(NO_MAIL)


async def _open(
    connection: asyncpg.Connection, provider: Provider, identity: Identity, sender: Sender
) -> Opened:
    store = PeopleStore(connection)
    await store.lock_administrators()  # whether or not that changes: after the account it would be too late
    person_id = await _person(connection, identity)
    if not await store.lock_person(person_id=person_id):
        raise Forbidden(DISABLED)
    person = await store.person(person_id=person_id)
    assert person is not None
    await provider_roles.apply(connection, person, granted(provider.settings.groups, identity.groups))
    session, secret = new_session(person_id, sender)
    await store.insert_provider_session(session)
    await record_opened(connection, person, session.id, sender, "identity provider")
    return Opened(session.id, secret, person_id)


async def _person(connection: asyncpg.Connection, identity: Identity) -> UUID:
    """Whose identity it is: at first, the account with the address that the provider has verified."""
    store = PeopleStore(connection)
    key = {"issuer": identity.issuer, "subject": identity.subject}
    known = await store.person_of_identity(**key)
    if known is not None:
        return known
    name = identity.name or identity.email
    is_new = await store.insert_person(person_id=new_id(), email=identity.email, name=name)
    person = await store.person_by_email(email=identity.email)
    assert person is not None
    if await store.insert_identity(**key, person_id=person.id):
        action = "person.created" if is_new else "person.linked"
        await audit.record(
            connection,
            project=None,
            actor=Author(ACTOR, SYSTEM),
            action=action,
            subject=person.email,
            detail=key,
            about=About(id=str(person.id)),
        )
        return person.id
    # Another request has linked the identity meanwhile, or the person has another one.
    known = await store.person_of_identity(**key)
    if known is None:
        raise Forbidden(TAKEN)
    return known
