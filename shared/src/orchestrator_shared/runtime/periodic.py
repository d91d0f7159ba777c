"""Doing something now and then, for as long as a service lives."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from orchestrator_shared.database.pool import is_our_fault
from orchestrator_shared.runtime.outage_log import Outage

log = structlog.get_logger(__name__)


async def repeat(
    what: Callable[[], Awaitable[object]], *, every: float, stopping: asyncio.Event, name: str
) -> None:
    """Do it now and then again and again; a server of ours that does not answer is waited for."""
    outage = Outage(name)
    while not stopping.is_set():
        try:
            await what()
            outage.end()
        except Exception as error:
            if not is_our_fault(error):
                raise
            if outage.is_news(str(error)):
                log.warning("scan.unavailable", scan=name, reason=str(error))
        try:
            async with asyncio.timeout(every):
                await stopping.wait()
        except TimeoutError:
            continue
