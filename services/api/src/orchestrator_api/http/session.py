"""One request's transaction: who makes the request, when, and how to read, write, publish and record."""

import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from orchestrator_api.access import audit, identity
from orchestrator_api.access.audit import NOTHING_MORE, About, Author
from orchestrator_api.access.permissions import Actor, Scope
from orchestrator_api.access.token_guard import MAX_TOKEN_CHARACTERS, Presented, TokenGuard
from orchestrator_api.http.long_reads import LongReads
from orchestrator_api.http.offload import CallerOffload, Offload
from orchestrator_api.http.ports import UnitsOfWork
from orchestrator_api.http.rate_limits import RateLimits
from orchestrator_api.http.refusals import Forbidden, Unauthenticated
from orchestrator_api.http.step_budget import StepBudget
from orchestrator_api.http.turns import USUAL_CONNECTIONS, Turns
from orchestrator_shared.clock import Clock
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.definitions.nesting import Nestings
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.messaging.outbox import UnitOfWork
from orchestrator_shared.secret_places import SecretPlace
from orchestrator_shared.security import Encryption, hash_token


@dataclass(slots=True)
class RequestCache:
    """What a request has already read."""

    nestings: Nestings | None = None
    """The nestings of the project's orchestrations, including what this request has saved."""


@dataclass(frozen=True, slots=True)
class Session:
    """The transaction in which one request does everything."""

    work: UnitOfWork
    actor: Actor
    now: datetime
    encryption: Encryption
    offload: CallerOffload
    project: str = ""
    author: Author = field(kw_only=True)
    """The actor, and from where the request comes, for the audit log."""
    step_budget: StepBudget = field(default_factory=StepBudget)
    """What is left of the work that this request may spend on checks against schemas."""
    cache: RequestCache = field(default_factory=RequestCache)
    long_reads: LongReads = field(default_factory=LongReads)

    @property
    def connection(self) -> asyncpg.Connection:
        """The connection, for the stores of the features."""
        return self.work.connection

    def long_read(self) -> AbstractContextManager[None]:
        """A place among the few requests that read much; raises TooMany or Unavailable."""
        return self.long_reads.place(self.actor.token_id)

    def publish(self, *messages: Message) -> None:
        """Publish a message after the commit."""
        self.work.publish(*messages)

    def encrypted(
        self, parameters: Mapping[str, Any], place: SecretPlace, field: str, kept: Collection[str] = ()
    ) -> dict[str, Any]:
        """The parameters as stored; rejects encrypted values of other places, naming the field."""
        try:
            stored: dict[str, Any] = self.encryption.encrypt_secrets(parameters, place, kept)
        except UserError as error:
            raise UserError(error.detail, field=field) from None
        return stored

    async def record(self, action: str, subject: str, about: About = NOTHING_MORE, /, **detail: Any) -> None:
        """Write an audit record; `detail` never contains a secret."""
        await self.record_in(self.project or None, action, subject, about, **detail)

    async def record_in(
        self, project: str | None, action: str, subject: str, about: About = NOTHING_MORE, /, **detail: Any
    ) -> None:
        """Write an audit record in another project that this request has changed as well, or in none."""
        await audit.record(
            self.connection,
            project=project,
            actor=self.author,
            action=action,
            subject=subject,
            detail=detail,
            about=about,
        )


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens sessions for tokens and for people who are signed in."""

    units_of_work: UnitsOfWork
    encryption: Encryption
    clock: Clock
    offload: Offload
    guard: TokenGuard
    limits: RateLimits | None = None
    turns: Turns = field(default_factory=lambda: Turns(USUAL_CONNECTIONS))
    long_reads: LongReads = field(default_factory=LongReads)

    @asynccontextmanager
    async def open(
        self, presented: Presented, scopes: Sequence[Scope], project: str | None
    ) -> AsyncIterator[Session]:
        """Open a session for the token's bearer; refuses a token of another project or without the scopes."""
        async with self._entered(presented, scopes, project) as (work, actor, now):
            offload = self.offload.for_caller(actor.token_id)
            author = Author.of(actor, presented.address)
            yield Session(
                work,
                actor,
                now,
                self.encryption,
                offload,
                project or "",
                author=author,
                long_reads=self.long_reads,
            )

    async def admit(self, presented: Presented, scopes: Sequence[Scope], project: str | None) -> Actor:
        """Reject whoever `open` would reject, before the request's body is read."""
        async with self._entered(presented, scopes, project) as (_, actor, _):
            return actor

    @asynccontextmanager
    async def _entered(
        self, presented: Presented, scopes: Sequence[Scope], project: str | None
    ) -> AsyncIterator[tuple[UnitOfWork, Actor, datetime]]:
        secret = presented.session or presented.token
        if not secret or len(secret) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated("sign in, or send a token: Authorization: Bearer orc_…")
        self.guard.check(secret, presented.address)
        actor: Actor | None = None
        entered: str | None = None
        try:
            async with self.turns.place(hash_token(secret)), self.units_of_work.work() as work:
                now = self.clock.now()
                connection = work.connection
                identify = identity.identify_session if presented.session else identity.identify
                actor = await identify(connection, self.guard, secret, presented.address, now)
                if presented.forgery is not None:
                    raise Forbidden(f"refused, because another site may have sent this: {presented.forgery}")
                if project is not None:
                    actor = await identity.enter(connection, actor, project)
                    entered = project
                if scopes:
                    actor.require(*scopes)
                yield work, actor, now
        except Unauthenticated:
            await self._record_refused(presented)
            raise
        except Forbidden as error:
            if actor is not None:
                error.is_of_caller = True
                await self._record_forbidden(presented, actor, entered or actor.project, error.detail)
            raise

    async def _record_refused(self, presented: Presented) -> None:
        """In a transaction of its own, because that of the request was rolled back."""
        refused = self.guard.take_unrecorded(presented.address)
        if refused is None:
            return
        token = refused.token
        async with self.units_of_work.work() as work:
            await audit.record(
                work.connection,
                project=token.project if token else None,
                actor=Author("nobody", address=presented.address),
                action="token.refused",
                subject=token.name if token else f"{refused.reason} token",
                detail={"reason": refused.reason, "count": refused.count},
                about=About(id=str(token.id) if token else None),
            )

    async def _record_forbidden(
        self, presented: Presented, actor: Actor, project: str | None, reason: str
    ) -> None:
        """Likewise: what a valid token or a person who is signed in may not do."""
        sender = f"{actor.token_id} {presented.operation}"
        count = self.guard.forbidden.count(sender, 1, time.monotonic())
        if count == 0:
            return
        async with self.units_of_work.work() as work:
            await audit.record(
                work.connection,
                project=project,
                actor=Author.of(actor, presented.address),
                action="call.refused",
                subject=presented.operation,
                detail={"reason": reason, "count": count},
            )
