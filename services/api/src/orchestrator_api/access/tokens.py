"""API tokens of a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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
