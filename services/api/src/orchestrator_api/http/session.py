"""One request's transaction: who makes the request, when, and how to read, write, publish and record."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from orchestrator_api.access import audit, identity
from orchestrator_api.access.permissions import Actor, Scope
from orchestrator_api.access.token_guard import MOST_TOKEN_CHARACTERS, Presented, TokenGuard
from orchestrator_api.http.offload import Offload, Offloading
from orchestrator_api.http.ports import Works
from orchestrator_api.http.refusals import Unauthenticated
from orchestrator_api.http.steps import Steps
from orchestrator_shared.clock import Clock
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.definitions.nesting import Nestings
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.messaging.outbox import UnitOfWork
from orchestrator_shared.security import Encryption


@dataclass(slots=True)
class Remembered:
    """What one request reads only once."""

    nestings: Nestings | None = None
    """The nestings of the project's orchestrations, including what this request has saved."""


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that one request does happens in this transaction."""

    work: UnitOfWork
    actor: Actor
    now: datetime
    encryption: Encryption
    offload: Offloading
    project: str = ""
    judging: Steps = field(default_factory=Steps)
    """The work that checks against schemas may still do."""
    remembered: Remembered = field(default_factory=Remembered)

    @property
    def connection(self) -> asyncpg.Connection:
        """The connection, for the stores of the features."""
        return self.work.connection

    def say(self, *messages: Message) -> None:
        """Publish a message after the commit."""
        self.work.publish(*messages)

    def encrypted(self, parameters: dict[str, Any], field: str) -> dict[str, Any]:
        """The parameters as stored; refuses, naming the field, encrypted values not of this project."""
        try:
            stored: dict[str, Any] = self.encryption.encrypt_secrets(parameters, self.project)
        except UserError as error:
            raise UserError(error.detail, field=field) from None
        return stored

    async def record(self, action: str, subject: str, **detail: Any) -> None:
        """Write an audit record; `detail` never contains a secret."""
        await self.record_in(self.project or None, action, subject, **detail)

    async def record_in(self, project: str | None, action: str, subject: str, **detail: Any) -> None:
        """Write an audit record in another project, which this request has changed too."""
        await audit.record(
            self.connection,
            project=project,
            actor=self.actor.label,
            action=action,
            subject=subject,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens sessions for tokens."""

    works: Works
    encryption: Encryption
    clock: Clock
    offload: Offload
    guard: TokenGuard

    @asynccontextmanager
    async def open(
        self, presented: Presented, scopes: Sequence[Scope], project: str | None
    ) -> AsyncIterator[Session]:
        """Open a session for the token's bearer; refuses a token of another project or without the scopes."""
        async with self._entered(presented, scopes, project) as (work, actor, now):
            offload = self.offload.of(actor.token_id)
            yield Session(work, actor, now, self.encryption, offload, project or "")

    async def admit(self, presented: Presented, scopes: Sequence[Scope], project: str | None) -> Actor:
        """Refuse whoever `open` would refuse, before the request's body is read or checked."""
        async with self._entered(presented, scopes, project) as (_, actor, _):
            return actor

    @asynccontextmanager
    async def _entered(
        self, presented: Presented, scopes: Sequence[Scope], project: str | None
    ) -> AsyncIterator[tuple[UnitOfWork, Actor, datetime]]:
        token = presented.token
        if not token or len(token) > MOST_TOKEN_CHARACTERS:
            raise Unauthenticated("send a token: Authorization: Bearer orc_…")
        self.guard.check(token, presented.address)
        async with self.works.work() as work:
            now = self.clock.now()
            connection = work.connection
            actor = await identity.identify(connection, self.guard, token, presented.address, now)
            if project is not None:
                actor = await identity.enter(connection, actor, project)
            if scopes:
                actor.require(*scopes)
            yield work, actor, now
