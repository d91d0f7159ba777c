"""API tokens of a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.permissions import ALL_COMPONENTS, Scope
from orchestrator_api.access.rows import AdministratorToken, CreatedToken, NewToken, Token
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.security import hash_token, new_token


@dataclass(frozen=True, slots=True)
class TokenSpec:
    """What a new token shall allow."""

    name: str
    scopes: Sequence[str]
    components: Sequence[str] = ()
    expires_at: datetime | None = None


async def listing(session: Session, after: UUID | None, limit: int) -> list[Token]:
    """The project's tokens."""
    store = AccessStore(session.connection)
    return await store.tokens(project=session.project, after=after, limit=limit)


async def administrator_tokens(session: Session, after: UUID | None, limit: int) -> list[AdministratorToken]:
    """The tokens of the instance's administrators."""
    return await AccessStore(session.connection).administrator_tokens(after=after, limit=limit)


async def create(session: Session, spec: TokenSpec) -> CreatedToken:
    """Create a token; this is the only time its text is shown."""
    if spec.expires_at is not None and spec.expires_at <= session.now:
        raise UserError("must be in the future", field="expires_at")
    token_id, text = new_token()
    scopes, components = sorted(set(spec.scopes)), sorted(set(spec.components))
    store = AccessStore(session.connection)
    await store.insert_token(
        NewToken(
            id=token_id,
            project=session.project,
            kind="api",
            name=spec.name,
            secret_hash=hash_token(text),
            scopes=scopes,
            components=components,
            expires_at=spec.expires_at,
        )
    )
    await session.record("token.created", spec.name, id=str(token_id), scopes=scopes, components=components)
    stored = await store.token(project=session.project, token_id=token_id)
    assert stored is not None
    return CreatedToken(**columns_of(stored), token=text)


async def create_orchestration_token(session: Session, orchestration: str) -> None:
    """Create the token that an orchestration's jobs run as; no one ever sees its text."""
    token_id, text = new_token()
    store = AccessStore(session.connection)
    await store.insert_token(
        NewToken(
            id=token_id,
            project=session.project,
            kind="orchestration",
            name=f"orchestration {orchestration}",
            secret_hash=hash_token(text),
            scopes=[Scope.READ.value, Scope.RUN.value, Scope.TABLES.value],
            components=[ALL_COMPONENTS],
        )
    )
    await store.link_orchestration_token(
        project=session.project, orchestration=orchestration, token_id=token_id
    )


async def orchestration_token(session: Session, orchestration: str) -> Token | None:
    """The token that an orchestration's jobs run as."""
    store = AccessStore(session.connection)
    return await store.orchestration_token(project=session.project, orchestration=orchestration)


async def refresh_orchestration_token(session: Session, orchestration: str) -> None:
    """Give it a new secret, which no one ever sees."""
    found = await orchestration_token(session, orchestration)
    if found is None:
        raise UserError("this orchestration has no token", field="orchestration")
    _, text = new_token()
    await AccessStore(session.connection).refresh_token(token_id=found.id, secret_hash=hash_token(text))
    await session.record("token.refreshed", f"orchestration {orchestration}")


async def revoke_administrator(session: Session, token_id: UUID) -> None:
    """Revoke an administrator's token; a new value of the setting creates the next one."""
    store = AccessStore(session.connection)
    found = await store.administrator_token(token_id=token_id)
    if found is None:
        raise NotFound(f"there is no administrator token {token_id}", field="token")
    if await store.revoke_administrator_token(token_id=token_id):
        await session.record("token.revoked", f"{found.name} {found.email}", id=str(token_id))


async def revoke(session: Session, token_id: UUID) -> None:
    """Revoke a token; an orchestration's own token cannot be revoked."""
    store = AccessStore(session.connection)
    found = await store.token(project=session.project, token_id=token_id)
    if found is None:
        raise NotFound(f"there is no token {token_id} in this project", field="token")
    if found.kind == "orchestration":
        raise Conflict(
            "this token belongs to an orchestration and cannot be revoked: refresh it there instead"
        )
    if await store.revoke_token(project=session.project, token_id=token_id):
        await session.record("token.revoked", found.name, id=str(token_id))
