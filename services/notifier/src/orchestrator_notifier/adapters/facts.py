"""Stores facts and who is to be notified, and finds finished runs without facts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_notifier import metrics
from orchestrator_notifier.domain.facts import Fact, FinishedRun, Recipient, RootRun, recipients
from orchestrator_notifier.domain.family import Family, Member
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.statuses import JobStatus


class FactStore:
    """Every method takes a connection: the caller decides what is one transaction."""

    def __init__(self, *, message_domain: str, overlap_seconds: float) -> None:
        self._overlap = overlap_seconds
        self._message_domain = message_domain
        self._queries = Queries.load("orchestrator_notifier.adapters", "facts.sql")

    async def root_of(self, connection: asyncpg.Connection, run: UUID) -> RootRun | None:
        """The root of a finished run; None if there is none."""
        row = await connection.fetchrow(self._queries["root_of_run"], run)
        return RootRun(**row) if row else None

    async def unnotified_runs(self, connection: asyncpg.Connection, root: RootRun) -> list[FinishedRun]:
        """The finished runs at and below this root, and those before it in its lane, without a fact.

        Locks the lane, then reads anew: facts of one orchestration are made one after another, in its order.
        """
        await connection.execute(self._queries["lock_lane"], root.project, root.orchestration)
        rows = await connection.fetch(
            self._queries["unnotified_runs"],
            root.id,
            root.project,
            root.orchestration,
            root.number,
            self._overlap,
        )
        return [_run(row) for row in rows]

    async def family(self, connection: asyncpg.Connection, root: UUID) -> Family:
        """All runs of a root."""
        rows = await connection.fetch(self._queries["family"], root)
        components: dict[UUID, set[JobStatus]] = {}
        for row in await connection.fetch(self._queries["components_of_family"], root):
            components.setdefault(row["parent_id"], set()).add(JobStatus(row["status"]))
        return Family([_member(row) for row in rows], components)

    async def save(
        self, connection: asyncpg.Connection, fact: Fact, notified: set[str], family: Family | None = None
    ) -> set[str]:
        """Make the fact and its deliveries unless they exist; returns who will be notified, in lower case."""
        values = (fact.key, fact.project, fact.orchestration, fact.event, fact.job_id, fact.root_id)
        if not await connection.fetchval(self._queries["insert_fact"], *values, dict(fact.detail)):
            return set()
        metrics.FACTS.labels(fact.event).inc()
        chosen = recipients(fact, await self._subscribers(connection, fact), notified)
        if family is not None and fact.job_id is not None:
            chosen = await self._without_informed(connection, fact, family, chosen)
        if not chosen:
            return set()
        subject = fact.subject or ""
        if fact.subject is None and family is not None and fact.job_id is not None:
            subject = family.subject(fact.job_id)
        rows = await self._insert_deliveries(connection, (*values, subject), chosen)
        for row in rows:
            metrics.ENQUEUED.labels(row["reason"]).inc()
        return {row["recipient"].lower() for row in rows}

    async def _without_informed(
        self, connection: asyncpg.Connection, fact: Fact, family: Family, chosen: list[Recipient]
    ) -> list[Recipient]:
        """Leaves out those who were notified of the nested runs behind it."""
        heard: dict[str, set[tuple[str, str]]] = {}
        for row in await connection.fetch(self._queries["notified_of_root"], fact.root_id):
            heard.setdefault(row["recipient"], set()).add((row["subject"], row["event"]))
        assert fact.job_id is not None
        return [
            each
            for each in chosen
            if not family.is_covered(fact.job_id, fact.event, heard.get(each.address.lower(), set()))
        ]

    async def _subscribers(self, connection: asyncpg.Connection, fact: Fact) -> list[str]:
        if not fact.to_subscribers:
            return []
        rows = await connection.fetch(
            self._queries["subscribers"], fact.project, fact.orchestration, fact.event
        )
        return [row["address"] for row in rows]

    async def _insert_deliveries(
        self, connection: asyncpg.Connection, values: tuple[object, ...], chosen: Sequence[Recipient]
    ) -> list[asyncpg.Record]:
        ids = [new_id() for _ in chosen]
        return await connection.fetch(
            self._queries["insert_deliveries"],
            *values,
            ids,
            [recipient.address for recipient in chosen],
            [recipient.reason.value for recipient in chosen],
            [f"<{id_}@{self._message_domain}>" for id_ in ids],
        )

    async def database_time(self, connection: asyncpg.Connection) -> datetime:
        """The database's clock, by which runs finish."""
        now: datetime = await connection.fetchval(self._queries["database_time"])
        return now

    async def unnotified_roots(self, connection: asyncpg.Connection, limit: int) -> list[RootRun]:
        """Roots with runs that finished since shortly before the mark and have no fact."""
        rows = await connection.fetch(self._queries["roots_of_unnotified_runs"], self._overlap, limit)
        return [RootRun(**row) for row in rows]

    async def advance(self, connection: asyncpg.Connection, to: datetime) -> None:
        """All runs that finished before this have their facts; moves forward only."""
        await connection.execute(self._queries["advance"], to)


def _member(row: asyncpg.Record) -> Member:
    return Member(
        id=row["id"],
        parent_id=row["parent_id"],
        task_id=row["task_id"],
        status=JobStatus(row["status"]),
        retry_of=row["retry_of"],
    )


def _run(row: asyncpg.Record) -> FinishedRun:
    previous = row["previous_status"]
    return FinishedRun(
        id=row["id"],
        root_id=row["root_id"],
        project=row["project"],
        orchestration=row["orchestration"],
        status=JobStatus(row["status"]),
        attended=row["attended"],
        notify=row["notify"],
        previous_status=JobStatus(previous) if previous else None,
    )
