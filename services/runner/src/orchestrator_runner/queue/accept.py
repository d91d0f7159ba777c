"""Handles `run.requested`: every well-formed request becomes a row, in order of acceptance in its lane."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.queue.changes import publish_changes, publish_run
from orchestrator_runner.queue.identity import each_once, id_of_refusal, owner_of, unknown
from orchestrator_runner.queue.lanes import Lanes
from orchestrator_runner.queue.overlap import Merge, Queue, Skip, decide_overlap
from orchestrator_runner.queue.ports import Wake
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import RunCreated, RunFinished
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus, OverlapPolicy
from orchestrator_shared.messaging.outbox import Outbox, UnitOfWork

log = structlog.get_logger(__name__)


class Accept:
    """Handles a batch of requests in one transaction."""

    def __init__(
        self, pool: asyncpg.Pool, outbox: Outbox, lanes: Lanes, wake: Wake, *, max_chain_length: int
    ) -> None:
        self._max_chain_length = max_chain_length
        self._pool = pool
        self._outbox = outbox
        self._lanes = lanes
        self._wake = wake
        self._queries = Queries.load("orchestrator_runner.queue", "accept.sql", "waiting_triggers.sql")

    async def __call__(self, heard: Sequence[RunRequested]) -> None:
        requests = each_once(heard)
        # Outside the transaction below: creating a lane locks it, and not in id order.
        async with acquire(self._pool) as connection:
            lanes = await self._lanes.ensure(connection, (owner_of(request) for request in requests))
        async with self._outbox.work() as work:
            # The lanes serialize acceptance, which makes its order the order of the jobs' numbers.
            await self._lanes.lock(work.connection, lanes.values())
            ids = [request.job_id for request in requests] + [id_of_refusal(each) for each in requests]
            # A request to terminate takes this lock too: it finds the job, or we find its tombstone.
            await work.connection.execute(self._queries["lock_requests"], ids)
            rows = await work.connection.fetch(self._queries["known_jobs"], ids)
            known = {row["id"]: (row["project"], row["component"], row["configuration"]) for row in rows}
            new = unknown(requests, known)
            details = await self._details(work.connection, [each.request for each in new])
            if triggered := [each.request.job_id for each in new if each.request.trigger_id is not None]:
                await work.connection.execute(self._queries["lock_waiting"], triggered)
            for each in new:
                lane = lanes[owner_of(each.request)]
                if each.is_refused:
                    await self._refuse(work, each.request, lane)
                else:
                    await self._accept(work, each.request, lane, details.get(each.request.job_id))
            # Each lane may have got its first waiting job.
            publish_changes(work, await self._lanes.promote(work.connection, lanes.values()))
            work.after_commit(self._wake)
        metrics.REQUESTS.labels("accepted").inc(len(new))
        metrics.REQUESTS.labels("repeated").inc(len(heard) - len(new))

    async def _details(
        self, connection: asyncpg.Connection, requests: Sequence[RunRequested]
    ) -> dict[UUID, dict[str, Any]]:
        wanted = [request.job_id for request in requests if request.details]
        if not wanted:
            return {}
        rows = await connection.fetch(self._queries["request_details"], wanted)
        return {row["job_id"]: dict(row) for row in rows}

    async def _accept(
        self, work: UnitOfWork, request: RunRequested, lane: int, details: Mapping[str, Any] | None
    ) -> None:
        decision = await self._decide(work.connection, request, lane)
        if isinstance(decision, Merge | Skip):
            await self._record(work.connection, request, decision)
        else:
            await self._insert(work, request, lane, details)

    async def _refuse(self, work: UnitOfWork, request: RunRequested, lane: int) -> None:
        log.warning("request.id_taken", project=request.project, configuration=request.configuration)
        metrics.REQUESTS.labels("refused").inc()
        await self._insert(work, request, lane, None, refusal=ID_TAKEN)

    async def _decide(
        self, connection: asyncpg.Connection, request: RunRequested, lane: int
    ) -> Queue | Merge | Skip:
        waiting = unfinished = None
        if request.overlap is OverlapPolicy.ONE_WAITING and request.schedule_id is not None:
            sql = self._queries["waiting_run_of_schedule"]
            waiting = await connection.fetchval(sql, lane, request.schedule_id)
        if request.overlap is OverlapPolicy.SKIP:
            unfinished = await connection.fetchval(self._queries["unfinished_in_lane"], lane)
        return decide_overlap(request.overlap, waiting=waiting, unfinished=unfinished)

    async def _record(
        self, connection: asyncpg.Connection, request: RunRequested, decision: Merge | Skip
    ) -> None:
        name = "merged" if isinstance(decision, Merge) else "skipped"
        if isinstance(decision, Merge):
            await connection.execute(self._queries["merge_into"], decision.into, request.scheduled_for)
        await connection.execute(
            self._queries["record_request"],
            request.job_id,
            name,
            decision.into,
            request.project,
            request.configuration,
            request.schedule_id,
            request.fire_key,
            request.scheduled_for,
        )
        metrics.REQUESTS.labels(name).inc()

    async def _insert(
        self,
        work: UnitOfWork,
        request: RunRequested,
        lane: int,
        details: Mapping[str, Any] | None,
        refusal: Ending | None = None,
    ) -> None:
        connection = work.connection
        stopped = await connection.fetchrow(self._queries["take_tombstone"], request.job_id)
        start = refusal or _start(
            request,
            details,
            is_stopped=stopped is not None,
            max_chain_length=self._max_chain_length,
        )
        number = await self._lanes.take_number(connection, lane)
        stopped_by = None if stopped is None else stopped["requested_by"]
        values = _values(request, details or {}, start, lane=lane, number=number, stopped_by=stopped_by)
        row = await connection.fetchrow(self._queries["insert_job"], *values)
        assert row is not None, "an insert returns its row"
        publish_changes(work, [row])
        if request.component == ORCHESTRATOR:
            publish_run(work, RunCreated, row)
            if start.status.is_final:
                publish_run(work, RunFinished, row)


ID_TAKEN = Ending(
    JobStatus.ERROR, "the id of this request belongs to another job, so nothing was run", ErrorKind.INTERNAL
)


DAY_SECONDS = 86_400.0
"""The time limit of a component job that is run by itself."""


def _values(
    request: RunRequested,
    details: Mapping[str, Any],
    start: Ending,
    *,
    lane: int,
    number: int,
    stopped_by: str | None,
) -> tuple[Any, ...]:
    """The parameters of `insert_job`, in its order."""
    is_run = request.component == ORCHESTRATOR
    return (
        request.job_id,
        lane,
        number,
        request.project,
        request.component,
        request.configuration,
        "run" if is_run else "component",
        start.status,
        request.origin,
        request.requested_by,
        request.token_id,
        request.notify,
        request.attended,
        request.overlap,
        request.schedule_id,
        request.fire_key,
        request.trigger_id,
        request.generation,
        details.get("retry_of"),
        request.version,
        details.get("tasks"),
        details.get("parameters") or {},
        request.scheduled_for,
        request.requested_at,
        None if is_run else DAY_SECONDS,
        start.message or None,
        stopped_by,
        details.get("task_versions"),
        start.error_kind,
        request.chain_length,
    )


def _start(
    request: RunRequested,
    details: Mapping[str, Any] | None,
    *,
    is_stopped: bool,
    max_chain_length: int,
) -> Ending:
    """Initial status of the job, and its final status when the request cannot be honoured."""
    if is_stopped:
        return Ending(JobStatus.CANCELLED, "stopped before it started")
    if request.details and details is None:
        reason = (
            "what was asked for (tasks, parameters) is no longer kept: it came too late, request it again"
        )
        return Ending(JobStatus.ERROR, reason, ErrorKind.USER)
    if request.chain_length > max_chain_length:
        return Ending(JobStatus.ERROR, _endless_chain(max_chain_length), ErrorKind.USER)
    return Ending(JobStatus.WAITING)


def _endless_chain(limit: int) -> str:
    return (
        f"not started: {limit} runs in a row were each started by table updates of the run before, which is "
        "the most allowed (ORCHESTRATOR_MAX_CHAIN_LENGTH); look for a trigger on a table that its own "
        "orchestration updates, directly or through other orchestrations"
    )
