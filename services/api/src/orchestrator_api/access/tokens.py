"""API tokens of a project, and administrators' tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.access import keyed_answers
from orchestrator_api.access.audit import About
from orchestrator_api.access.dedup_keys import DedupKey
from orchestrator_api.access.permissions import ALL_BUCKETS, OF_ORCHESTRATION, Scope
from orchestrator_api.access.rows import (
    AdministratorToken,
    CreatedToken,
    NewToken,
    Token,
    TokenChange,
    TokenFilter,
)
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.edits import Target
from orchestrator_api.http.headers import IDEMPOTENCY_KEY
from orchestrator_api.http.session import Session
from orchestrator_shared.clock import stamp
from orchestrator_shared.database.rows import JsonObject, columns_of
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token, new_api_token

OLD_PUBLISH = "tables"
"""The earlier name of the scope `publish` on every bucket."""


@dataclass(frozen=True, slots=True)
class TokenSpec:
    """What a new token shall allow."""

    name: str
    scopes: Sequence[str]
    components: Sequence[str] = ()
    buckets: Sequence[str] = ()
    description: str = ""
    expires_at: datetime | None = None


async def listing(session: Session, wanted: TokenFilter, after: UUID | None, limit: int) -> list[Token]:
    """The project's tokens."""
    store = AccessStore(session.connection)
    return await store.tokens(wanted, project=session.project, after=after, limit=limit)


async def find(session: Session, token_id: UUID) -> Token:
    """One token of the project; raises NotFound."""
    found = await AccessStore(session.connection).token(project=session.project, token_id=token_id)
    if found is None:
        raise NotFound(f"there is no token {token_id} in this project", field="token")
    return found


async def target(session: Session, token_id: UUID) -> Target:
    """A token of the project, locked to be changed."""
    await AccessStore(session.connection).lock_token(project=session.project, token_id=token_id)
    found = await find(session, token_id)
    return Target("this token", "token", found.name, found.etag)


async def create(session: Session, spec: TokenSpec, dedup_key: DedupKey | None = None) -> CreatedToken:
    """Create a token; this is the only time its text is shown. Under a used key, none is made."""
    if dedup_key is not None:
        await _refuse_repeated(session, dedup_key)
    _check_expiry(session, spec.expires_at)
    scopes, buckets = _what_it_publishes(spec)
    components = sorted(set(spec.components))
    token_id = new_id()
    prefix, text = new_api_token()
    await AccessStore(session.connection).insert_token(
        NewToken(
            id=token_id,
            project=session.project,
            kind="api",
            name=spec.name,
            description=spec.description,
            secret_hash=hash_token(text),
            prefix=prefix,
            scopes=scopes,
            components=components,
            buckets=buckets,
            created_by=session.actor.label,
            expires_at=spec.expires_at,
        )
    )
    detail = {"scopes": scopes, "components": components, "buckets": buckets}
    created = await find(session, token_id)
    about = About(after=_document(created), id=str(token_id))
    await session.record("token.created", spec.name, about, id=str(token_id), **detail)
    if dedup_key is not None:
        answer = {"token": str(token_id)}
        await keyed_answers.remember(session, dedup_key.id, dedup_key.digest, answer)
    return CreatedToken(**columns_of(created), token=text)


async def _refuse_repeated(session: Session, dedup_key: DedupKey) -> None:
    made = await keyed_answers.earlier(session, dedup_key.id, dedup_key.digest)
    if made is not None:
        raise Conflict(
            f"this request has already created the token {made['token']}, and its secret was shown in that "
            "answer only: if it did not arrive, refresh the token, or revoke it and send a new key",
            field=IDEMPOTENCY_KEY,
        )


def _document(token: Token) -> JsonObject:
    """What people may know of a token, for the audit log."""
    names = ("name", "description", "scopes", "components", "buckets", "prefix")
    expires_at = stamp(token.expires_at) if token.expires_at else None
    return {**{name: getattr(token, name) for name in names}, "expires_at": expires_at}


