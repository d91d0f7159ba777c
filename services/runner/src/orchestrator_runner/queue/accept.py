"""Handles `run.requested`: every well-formed request becomes a row, in order of acceptance in its lane."""

from collections.abc import Sequence

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.queue.changes import publish_changes, publish_run
from orchestrator_runner.queue.identity import each_once, id_of_refusal, owner_of, unknown
from orchestrator_runner.queue.lanes import Lanes, LaneStore
from orchestrator_runner.queue.overlap import Merge, Queue, Skip, decide_overlap
from orchestrator_runner.queue.ports import Wake
from orchestrator_runner.queue.request_store import NO_DETAILS, RequestDetails, RequestStore
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import RunCreated, RunFinished
from orchestrator_shared.database.pool import acquire
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

    async def __call__(self, received: Sequence[RunRequested]) -> None:
        requests = each_once(received)
        # Outside the transaction below: creating a lane locks it, and not in id order.
        async with acquire(self._pool) as connection:
            lanes = await self._lanes.ensure(connection, (owner_of(request) for request in requests))
        async with self._outbox.work() as work:
            # The lanes serialize acceptance, which makes its order the order of the jobs' numbers.
            lane_store, store = LaneStore(work.connection), RequestStore(work.connection)
            await lane_store.lock(lanes=lanes.values())
            ids = [request.job_id for request in requests] + [id_of_refusal(each) for each in requests]
            # A request to terminate takes this lock too: it finds the job, or we find its tombstone.
            await store.lock(ids=ids)
            new = unknown(requests, await store.known(ids=ids))
            details = await store.details(jobs=[each.request.job_id for each in new if each.request.details])
            if triggered := [each.request.job_id for each in new if each.request.trigger_id is not None]:
                await store.lock_waiting(runs=triggered)
            for each in new:
                lane = lanes[owner_of(each.request)]
                if each.is_refused:
                    await self._refuse(work, each.request, lane)
                else:
                    await self._accept(work, each.request, lane, details.get(each.request.job_id))
            # Each lane may have got its first waiting job.
            publish_changes(work, await lane_store.promote(lanes=lanes.values()))
            work.after_commit(self._wake)
        metrics.REQUESTS.labels("accepted").inc(len(new))
        metrics.REQUESTS.labels("repeated").inc(len(received) - len(new))

    async def _accept(
        self, work: UnitOfWork, request: RunRequested, lane: int, details: RequestDetails | None
    ) -> None:
        store = RequestStore(work.connection)
        decision = await self._decide(store, request, lane)
        if isinstance(decision, Merge | Skip):
            await self._record(store, request, decision)
        else:
            await self._insert(work, request, lane, details)

    async def _refuse(self, work: UnitOfWork, request: RunRequested, lane: int) -> None:
        log.warning("request.id_taken", project=request.project, configuration=request.configuration)
        metrics.REQUESTS.labels("refused").inc()
        await self._insert(work, request, lane, None, refusal=ID_TAKEN)

    async def _decide(self, store: RequestStore, request: RunRequested, lane: int) -> Queue | Merge | Skip:
        waiting = unfinished = None
        if request.overlap is OverlapPolicy.ONE_WAITING and request.schedule_id is not None:
            waiting = await store.waiting_run(lane=lane, schedule=request.schedule_id)
        if request.overlap is OverlapPolicy.SKIP:
            unfinished = await store.unfinished(lane=lane)
        return decide_overlap(request.overlap, waiting=waiting, unfinished=unfinished)

    async def _record(self, store: RequestStore, request: RunRequested, decision: Merge | Skip) -> None:
        name = "merged" if isinstance(decision, Merge) else "skipped"
        if isinstance(decision, Merge):
            await store.merge(run=decision.into, scheduled_for=request.scheduled_for)
        await store.record(request=request, decision=name, into=decision.into)
        metrics.REQUESTS.labels(name).inc()

    async def _insert(
        self,
        work: UnitOfWork,
        request: RunRequested,
        lane: int,
        details: RequestDetails | None,
        refusal: Ending | None = None,
    ) -> None:
        store = RequestStore(work.connection)
        tombstone = await store.take_tombstone(job=request.job_id)
        start = refusal or _start(
            request,
            details,
            is_stopped=tombstone is not None,
            max_chain_length=self._max_chain_length,
        )
        row = await store.insert(
            request=request,
            details=details or NO_DETAILS,
            start=start,
            lane=lane,
            number=await LaneStore(work.connection).take_number(lane=lane),
            stop_requested_by=None if tombstone is None else tombstone.requested_by,
        )
        publish_changes(work, [row])
        if request.component == ORCHESTRATOR:
            publish_run(work, RunCreated, row)
            if start.status.is_final:
                publish_run(work, RunFinished, row)


ID_TAKEN = Ending(
    JobStatus.ERROR, "the id of this request belongs to another job, so nothing was run", ErrorKind.INTERNAL
)


def _start(
    request: RunRequested,
    details: RequestDetails | None,
    *,
    is_stopped: bool,
    max_chain_length: int,
) -> Ending:
    """Initial status of the job, and its final status when the request cannot be honoured."""
    if is_stopped:
        return Ending(JobStatus.CANCELLED, "stopped before it started")
    if request.details and details is None:
        reason = (
            "the request arrived too late: its tasks and parameters are no longer kept; request the run again"
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
