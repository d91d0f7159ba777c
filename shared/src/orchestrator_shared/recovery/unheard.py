"""Sends again what RabbitMQ had confirmed and no one has handled, because its data or newer data was lost.

What only seemed lost arrives twice, which changes nothing: every message has a natural key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import output_update_id
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy
from orchestrator_shared.messaging.outbox import identified_message, outgoing_message
from orchestrator_shared.messaging.outbox_store import insert
from orchestrator_shared.messaging.publisher import Outgoing


@dataclass(frozen=True, slots=True)
class SentAgain:
    """How many messages were put into the outboxes."""

    runs: int
    """Requested by people and programs."""
    fires: int
    """Requested by schedules and triggers."""
    updates: int
    """Reported by jobs as their outputs."""


@dataclass(frozen=True, slots=True)
class UnheardRun:
    """A request of the api."""

    job_id: UUID
    project: str
    component: str
    configuration: str
    origin: str
    requested_by: str
    token_id: UUID
    version: int | None
    scheduled_for: datetime
    requested_at: datetime
    notify: str | None
    attended: bool
    details: bool

    def message(self) -> RunRequested:
        values = {field: getattr(self, field) for field in self.__slots__}
        return RunRequested(**{**values, "origin": Origin(self.origin)})


@dataclass(frozen=True, slots=True)
class UnheardFire:
    """A request of a schedule."""

    job_id: UUID
    project: str
    orchestration: str
    scheduled_for: datetime
    at: datetime
    schedule_id: UUID
    fire_key: str
    name: str
    overlap: str

    def message(self) -> RunRequested:
        return RunRequested(
            job_id=self.job_id,
            project=self.project,
            configuration=self.orchestration,
            origin=Origin.SCHEDULE,
            requested_at=self.at,
            scheduled_for=self.scheduled_for,
            requested_by=f"schedule {self.name}"[:200],
            overlap=OverlapPolicy(self.overlap),
            schedule_id=self.schedule_id,
            fire_key=self.fire_key,
        )


@dataclass(frozen=True, slots=True)
class PendingTrigger:
    """A request of a trigger, which waits for it."""

    job_id: UUID
    project: str
    orchestration: str
    name: str
    at: datetime
    trigger_id: UUID
    generation: int
    chain_length: int

    def message(self) -> RunRequested:
        return RunRequested(
            job_id=self.job_id,
            project=self.project,
            configuration=self.orchestration,
            origin=Origin.TRIGGER,
            requested_at=self.at,
            scheduled_for=self.at,
            requested_by=f"trigger {self.name}"[:200],
            trigger_id=self.trigger_id,
            generation=self.generation,
            chain_length=self.chain_length,
        )


@dataclass(frozen=True, slots=True)
class UnheardOutput:
    """A table that a job reported."""

    job_id: UUID
    project: str
    table_name: str
    row_count: int | None
    chain_length: int

    def outgoing(self) -> Outgoing:
        update = TableUpdated(
            project=self.project,
            table=self.table_name,
            rows=self.row_count,
            job_id=self.job_id,
            chain_length=self.chain_length,
        )
        return identified_message(
            update, id=str(output_update_id(self.job_id, self.table_name)), source="/runner"
        )


class Unheard(Store):
    """On a connection that may write all of the services' tables, in a transaction of the caller's."""

    queries = Queries.load(__package__, "unheard.sql")

    async def send_again(self) -> SentAgain:
        """Put everything into the outboxes of those who had sent it; their relays do the rest."""
        since = await self._value(datetime, "begin")
        if since is None:  # nothing ever happened here
            return SentAgain(0, 0, 0)
        runs = await self._many(UnheardRun, "runs", since=since)
        fires = await self._many(UnheardFire, "fires", since=since)
        triggers = await self._many(PendingTrigger, "pending_triggers")
        outputs = await self._many(UnheardOutput, "outputs", since=since)
        await self._insert("catalog", "/api", [run.message() for run in runs])
        await self._insert("scheduler", "/scheduler", [fire.message() for fire in fires])
        await self._insert("triggers", "/trigger-watcher", [each.message() for each in triggers])
        await insert(self._connection, "jobs", [output.outgoing() for output in outputs])
        return SentAgain(runs=len(runs), fires=len(fires) + len(triggers), updates=len(outputs))

    async def _insert(self, schema: str, source: str, messages: Sequence[Message]) -> None:
        rows = [outgoing_message(message, source=source) for message in messages]
        await insert(self._connection, schema, rows)


async def send_again(connection: asyncpg.Connection) -> SentAgain:
    """In one transaction."""
    async with connection.transaction():
        return await Unheard(connection).send_again()
