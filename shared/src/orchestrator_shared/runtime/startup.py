"""Waiting, within bounds, for the servers that a service needs at its start."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from orchestrator_shared.domain.errors import OrchestratorError, Unavailable
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, retry_while_unavailable

log = structlog.get_logger(__name__)

FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 5.0

T = TypeVar("T")


async def retry_at_start(
    connect: Callable[[], Awaitable[T]], *, what: str, address: str, variable: str, timeout: float
) -> T:
    """Try until it works or the time is up (then Unavailable, naming the variable).

    `connect` is bounded itself and raises Unavailable while waiting may help.
    """
    try:
        return await wait_at_start(connect, what=what, address=address, timeout=timeout, on=Unavailable)
    except Unavailable as error:
        raise Unavailable(
            f"{what} at {address} was not reachable for {timeout:g} seconds ({error}): "
            f"start it, or correct {variable}"
        ) from error


async def wait_at_start(
    action: Callable[[], Awaitable[T]],
    *,
    what: str,
    address: str,
    timeout: float,
    on: type[OrchestratorError],
) -> T:
    """Try until it works; raises the last of these errors when the time is up, and others at once."""
    return await retry_while_unavailable(
        action,
        outage=_StartLog(what, address, timeout),
        pauses=Backoff(first=FIRST_DELAY_SECONDS, most=LONGEST_DELAY_SECONDS),
        within=timeout,
        on=on,
    )


class _StartLog(OutageLog):
    """Every try is logged: there are few, and someone waits for the start."""

    def __init__(self, what: str, address: str, seconds: float) -> None:
        super().__init__(what)
        self._address = address
        self._deadline = asyncio.get_running_loop().time() + seconds

    def waiting(self, reason: str) -> None:
        left = round(self._deadline - asyncio.get_running_loop().time())
        log.warning("start.waiting", what=self._what, address=self._address, reason=reason, seconds_left=left)
