"""Requests for jobs: what is stored about them, and the rows they become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_runner.queue.identity import Owner
from orchestrator_runner.queue.rows import JobRow
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import ORCHESTRATOR

DAY_SECONDS = 86_400.0
"""The time limit of a component job that is run by itself."""


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """The parts of a request that the message does not carry."""

    tasks: Sequence[str] | None = None
    parameters: Mapping[str, Any] | None = None
    retry_of: UUID | None = None
    task_versions: Mapping[str, int] | None = None


NO_DETAILS = RequestDetails()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Someone asked to stop the job before its request arrived."""

    requested_by: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    id: UUID
    project: str
    component: str
    configuration: str


@dataclass(frozen=True, slots=True)
class _Details:
    job_id: UUID
    tasks: Sequence[str] | None
    parameters: Mapping[str, Any] | None
    retry_of: UUID | None
    task_versions: Mapping[str, int] | None


class RequestStore(Store):
    """Called inside a transaction that holds the requests' lanes."""

    queries = Queries.load(__package__, "accept.sql", "waiting_triggers.sql")

    async def lock(self, *, ids: Sequence[UUID]) -> None:
        """Serialize these requests with requests to terminate the same jobs."""
        await self._run("lock_requests", ids=ids)

    async def known(self, *, ids: Sequence[UUID]) -> dict[UUID, Owner]:
        """Whose jobs have these ids already."""
        rows = await self._many(_Known, "known_jobs", ids=ids)
        return {row.id: (row.project, row.component, row.configuration) for row in rows}

    async def details(self, *, jobs: Sequence[UUID]) -> dict[UUID, RequestDetails]:
        """The details of these requests, without those no longer kept."""
        rows = await self._many(_Details, "request_details", ids=jobs) if jobs else []
        return {
            row.job_id: RequestDetails(row.tasks, row.parameters, row.retry_of, row.task_versions)
            for row in rows
        }

    async def lock_waiting(self, *, runs: Sequence[UUID]) -> None:
        """Lock the triggers that wait for these runs; see waiting_triggers.sql."""
        await self._run("lock_waiting", runs=runs)

    async def take_tombstone(self, *, job: UUID) -> Tombstone | None:
        """Delete and return what a request to stop the job has left."""
        return await self._one(Tombstone, "take_tombstone", job=job)

    async def waiting_run(self, *, lane: int, schedule: UUID) -> UUID | None:
        """A run of the schedule that has not started."""
        return await self._value(UUID, "waiting_run_of_schedule", lane=lane, schedule=schedule)

    async def unfinished(self, *, lane: int) -> UUID | None:
        """The first unfinished job of the lane."""
        return await self._value(UUID, "unfinished_in_lane", lane=lane)

    async def merge(self, *, run: UUID, scheduled_for: datetime) -> None:
        """Let a waiting run cover a later time too."""
        await self._run("merge_into", run=run, scheduled_for=scheduled_for)

    async def record(self, *, request: RunRequested, decision: str, into: UUID) -> None:
        """Record a request that does not become a job."""
        await self._run(
            "record_request",
            job=request.job_id,
            decision=decision,
            into=into,
            project=request.project,
            configuration=request.configuration,
            schedule_id=request.schedule_id,
            fire_key=request.fire_key,
            scheduled_for=request.scheduled_for,
        )

    async def insert(
        self,
        *,
        request: RunRequested,
        details: RequestDetails,
        start: Ending,
        lane: int,
        number: int,
        stop_requested_by: str | None,
    ) -> JobRow:
        """Create the job of a request."""
        is_run = request.component == ORCHESTRATOR
        row = await self._one(
            JobRow,
            "insert_job",
            id=request.job_id,
            lane_id=lane,
            seq=number,
            project=request.project,
            component=request.component,
            configuration=request.configuration,
            kind="run" if is_run else "component",
            status=start.status,
            origin=request.origin,
            requested_by=request.requested_by,
            token_id=request.token_id,
            notify=request.notify,
            attended=request.attended,
            overlap=request.overlap,
            schedule_id=request.schedule_id,
            fire_key=request.fire_key,
            trigger_id=request.trigger_id,
            generation=request.generation,
            retry_of=details.retry_of,
            pinned_version=request.version,
            selection=details.tasks,
            parameters=details.parameters or {},
            scheduled_for=request.scheduled_for,
            requested_at=request.requested_at,
            timeout_seconds=None if is_run else DAY_SECONDS,
            message=start.message or None,
            error_kind=start.error_kind,
            stop_requested_by=stop_requested_by,
            task_versions=details.task_versions,
            chain_length=request.chain_length,
        )
        assert row is not None, "an insert returns its row"
        return row
