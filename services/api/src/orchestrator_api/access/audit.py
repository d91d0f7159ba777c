"""The audit log: who changed what, and who requested which run."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_api.access.rows import AuditRecord
from orchestrator_api.access.store import AccessStore

Place = tuple[datetime | None, UUID | None]


async def record(
    connection: asyncpg.Connection,
    *,
    project: str | None,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, object],
) -> None:
    """Write a record in this transaction; `detail` never contains a secret."""
    await AccessStore(connection).insert_audit(
        project=project, actor=actor, action=action, subject=subject, detail=detail
    )


async def project_records(
    connection: asyncpg.Connection, project: str, place: Place, limit: int
) -> list[AuditRecord]:
    """The project's records, newest first."""
    before, before_id = place
    store = AccessStore(connection)
    return await store.audit(project=project, before=before, before_id=before_id, limit=limit)


async def instance_records(connection: asyncpg.Connection, place: Place, limit: int) -> list[AuditRecord]:
    """The records that belong to no project, newest first."""
    before, before_id = place
    return await AccessStore(connection).instance_audit(before=before, before_id=before_id, limit=limit)
