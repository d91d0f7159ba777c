"""The one administrator, made at the first start."""

from uuid import UUID

import structlog

from orchestrator_api.http.ports import Works
from orchestrator_api.sql import Sql
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token

log = structlog.get_logger(__name__)


async def ensure_administrator(works: Works, queries: Queries, email: str, token: str) -> None:
    """Make the administrator if there is none, and its token if it is new; replicas take turns."""
    async with works.work() as work:
        sql = Sql(work.connection, queries)
        await sql.run("lock_administrators")
        administrators = await sql.many("administrators")
        same = [person for person in administrators if person["email"].lower() == email.lower()]
        if administrators and not same:
            log.warning("administrator.exists", hint="ORCHESTRATOR_ADMIN_EMAIL names another one: ignored")
            return
        person_id = same[0]["id"] if same else new_id()
        if not same:
            await sql.run("insert_administrator", person_id, email)
            await _record(sql, "administrator.created", email)
        await _ensure_token(sql, person_id, email, token)


async def _ensure_token(sql: Sql, person_id: UUID, email: str, token: str) -> None:
    """The token of the setting is good, and those that were made from it before are not.

    A token that was revoked stays so: neither a replica with the old setting nor a restart brings it back.
    """
    stored = await sql.one("token_of_setting", hash_token(token))
    if stored is not None and stored["revoked_at"] is not None:
        log.warning("administrator.token_revoked", hint="give ORCHESTRATOR_ADMIN_TOKEN a new value")
        return
    token_id = new_id() if stored is None else stored["id"]
    if stored is None:
        await sql.run("insert_token_of_setting", token_id, person_id, hash_token(token))
        await _record(sql, "token.created", f"administrator {email}", id=str(token_id))
    for revoked in await sql.column("revoke_other_tokens_of_setting", token_id):
        reason = "ORCHESTRATOR_ADMIN_TOKEN was changed"
        await _record(sql, "token.revoked", f"administrator {email}", id=str(revoked), reason=reason)


async def tell_of_dots(works: Works, queries: Queries) -> None:
    """Name the projects that were made when their names could have dots."""
    async with works.work() as work:
        projects = await Sql(work.connection, queries).column("projects_with_dots")
    if projects:
        log.warning(
            "project.has_dots", projects=projects, hint="see Projects with dots in publish-table-updates"
        )


async def _record(sql: Sql, action: str, subject: str, **detail: str) -> None:
    await sql.run("insert_audit", new_id(), None, "start of the api", action, subject, detail)
