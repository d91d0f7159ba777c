"""Waiting, within bounds, for the servers that a service needs at its start."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from orchestrator_shared.domain.errors import Unavailable

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
    deadline = asyncio.get_running_loop().time() + timeout
    delay = FIRST_DELAY_SECONDS
    while True:
        try:
            return await connect()
        except Unavailable as error:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise Unavailable(
                    f"{what} at {address} was not reachable for {timeout:g} seconds ({error}): "
                    f"start it, or correct {variable}"
                ) from error
            log.warning(
                "start.waiting", what=what, address=address, reason=str(error), seconds_left=round(left)
            )
        await asyncio.sleep(min(delay, max(left, 0.01)))
        delay = min(delay * 2, LONGEST_DELAY_SECONDS)
