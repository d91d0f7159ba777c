"""The one administrator, made at the first start."""

import structlog

from orchestrator_api.adapters.sql import Sql
from orchestrator_api.domain.access import ALL_COMPONENTS, Scope
from orchestrator_api.ports import Works
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
        name, scopes = "administrator", [Scope.ADMIN.value]
        values = (None, "person", name, person_id, hash_token(token), scopes, [ALL_COMPONENTS], None)
        if await sql.value("insert_token", new_id(), *values) is not None:
            await _record(sql, "token.created", f"administrator {email}")


async def _record(sql: Sql, action: str, subject: str) -> None:
    await sql.run("insert_audit", new_id(), None, "start of the api", action, subject, {})
