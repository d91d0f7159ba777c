"""The relay between an outbox table and the broker: a failed step is logged and retried."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from orchestrator_shared.messaging.cancellation import cancelled_by_us
from orchestrator_shared.messaging.metrics import RELAY_FAILURES
from orchestrator_shared.messaging.outbox_store import OutboxStore
from orchestrator_shared.messaging.publisher import Outcome, Outgoing
from orchestrator_shared.metrics import OUTBOX_OLDEST_SECONDS, OUTBOX_ROWS, start_at_zero
from orchestrator_shared.runtime import failpoints
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, wait_for_any

log = structlog.get_logger(__name__)


start_at_zero(RELAY_FAILURES, ("publish", "delete", "poll", "measure"))


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the relay works; times in seconds."""

    grace: float = 5.0
    """Rows younger than this belong to the process that wrote them."""
    lease: float = 30.0
    retry: float = 30.0
    """How long a message is put off that no queue takes."""
    poll: float = 2.0
    measure: float = 15.0
    batch: int = 200
    lanes: int = 4
    """Batches in flight at once."""
    memory: int = 5_000
    """Rows kept in memory for publishing; the rest waits in the table."""
    backlog_per_second: float = 2_000.0


class Publishes(Protocol):
    """What a relay needs of the broker; see `Publisher`."""

    @property
    def ready(self) -> bool: ...

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Outcome]: ...


class Relay:
    """Publishes new rows at once and old rows at a bounded rate; deletes what is confirmed."""

    def __init__(self, store: OutboxStore, publisher: Publishes, tuning: Tuning) -> None:
        self._store = store
        self._publisher = publisher
        self._tuning = tuning
        self._waiting: asyncio.Queue[Outgoing] = asyncio.Queue(maxsize=tuning.memory)
        self._held: set[str] = set()
        """In memory: waiting, in flight, or confirmed and not yet deleted. The poll leaves them alone."""
        self._confirmed: list[str] = []
        self._to_delete = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def hand_over(self, rows: Sequence[Outgoing], hints: Sequence[Outgoing]) -> None:
        """Take what was just committed; without room, rows stay in the table and hints are dropped."""
        for message in (*rows, *hints):
            if self._waiting.full():
                return
            self._waiting.put_nowait(message)
            self._hold(message.id)

    async def flush(self, timeout: float) -> bool:
        """Wait until nothing is held in memory."""
        return await wait_for_any(self._idle, timeout=timeout)

    async def run(self) -> None:
        """Run all loops; if one ended, all would."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._tuning.lanes):
                group.create_task(self._forever("publish", self._publish_next))
            group.create_task(self._forever("delete", self._delete_confirmed))
            group.create_task(self._forever("poll", self._poll))
            group.create_task(self._forever("measure", self._measure))

    async def once(self, *, backlog: bool) -> None:
        """Do by hand what `run` does: publish what is in memory, with `backlog` what lies in the table as
        well, and delete what was confirmed."""
        while not self._waiting.empty():
            await self._publish_next()
        if backlog:
            await self._publish_backlog()
        if self._confirmed:
            await self._delete_confirmed()

    async def _forever(self, step: str, action: Callable[[], Awaitable[None]]) -> None:
        backoff, outage = Backoff(first=0.1, most=5.0), OutageLog(f"outbox {step}")
        while True:
            try:
                await action()
                backoff.reset()
                outage.end()
                continue
            except asyncio.CancelledError:
                if cancelled_by_us():
                    raise
                error: BaseException = ConnectionError("cancelled by the library")
            except Exception as failure:
                error = failure
            RELAY_FAILURES.labels(step).inc()
            if outage.is_news(repr(error)):
                log.warning("outbox.step_failed", step=step, schema=self._store.schema, error=repr(error))
            await backoff.sleep()

    async def _publish_next(self) -> None:
        batch = [await self._waiting.get()]
        while len(batch) < self._tuning.batch and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        await self._publish(batch, claimed=False)

    async def _publish(self, batch: Sequence[Outgoing], *, claimed: bool) -> None:
        done: set[str] = set()
        try:
            outcomes = await self._publisher.publish_many(batch)
            failpoints.reach(failpoints.BEFORE_MARK)
            rows = [(row.id, outcome) for row, outcome in zip(batch, outcomes, strict=True) if row.persistent]
            done = {id_ for id_, outcome in rows if outcome is Outcome.CONFIRMED}
            resting = [id_ for id_, outcome in rows if outcome in (Outcome.RETURNED, Outcome.REFUSED)]
            if resting:
                await self._store.postpone(resting, seconds=self._tuning.retry)
            if claimed:
                unknown = [id_ for id_, outcome in rows if outcome is Outcome.UNKNOWN]
                await self._store.postpone(unknown, seconds=self._tuning.poll)
        finally:
            # What is not confirmed stays in the table: the poll publishes it again under the same id.
            self._release([row.id for row in batch if row.id not in done])
            if done:
                self._confirmed.extend(done)
                self._to_delete.set()

    async def _delete_confirmed(self) -> None:
        await self._to_delete.wait()
        ids = self._confirmed[: self._tuning.memory]
        await self._store.delete(ids)
        del self._confirmed[: len(ids)]
        if not self._confirmed:
            self._to_delete.clear()
        self._release(ids)

    async def _poll(self) -> None:
        started = time.monotonic()
        published = await self._publish_backlog() if self._publisher.ready else 0
        full = published >= self._tuning.batch
        pause = published / self._tuning.backlog_per_second if full else self._tuning.poll
        await asyncio.sleep(max(0.0, pause - (time.monotonic() - started)))

    async def _publish_backlog(self) -> int:
        tuning = self._tuning
        rows = await self._store.claim(
            older_than=tuning.grace, limit=tuning.batch, lease=tuning.lease, not_these=self._held
        )
        if rows:
            log.info("outbox.backlog", schema=self._store.schema, rows=len(rows))
            for row in rows:
                self._hold(row.id)
            await self._publish(rows, claimed=True)
        return len(rows)

    async def _measure(self) -> None:
        backlog = await self._store.measure()
        OUTBOX_ROWS.labels(self._store.schema).set(backlog.rows)
        OUTBOX_OLDEST_SECONDS.labels(self._store.schema).set(backlog.oldest_seconds)
        await asyncio.sleep(self._tuning.measure)

    def _hold(self, id_: str) -> None:
        self._held.add(id_)
        self._idle.clear()

    def _release(self, ids: Sequence[str]) -> None:
        self._held.difference_update(ids)
        if not self._held:
            self._idle.set()
