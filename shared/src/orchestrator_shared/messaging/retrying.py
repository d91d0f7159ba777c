"""Decides whose fault a failure is, and what to do about it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from orchestrator_shared.database.pool import is_our_fault
from orchestrator_shared.domain.errors import MessageFault, UserError
from orchestrator_shared.messaging.cancellation import cancelled_by_us
from orchestrator_shared.messaging.metrics import CONSUMER_PAUSED, HANDLER_FAILURES
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, wait_for_any

log = structlog.get_logger(__name__)


class Fault(StrEnum):
    """Whose fault: the message's (dead-letter it), ours (keep it and wait), or unknown (a few tries)."""

    MESSAGE = "message"
    OURS = "ours"
    UNKNOWN = "unknown"


def classify(error: BaseException) -> Fault:
    """Decide from an exception that a handler raised."""
    if isinstance(error, MessageFault | UserError):
        return Fault.MESSAGE
    # Only a library's CancelledError gets here: its connection broke.
    if isinstance(error, asyncio.CancelledError | TimeoutError) or is_our_fault(error):
        return Fault.OURS
    return Fault.UNKNOWN


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message cannot be handled."""

    fault: Fault
    reason: str


class Gate:
    """Closed while any handler of a consumer waits for an unavailable server: nothing new is begun."""

    def __init__(self, queue: str) -> None:
        self._gauge = CONSUMER_PAUSED.labels(queue)
        self._waiting = 0
        self.open = asyncio.Event()
        self.open.set()

    def enter(self) -> None:
        """A handler began to wait for an unavailable server."""
        self._waiting += 1
        self.open.clear()
        self._gauge.set(1)

    def leave(self) -> None:
        """That handler finished, or gave up."""
        self._waiting -= 1
        if self._waiting == 0:
            self.open.set()
            self._gauge.set(0)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often and how patiently a handler is tried; times in seconds."""

    unknown: int = 5
    first_delay: float = 0.1
    most_delay: float = 5.0
    handler: float = 60.0
    """The longest that one try may take; a longer one counts as our fault."""


async def attempt(
    call: Callable[[], Awaitable[None]],
    *,
    queue: str,
    gate: Gate,
    tries: Tries,
    ended: asyncio.Event,
    single: bool,
) -> Failure | None:
    """Call until it succeeds (None) or fails for good; raises Abandoned when `ended` is set in between.

    A batch (not `single`) fails at the first failure that is not ours, to be taken apart.
    """
    backoff, outage = Backoff(first=tries.first_delay, most=tries.most_delay), OutageLog(queue)
    failures, closed_gate = 0, False
    try:
        while True:
            failure = await _try(call, queue=queue, limit=tries.handler, outage=outage)
            if failure is None:
                return None
            failures += failure.fault is Fault.UNKNOWN
            if failure.fault is Fault.MESSAGE or failures >= (tries.unknown if single else 1):
                return failure
            if failure.fault is Fault.OURS and not closed_gate:
                closed_gate = True
                gate.enter()
            if await wait_for_any(ended, timeout=backoff.take()):
                raise Abandoned
    finally:
        if closed_gate:
            gate.leave()


class Abandoned(Exception):
    """The delivery is left unacknowledged: the broker will deliver it again."""


async def _try(
    call: Callable[[], Awaitable[None]], *, queue: str, limit: float, outage: OutageLog
) -> Failure | None:
    try:
        async with asyncio.timeout(limit):
            await call()
    except asyncio.CancelledError as error:
        if cancelled_by_us():
            raise
        caught: BaseException = error
    except Exception as error:
        caught = error
    else:
        return None
    fault = classify(caught)
    HANDLER_FAILURES.labels(queue, fault).inc()
    reason = str(caught) if fault is Fault.MESSAGE else f"{type(caught).__name__}: {caught}"
    if fault is not Fault.OURS or outage.is_news(reason):
        log.warning(
            "handler.failed", queue=queue, fault=fault, reason=reason, exc_info=fault is Fault.UNKNOWN
        )
    return Failure(fault, reason)
