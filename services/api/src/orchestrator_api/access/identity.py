"""Finds the bearer of a token and decides whether a project is open to them."""

from datetime import datetime

import asyncpg

from orchestrator_api.access.permissions import Actor, OwnJob, TokenFacts, check_token, no_such_project
from orchestrator_api.access.store import AccessStore
from orchestrator_api.access.token_guard import TokenGuard
from orchestrator_api.http.refusals import Unauthenticated
from orchestrator_shared.job_tokens import JOB_TOKEN, verify_job_token
from orchestrator_shared.security import hash_token


async def identify(
    connection: asyncpg.Connection, guard: TokenGuard, token: str, address: str, now: datetime
) -> Actor:
    """Find the bearer of this token; wrong tokens are counted, and use is recorded at most once a minute."""
    if token.startswith(JOB_TOKEN):
        return await _identify_job(connection, guard, token, address, now)
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


async def _identify_job(
    connection: asyncpg.Connection, guard: TokenGuard, text: str, address: str, now: datetime
) -> Actor:
    """Find the job whose token this is; the token ends with the attempt that it was made for."""
    token = verify_job_token(guard.job_token_keys, text, now=now)
    if token is None:
        guard.record_failure(address, "unknown")
        raise Unauthenticated("this job token is not known, or it has expired")
    store = AccessStore(connection)
    job = await store.job_bearer(project=token.project, job_id=token.job_id, attempt=token.attempt)
    if job is None:
        guard.record_failure(address, "ended")
        raise Unauthenticated(
            "this job token has ended: its attempt is not processing, "
            "or the token of its orchestration was revoked"
        )
    guard.record_success(text)
    return Actor(
        token_id=job.id,
        kind="job",
        name=f"job {job.id}",
        project=token.project,
        scopes=frozenset(token.scopes),
        components=(),
        buckets=job.buckets,
        own_job=OwnJob(
            job.id, frozenset(filter(None, (job.id, job.parent_id, job.root_id))), job.chain_length
        ),
    )


async def enter(connection: asyncpg.Connection, actor: Actor, project: str) -> None:
    """Give the same answer for another project's token as for a project that does not exist."""
    actor.enter(project)
    if not await AccessStore(connection).is_project(project=project):
        raise no_such_project(project)
