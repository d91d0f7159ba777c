"""The audit log in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from orchestrator_api.access.audit_rows import AuditFilter, AuditRecord, NewRecord, RecordedChange
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.database.store import Store

Place = tuple[datetime | None, UUID | None]
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)


class AuditStore(Store):
    """Adds and reads audit records."""

    queries = Queries.load(__package__, "audit_store.sql")

    async def insert(self, record: NewRecord) -> None:
        """Write a record."""
        await self._run("insert", **columns_of(record))

    async def records(
        self, wanted: AuditFilter, *, project: str | None, place: Place, limit: int
    ) -> list[AuditRecord]:
        """The project's records that match, newest first; without a project, those that belong to none."""
        await self._run("plan_for_these_values")
        given = {**_given(wanted, place), "limit": limit}
        if project is None:
            return await self._many(AuditRecord, "instance_records", **given)
        return await self._many(AuditRecord, "records", project=project, **given)

    async def last_change(
        self, *, project: str | None, actions: Sequence[str], subjects: Sequence[str]
    ) -> RecordedChange | None:
        """The newest of these actions on any of the subjects; without a project, of the instance's."""
        wanted = {"actions": list(actions), "subjects": list(subjects)}
        if project is None:
            return await self._one(RecordedChange, "last_change_of_instance", **wanted)
        return await self._one(RecordedChange, "last_change", project=project, **wanted)


def _given(wanted: AuditFilter, place: Place) -> dict[str, object]:
    """The filters, from when on, and before which record: where the last page ended, or the period ends."""
    at, record_id = place
    if at is None and wanted.until is not None:
        at, record_id = wanted.until, LOWEST
    return {
        "actor": wanted.actor,
        "action": wanted.action,
        "subject": wanted.subject,
        "request_id": wanted.request_id,
        "since": wanted.since or FIRST,
        "before": at or LAST,
        "before_id": record_id or HIGHEST,
    }
