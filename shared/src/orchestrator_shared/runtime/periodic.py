"""What a service does periodically, for as long as it lives."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, wait_for_any

log = structlog.get_logger(__name__)

T = TypeVar("T")


async def repeat(
    action: Callable[[], Awaitable[object]],
    *,
    name: str,
    every: float,
    stopping: asyncio.Event,
    woken: asyncio.Event | None = None,
    longest_pause: float | None = None,
) -> None:
    """Do it now and every so many seconds until `stopping`; a server of ours that does not answer is waited
    for. It is done again at once when `woken` is set, or when it returns True: there is more to do."""
    outage, pauses = OutageLog(name), Backoff(first=min(1.0, every), most=longest_pause or every)
    wakers = (stopping,) if woken is None else (stopping, woken)
    while not stopping.is_set():
        if woken is not None:
            woken.clear()
        try:
            result = await action()
        except Unavailable as error:
            outage.waiting(str(error))
            await wait_for_any(stopping, timeout=pauses.take())  # being woken does not mend a server
            continue
        outage.end()
        pauses.reset()
        if result is not True:
            await wait_for_any(*wakers, timeout=every)


async def isolate(work: Awaitable[T], *, kind: str, item: str) -> T | None:
    """Handle one item of many: its failure is logged and does not hold up the others; an outage is raised."""
    try:
        return await work
    except Unavailable:
        raise
    except Exception:
        log.exception("scan.item_failed", kind=kind, item=item)
        return None