def _check_expiry(session: Session, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= session.now:
        raise UserError("must be in the future", field="expires_at")


def _what_it_publishes(spec: TokenSpec) -> tuple[list[str], list[str]]:
    """The scopes to store, and the buckets; refuses one without the other."""
    scopes, buckets = set(spec.scopes), set(spec.buckets)
    if OLD_PUBLISH in scopes:
        scopes, buckets = scopes - {OLD_PUBLISH} | {Scope.PUBLISH.value}, {ALL_BUCKETS}
    if Scope.PUBLISH in scopes and not buckets:
        raise UserError("the scope 'publish' needs buckets: name them, or write '*' for all", field="buckets")
    if buckets and Scope.PUBLISH not in scopes:
        raise UserError("buckets are for the scope 'publish': add it, or leave them out", field="buckets")
    return sorted(scopes), sorted(buckets)


async def change(session: Session, token_id: UUID, wanted: TokenChange) -> Token:
    """Change what people know a token by, and when it expires."""
    found = await find(session, token_id)
    _refuse_own_token(
        found, "its name and description cannot be changed, and it expires with the orchestration"
    )
    _check_expiry(session, wanted.expires_at)
    store = AccessStore(session.connection)
    await store.change_token(wanted, project=session.project, token_id=token_id)
    changed = await find(session, token_id)
    fields = ("name", "description", "expires_at")
    differs = [field for field in fields if getattr(found, field) != getattr(changed, field)]
    if differs:
        about = About(_document(found), _document(changed), id=str(token_id))
        await session.record("token.changed", changed.name, about, id=str(token_id), fields=differs)
    return changed


async def refresh(session: Session, token_id: UUID) -> CreatedToken:
    """Give a token a new secret; this is the only time its text is shown."""
    found = await find(session, token_id)
    _refuse_own_token(found, f"to refresh it, call POST {_refresh_call(found)}")
    prefix, text = new_api_token()
    store = AccessStore(session.connection)
    if not await store.refresh_token(
        project=session.project, token_id=token_id, secret_hash=hash_token(text), prefix=prefix
    ):
        raise Conflict("this token was revoked, and stays so: create a new one")
    refreshed = await find(session, token_id)
    about = About(_document(found), _document(refreshed), id=str(token_id))
    await session.record("token.refreshed", found.name, about, id=str(token_id))
    return CreatedToken(**columns_of(refreshed), token=text)


async def revoke(session: Session, token_id: UUID) -> None:
    """Revoke a token; an orchestration's own token cannot be revoked."""
    found = await find(session, token_id)
    _refuse_own_token(
        found, f"it ends with the orchestration; for a new secret, call POST {_refresh_call(found)}"
    )
    store = AccessStore(session.connection)
    if await store.revoke_token(project=session.project, token_id=token_id):
        await session.record("token.revoked", found.name, _revoked(token_id), id=str(token_id))


def _revoked(token_id: UUID) -> About:
    return About({"revoked": False}, {"revoked": True}, id=str(token_id))


def _refuse_own_token(found: Token, way_out: str) -> None:
    if found.kind == "orchestration":
        raise Conflict(f"this is the own token of an orchestration: {way_out}")


def _refresh_call(found: Token) -> str:
    orchestration = found.name.removeprefix(OF_ORCHESTRATION)
    return f"/v1/projects/{found.project}/orchestrations/{orchestration}/token/refresh"


async def administrator_tokens(session: Session, after: UUID | None, limit: int) -> list[AdministratorToken]:
    """The tokens of the instance's administrators."""
    return await AccessStore(session.connection).administrator_tokens(after=after, limit=limit)


async def find_administrator(session: Session, token_id: UUID) -> AdministratorToken:
    """One token of an administrator; raises NotFound."""
    found = await AccessStore(session.connection).administrator_token(token_id=token_id)
    if found is None:
        raise NotFound(f"there is no administrator token {token_id}", field="token")
    return found


async def administrator_target(session: Session, token_id: UUID) -> Target:
    """An administrator's token, locked to be revoked."""
    await AccessStore(session.connection).lock_administrator_token(token_id=token_id)
    found = await find_administrator(session, token_id)
    return Target("this token", "token", f"{found.name} {found.email}", found.etag)


async def revoke_administrator(session: Session, token_id: UUID) -> None:
    """Revoke an administrator's token; a new value of the setting creates the next one."""
    found = await find_administrator(session, token_id)
    if await AccessStore(session.connection).revoke_administrator_token(token_id=token_id):
        subject = f"{found.name} {found.email}"
        await session.record("token.revoked", subject, _revoked(token_id), id=str(token_id))
