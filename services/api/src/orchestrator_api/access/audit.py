"""The audit log: who changed what, who requested which run, and who was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator_api.access.audit_rows import AuditFilter, AuditRecord, NewRecord
from orchestrator_api.access.audit_store import AuditStore, Place
from orchestrator_api.access.differences import Document, differences
from orchestrator_api.access.permissions import Actor
from orchestrator_api.http.refusals import LastChange
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.runtime.answers import current_request_id


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, and from where."""

    label: str
    kind: str = "unknown"
    """`person`, `token`, `job`, `system`, or `unknown` for who was not let in."""
    id: UUID | None = None
    address: str | None = None

    @classmethod
    def of(cls, actor: Actor, address: str) -> "Author":
        """The sender of a request."""
        if actor.is_person:
            return cls(actor.label, "person", actor.person_id, address)
        if actor.own_job is not None:
            return cls(actor.name, "job", actor.own_job.id, address)
        return cls(actor.label, "token", actor.token_id, address)


SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class About:
    """What else is known of the subject: before and after in the clear; the record masks secrets."""

    before: Document | None = None
    after: Document | None = None
    kind: str | None = None
    """If it is not what the action's name begins with."""
    id: str | None = None
    """If the subject is a name."""


NOTHING_MORE = About()
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


async def record(
    connection: asyncpg.Connection,
    *,
    project: str | None,
    actor: Author | str,
    action: str,
    subject: str,
    detail: JsonObject,
    about: About = NOTHING_MORE,
) -> None:
    """Write a record in this transaction; `detail` never contains a secret."""
    author = Author(actor) if isinstance(actor, str) else actor
    found = differences(about.before, about.after)
    await AuditStore(connection).insert(
        NewRecord(
            id=new_id(),
            project=project,
            actor=author.label,
            actor_kind=author.kind,
            actor_id=author.id,
            action=action,
            subject=subject,
            subject_kind=about.kind or action.partition(".")[0],
            subject_id=about.id,
            detail=detail,
            changes=found.changes,
            omitted_changes=found.omitted,
            address=author.address,
            request_id=current_request_id(),
        )
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
    found = await AuditStore(connection).last_change(project=project, actions=actions, subjects=subjects)
    if found is None:
        return None
    kind, _, how = found.action.partition(".")
    return f"{kind} {found.subject}", LastChange(by=found.actor, at=found.at, how=how)


async def read(
    connection: asyncpg.Connection, project: str | None, wanted: AuditFilter, place: Place, limit: int
) -> list[AuditRecord]:
    """The project's records that match, newest first; without a project, those that belong to none."""
    return await AuditStore(connection).records(wanted, project=project, place=place, limit=limit)
