"""The one administrator, created at the first start."""

from uuid import UUID

import asyncpg
import structlog

from orchestrator_api.access import audit
from orchestrator_api.access.audit import SYSTEM, About, Author
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.ports import UnitsOfWork
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token

log = structlog.get_logger(__name__)


async def ensure_administrator(units_of_work: UnitsOfWork, email: str, token: str) -> None:
    """Create the administrator if there is none, and its token if it is new; replicas take turns."""
    async with units_of_work.work() as work:
        store = AccessStore(work.connection)
        await store.lock_administrators()
        administrators = await store.administrators()
        same = [person for person in administrators if person.email.lower() == email.lower()]
        if administrators and not same:
            log.warning(
                "administrator.exists", hint="ORCHESTRATOR_ADMIN_EMAIL names someone else and is ignored"
            )
            return
        person_id = same[0].id if same else new_id()
        if not same:
            await store.insert_administrator(person_id=person_id, email=email)
            await _record(work.connection, "administrator.created", email, About(id=str(person_id)))
        await _ensure_token(work.connection, person_id, email, token)


async def _ensure_token(connection: asyncpg.Connection, person_id: UUID, email: str, token: str) -> None:
    """Make the token of the setting valid, and revoke those that earlier values of the setting created.

    A revoked token stays revoked: neither a replica with the old setting nor a restart restores it.
    """
    store = AccessStore(connection)
    stored = await store.token_of_setting(secret_hash=hash_token(token))
    if stored is not None and stored.revoked_at is not None:
        log.warning("administrator.token_revoked", hint="give ORCHESTRATOR_ADMIN_TOKEN a new value")
        return
    token_id = new_id() if stored is None else stored.id
    if stored is None:
        await store.insert_token_of_setting(
            token_id=token_id, person_id=person_id, secret_hash=hash_token(token)
        )
        about = About(id=str(token_id))
        await _record(connection, "token.created", f"administrator {email}", about, id=str(token_id))
    for revoked in await store.revoke_other_tokens_of_setting(token_id=token_id):
        reason = "ORCHESTRATOR_ADMIN_TOKEN was changed"
        about = About({"revoked": False}, {"revoked": True}, id=str(revoked))
        detail = {"id": str(revoked), "reason": reason}
        await _record(connection, "token.revoked", f"administrator {email}", about, **detail)


async def _record(
    connection: asyncpg.Connection, action: str, subject: str, about: About, **detail: str
) -> None:
    await audit.record(
        connection,
        project=None,
        actor=Author("start of the api", SYSTEM),
        action=action,
        subject=subject,
        detail=detail,
        about=about,
    )
