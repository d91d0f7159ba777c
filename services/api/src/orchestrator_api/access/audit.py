"""The audit log: who changed what, and who requested which run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_api.access.rows import AuditRecord
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.refusals import LastChange

CHANGES = (
    "created",
    "added",
    "registered",
    "changed",
    "restored",
    "disabled",
    "enabled",
    "revoked",
    "deleted",
    "removed",
)
"""What is done to the state of something that people edit."""
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


async def last_change(
    connection: asyncpg.Connection, project: str | None, what: str, subject: str
) -> LastChange | None:
    """Who last created, changed or deleted something, as far as the log goes back."""
    found = await newest_change(connection, project, [what], [subject])
    return None if found is None else found[1]


async def newest_change(
    connection: asyncpg.Connection, project: str | None, kinds: Sequence[str], subjects: Sequence[str]
) -> tuple[str, LastChange] | None:
    """Who last changed any of these, and which one that was."""
    actions = [f"{kind}.{how}" for kind in kinds for how in CHANGES]
    found = await AccessStore(connection).last_change(project=project, actions=actions, subjects=subjects)
    if found is None:
        return None
    kind, _, how = found.action.partition(".")
    return f"{kind} {found.subject}", LastChange(by=found.actor, at=found.at, how=how)


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
