"""API tokens of a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.permissions import ALL_COMPONENTS, Scope
from orchestrator_api.http.session import Session
from orchestrator_api.sql import Row
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.security import hash_token, new_token


@dataclass(frozen=True, slots=True)
class TokenWish:
    """What a token shall be good for."""

    name: str
    scopes: Sequence[str]
    components: Sequence[str] = ()
    expires_at: datetime | None = None


async def create(session: Session, wish: TokenWish) -> tuple[Row, str]:
    """Make a token; its text is shown this once."""
    if wish.expires_at is not None and wish.expires_at <= session.now:
        raise UserError("this instant has passed: the token would never be good", field="expires_at")
    token_id, text = new_token()
    scopes, components = sorted(set(wish.scopes)), sorted(set(wish.components))
    values = (session.project, "api", wish.name, None, hash_token(text), scopes, components, wish.expires_at)
    await session.sql.run("insert_token", token_id, *values)
    await session.record("token.created", wish.name, id=str(token_id), scopes=scopes, components=components)
    row = await session.sql.one("token", session.project, token_id)
    assert row is not None
    return row, text


async def create_of_orchestration(session: Session, orchestration: str) -> None:
    """The token that an orchestration's jobs run as; nobody is shown its text."""
    token_id, text = new_token()
    scopes = [Scope.READ.value, Scope.RUN.value, Scope.TABLES.value]
    name = f"orchestration {orchestration}"
    values = (session.project, "orchestration", name, None, hash_token(text), scopes, [ALL_COMPONENTS], None)
    await session.sql.run("insert_token", token_id, *values)
    await session.sql.run("link_orchestration_token", session.project, orchestration, token_id)


async def of_orchestration(session: Session, orchestration: str) -> Row | None:
    """The token that an orchestration's jobs run as."""
    return await session.sql.one("orchestration_token", session.project, orchestration)


async def refresh_of_orchestration(session: Session, orchestration: str) -> None:
    """Give it a new secret, which nobody is shown."""
    row = await of_orchestration(session, orchestration)
    if row is None:
        raise UserError("this orchestration has no token", field="orchestration")
    _, text = new_token()
    await session.sql.run("refresh_token", row["id"], hash_token(text))
    await session.record("token.refreshed", f"orchestration {orchestration}")


async def revoke_administrator(session: Session, token_id: UUID) -> None:
    """End an administrator's token; a new value of the setting makes the next one."""
    row = await session.sql.one("administrator_token", token_id)
    if row is None:
        raise NotFound(f"there is no administrator's token {token_id}", field="token")
    if await session.sql.run("revoke_administrator_token", token_id):
        await session.record("token.revoked", f"{row['name']} {row['email']}", id=str(token_id))


async def revoke(session: Session, token_id: UUID) -> None:
    """End a token; an orchestration's own token cannot be ended."""
    row = await session.sql.one("token", session.project, token_id)
    if row is None:
        raise NotFound(f"there is no token {token_id} in this project", field="token")
    if row["kind"] == "orchestration":
        raise Conflict("this is an orchestration's own token: refresh it at the orchestration instead")
    if await session.sql.run("revoke_token", session.project, token_id):
        await session.record("token.revoked", row["name"], id=str(token_id))
