"""Signs people in: slows down guessing, and takes the same time whether or not the account exists."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import structlog

from orchestrator_api.access import audit
from orchestrator_api.access.attempts import TokenAttempts
from orchestrator_api.access.audit import About, Author
from orchestrator_api.access.refusal_sampling import RefusalSampling
from orchestrator_api.http.refusals import Forbidden, TooMany, Unauthenticated
from orchestrator_api.http.session import Sessions
from orchestrator_api.people.metrics import SIGN_INS_REFUSED
from orchestrator_api.people.oidc.provider import Provider
from orchestrator_api.people.passwords import Passwords
from orchestrator_api.people.rows import Credentials, NewSession, Person
from orchestrator_api.people.sign_in_delay import delay_after
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token

log = structlog.get_logger(__name__)

WRONG = "the address or the password is wrong"
MAX_USER_AGENT_CHARACTERS = 300
NOBODY = "nobody"
"""In the audit log: who is not signed in."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a sign-in comes from."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session; its secret is given to the browser and stored hashed."""

    id: UUID
    secret: str
    person_id: UUID


@dataclass(frozen=True, slots=True)
class SignIns:
    """What signing in needs."""

    sessions: Sessions
    attempts: TokenAttempts
    """Wrong passwords by address."""
    link_keys: Sequence[bytes] = ()
    """Sign the links that people get; the first one signs, all verify."""
    passwords: Passwords = field(default_factory=Passwords)
    refusals: RefusalSampling = field(default_factory=RefusalSampling)
    """Which failed sign-ins get an audit record, by address, account and reason."""
    provider: Provider | None = None
    allows_passwords: bool = True

    def require_passwords(self) -> None:
        """Refuse where people sign in with the identity provider only."""
        if not self.allows_passwords:
            name = self.provider.settings.name if self.provider else ""
            raise Forbidden(f"passwords are switched off in this installation: sign in with {name}")


async def sign_in(desk: SignIns, email: str, password: str, sender: Sender) -> Opened:
    """Open a session, or refuse with the same words whatever is wrong."""
    desk.require_passwords()
    return await sign_in_with_password(desk, email, password, sender)


async def sign_in_with_password(desk: SignIns, email: str, password: str, sender: Sender) -> Opened:
    """The same where passwords are switched off: for the link of the first administrator."""
    account = account_key(email)
    check_address(desk, account, sender)
    async with desk.sessions.units_of_work.work() as work:
        store = PeopleStore(work.connection)
        await reserve_attempt(store, account)
        found = await store.credentials(email=email)
    stored = found.password_hash if found else None
    verdict = await desk.passwords.verify(sender.address, stored, password)
    if found is None or stored is None or found.is_disabled or not verdict.is_right:
        await _refuse(desk, email, sender, _reason(found))
        raise Unauthenticated(WRONG)
    async with desk.sessions.units_of_work.work() as work:
        store = PeopleStore(work.connection)
        await store.delete_attempts(account=account)
        if verdict.new_hash is not None:
            values = {"old_hash": stored, "new_hash": verdict.new_hash}
            stored = verdict.new_hash if await store.change_password(person_id=found.id, **values) else stored
        opened = await _open(work.connection, found, stored, sender)
    desk.attempts.record_success(_trusted(account, sender), time.monotonic())
    return opened


async def _open(
    connection: asyncpg.Connection, person: Credentials, password_hash: str, sender: Sender
) -> Opened:
    session, secret = new_session(person.id, sender)
    if not await PeopleStore(connection).insert_session(session, password_hash=password_hash):
        raise Unauthenticated(WRONG)
    await record_opened(connection, person, session.id, sender, "password")
    return Opened(session.id, secret, person.id)


def new_session(person_id: UUID, sender: Sender) -> tuple[NewSession, str]:
    """A session to store, and its secret."""
    secret = secrets.token_urlsafe(32)
    session = NewSession(
        id=new_id(),
        person_id=person_id,
        secret_hash=hash_token(secret),
        address=sender.address,
        user_agent=sender.user_agent[:MAX_USER_AGENT_CHARACTERS],
    )
    return session, secret


async def record_opened(
    connection: asyncpg.Connection,
    person: Credentials | Person,
    session_id: UUID,
    sender: Sender,
    method: str,
) -> None:
    """Write into the audit log who has signed in, and how."""
    await audit.record(
        connection,
        project=None,
        actor=Author(person.email, "person", person.id, sender.address),
        action="session.opened",
        subject=person.email,
        detail={"method": method},
        about=About(id=str(session_id)),
    )


def account_key(email: str) -> bytes:
    """What wrong passwords are counted by, for addresses without an account, too."""
    return hashlib.sha256(email.lower().encode()).digest()


async def reserve_attempt(store: PeopleStore, account: bytes) -> None:
    """Count a try before the password is checked, so that tries at the same time do not escape the delay."""
    found = await store.lock_attempts(account=account)
    if found.wait_seconds > 0:
        SIGN_INS_REFUSED.labels("too_many").inc()
        raise TooMany("too many wrong passwords for this account", retry_after=found.wait_seconds)
    failures = 1 if found.is_old else found.failures + 1
    await store.record_attempt(account=account, failures=failures, delay=delay_after(failures))


def check_address(desk: SignIns, account: bytes, sender: Sender) -> None:
    """Refuse an address from which too many sign-ins have failed."""
    wait = desk.attempts.seconds_to_wait(sender.address, _trusted(account, sender), time.monotonic())
    if wait > 0:
        SIGN_INS_REFUSED.labels("too_many").inc()
        raise TooMany("too many failed sign-ins from your address", retry_after=wait)


def _trusted(account: bytes, sender: Sender) -> bytes:
    """Someone who has just signed in from this address is not slowed down by others behind it."""
    return hashlib.sha256(account + sender.address.encode()).digest()


def _reason(found: Credentials | None) -> str:
    if found is None:
        return "no such account"
    if found.is_disabled:
        return "the account is disabled"
    return "no password yet" if found.password_hash is None else "wrong password"


async def _refuse(desk: SignIns, email: str, sender: Sender, reason: str) -> None:
    SIGN_INS_REFUSED.labels("wrong").inc()
    await record_refused(desk, email, sender, reason)


async def record_refused(desk: SignIns, subject: str, sender: Sender, reason: str) -> None:
    """Count a failed sign-in against its address, and write it into the audit log."""
    now = time.monotonic()
    if count := desk.attempts.record_failure(sender.address, now):
        log.warning("sign_in.refused", address=sender.address, count=count)
    refused = desk.refusals.count(f"{sender.address} {subject.lower()} {reason}", 1, now)
    if refused == 0:
        return
    async with desk.sessions.units_of_work.work() as work:
        await audit.record(
            work.connection,
            project=None,
            actor=Author(NOBODY, address=sender.address),
            action="sign_in.refused",
            subject=subject,
            detail={"reason": reason, "count": refused},
        )
