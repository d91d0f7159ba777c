"""Stores facts and who is to be notified, and finds finished runs without facts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_notifier import metrics
from orchestrator_notifier.domain.facts import Fact, FinishedRun, Recipient, RootRun, recipients
from orchestrator_notifier.domain.run_tree import NestedRun, RunTree
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.statuses import JobStatus


@dataclass(frozen=True, slots=True)
class ComponentEnd:
    """How some of the components of a run ended."""

    parent_id: UUID
    status: JobStatus


@dataclass(frozen=True, slots=True)
class NotifiedOf:
    """A mail about a root, to a recipient in lower case."""

    recipient: str
    subject: str
    event: str


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A mail that will be sent."""

    recipient: str
    reason: str


class FactStore(Store):
    """Facts and the mails that they cause; runs belong to the runner and are only read."""

    queries = Queries.load(__package__, "facts.sql")

    async def root_of(self, *, run: UUID) -> RootRun | None:
        """The root of a finished run; None if there is none."""
        return await self._one(RootRun, "root_of_run", run=run)

    async def unnotified_runs(self, *, root: RootRun, overlap_seconds: float) -> list[FinishedRun]:
        """The finished runs at and below this root, and those before it in its lane, without a fact.

        Locks the lane, then reads anew: facts of one orchestration are made one after another, in its order.
        """
        await self._run("lock_lane", project=root.project, orchestration=root.orchestration)
        return await self._many(
            FinishedRun,
            "unnotified_runs",
            root=root.id,
            project=root.project,
            orchestration=root.orchestration,
            number=root.number,
            overlap_seconds=overlap_seconds,
        )

    async def tree(self, *, root: UUID) -> RunTree:
        """All runs of a root."""
        runs = await self._many(NestedRun, "runs_of_tree", root=root)
        components: dict[UUID, set[JobStatus]] = {}
        for end in await self._many(ComponentEnd, "components_of_tree", root=root):
            components.setdefault(end.parent_id, set()).add(end.status)
        return RunTree(runs, components)

    async def save(
        self, *, fact: Fact, notified: set[str], message_domain: str, tree: RunTree | None = None
    ) -> set[str]:
        """Make the fact and its deliveries unless they exist; returns who will be notified, in lower case."""
        values = {
            "key": fact.key,
            "project": fact.project,
            "orchestration": fact.orchestration,
            "event": fact.event,
            "job_id": fact.job_id,
            "root_id": fact.root_id,
        }
        if not await self._value(bool, "insert_fact", **values, detail=dict(fact.detail)):
            return set()
        metrics.FACTS.labels(fact.event).inc()
        chosen = recipients(fact, await self._subscribers(fact), notified)
        subject = fact.subject or ""
        if tree is not None and fact.job_id is not None:
            chosen = await self._without_informed(fact, fact.job_id, tree, chosen)
            subject = tree.subject(fact.job_id) if fact.subject is None else fact.subject
        if not chosen:
            return set()
        rows = await self._enqueue(
            {**values, "subject": subject, "channel": fact.channel}, chosen, message_domain
        )
        for row in rows:
            metrics.ENQUEUED.labels(row.reason).inc()
        return {row.recipient.lower() for row in rows}

    async def _without_informed(
        self, fact: Fact, job_id: UUID, tree: RunTree, chosen: list[Recipient]
    ) -> list[Recipient]:
        """Leaves out those who were notified of the nested runs behind it."""
        known: dict[str, set[tuple[str, str]]] = {}
        for row in await self._many(NotifiedOf, "notified_of_root", root=fact.root_id):
            known.setdefault(row.recipient, set()).add((row.subject, row.event))
        return [
            each
            for each in chosen
            if not tree.is_covered(job_id, fact.event, known.get(each.address.lower(), set()))
        ]

    async def _subscribers(self, fact: Fact) -> list[str]:
        if not fact.to_subscribers:
            return []
        return await self._column(
            str, "subscribers", project=fact.project, orchestration=fact.orchestration, event=fact.event
        )

    async def _enqueue(
        self, values: dict[str, Any], chosen: list[Recipient], message_domain: str
    ) -> list[Enqueued]:
        ids = [new_id() for _ in chosen]
        return await self._many(
            Enqueued,
            "insert_deliveries",
            **values,
            ids=ids,
            recipients=[recipient.address for recipient in chosen],
            reasons=[recipient.reason.value for recipient in chosen],
            message_ids=[f"<{id_}@{message_domain}>" for id_ in ids],
        )

    async def database_time(self) -> datetime:
        """The database's clock, by which runs finish."""
        now = await self._value(datetime, "database_time")
        assert now is not None
        return now

    async def unnotified_roots(self, *, overlap_seconds: float, limit: int) -> list[RootRun]:
        """Roots with runs that finished since shortly before the mark and have no fact."""
        return await self._many(
            RootRun, "roots_of_unnotified_runs", overlap_seconds=overlap_seconds, limit=limit
        )

    async def advance(self, *, to: datetime) -> None:
        """All runs that finished before this have their facts; moves forward only."""
        await self._run("advance", to=to)
