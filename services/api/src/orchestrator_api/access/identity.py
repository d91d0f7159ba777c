"""Finds the bearer of a token and decides whether a project is open to them."""

from datetime import datetime

import asyncpg

from orchestrator_api.access.permissions import Actor, TokenFacts, check_token, no_such_project
from orchestrator_api.access.store import AccessStore
from orchestrator_api.access.token_guard import TokenGuard
from orchestrator_api.http.refusals import Unauthenticated
from orchestrator_shared.security import hash_token


async def identify(
    connection: asyncpg.Connection, guard: TokenGuard, token: str, address: str, now: datetime
) -> Actor:
    """Find the bearer of this token; wrong tokens are counted, and use is recorded at most once a minute."""
    store = AccessStore(connection)
    bearer = await store.bearer(secret_hash=hash_token(token))
    try:
        check_token(TokenFacts(bearer.expires_at, bearer.revoked_at) if bearer else None, now)
    except Unauthenticated:
        guard.record_failure(address, "ended" if bearer else "unknown")
        raise
    guard.record_success(token)
    assert bearer is not None
    if bearer.last_use_is_old:
        await store.record_use(token_id=bearer.id)
    return Actor(
        token_id=bearer.id,
        kind=bearer.kind,
        name=bearer.name,
        project=bearer.project,
        scopes=frozenset(bearer.scopes),
        components=bearer.components,
        buckets=bearer.buckets,
        email=bearer.email,
        is_administrator=bearer.is_administrator,
    )


async def enter(connection: asyncpg.Connection, actor: Actor, project: str) -> None:
    """Give the same answer for another project's token as for a project that does not exist."""
    actor.enter(project)
    if not await AccessStore(connection).is_project(project=project):
        raise no_such_project(project)
