"""Finds the bearer of a token and decides whether a project is open to them."""

from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_api.access.permissions import (
    ALL_BUCKETS,
    ALL_COMPONENTS,
    DISABLED,
    Actor,
    Membership,
    OwnJob,
    Scope,
    TokenFacts,
    check_token,
    no_such_project,
)
from orchestrator_api.access.rows import Bearer, StoredMembership
from orchestrator_api.access.store import AccessStore
from orchestrator_api.access.token_guard import EndedToken, TokenGuard
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
        check_token(_facts(bearer) if bearer else None, now)
    except Unauthenticated:
        if bearer is None:
            guard.record_failure(address, "unknown")
        else:
            name = f"{bearer.name} {bearer.email}" if bearer.email else bearer.name
            ended = EndedToken(bearer.id, name, bearer.project)
            guard.record_failure(address, "ended", ended)
        raise
    guard.record_success(token)
    assert bearer is not None
    if bearer.last_use_is_old:
        await store.record_use(token_id=bearer.id)
    return _actor(bearer)


async def identify_session(
    connection: asyncpg.Connection, guard: TokenGuard, secret: str, address: str, now: datetime
) -> Actor:
    """Find who is signed in with this secret; use is recorded at most once a minute."""
    store = AccessStore(connection)
    found = await store.signed_in(secret_hash=hash_token(secret))
    if found is None or guard.browsers.has_ended(found.created_at, found.last_seen_at, now):
        guard.record_failure(address, "ended" if found else "unknown")
        raise Unauthenticated("your session has ended: sign in again")
    if found.is_disabled:
        raise Unauthenticated(DISABLED)
    guard.record_success(secret)
    if found.last_use_is_old:
        await store.record_session_use(session_id=found.id)
    return Actor(
        token_id=found.person_id,
        kind="person",
        name=found.name,
        project=None,
        scopes=frozenset({Scope.ADMIN} if found.is_administrator else {Scope.READ}),
        components=(ALL_COMPONENTS,),
        buckets=(ALL_BUCKETS,),
        email=found.email,
        is_administrator=found.is_administrator,
        person_id=found.person_id,
        session_id=found.id,
    )


def _facts(bearer: Bearer) -> TokenFacts:
    return TokenFacts(bearer.expires_at, bearer.revoked_at, bearer.is_disabled and bearer.kind == "person")


def _actor(bearer: Bearer) -> Actor:
    """A person who is no administrator gets their role's scopes on entering a project."""
    has_role = bearer.kind == "person" and not (bearer.is_administrator and Scope.ADMIN in bearer.scopes)
    return Actor(
        token_id=bearer.id,
        kind=bearer.kind,
        name=bearer.name,
        project=bearer.project,
        scopes=frozenset({Scope.READ} if has_role else bearer.scopes),
        components=(ALL_COMPONENTS,) if has_role else bearer.components,
        buckets=(ALL_BUCKETS,) if has_role else bearer.buckets,
        email=bearer.email,
        is_administrator=bearer.is_administrator,
        person_id=bearer.person_id if bearer.kind == "person" else None,
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


async def memberships(connection: asyncpg.Connection, person_id: UUID) -> list[StoredMembership]:
    """The person's roles in all projects."""
    return await AccessStore(connection).memberships(person_id=person_id)


async def enter(connection: asyncpg.Connection, actor: Actor, project: str) -> Actor:
    """The actor in the project; another project's token and a missing project get the same refusal."""
    store = AccessStore(connection)
    if actor.person_id is not None and not actor.administers:
        found = await store.memberships(person_id=actor.person_id, project=project)
        return actor.within(project, Membership(found[0].role, found[0].may_run) if found else None)
    actor.enter(project)
    if not await store.is_project(project=project):
        raise no_such_project(project)
    return actor
