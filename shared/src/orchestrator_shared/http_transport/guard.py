"""Connections to allowed addresses only, whatever name services answer."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

from orchestrator_shared.domain.addresses import is_public
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.internal_hosts import INTERNAL_HOSTS, InternalHosts

CONNECT_SECONDS = 10.0
MOST_ADDRESSES = 8

Resolve = Callable[[str, int], Awaitable[list[str]]]


class ForbiddenHost(UserError):
    """The host is internal and was not allowed."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once and connects to that address, so that a second DNS answer cannot redirect it."""

    def __init__(
        self,
        internal: InternalHosts,
        resolve: Resolve,
        network: httpcore.AsyncNetworkBackend,
        *,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._internal = internal
        self._resolve = resolve
        self._network = network
        self._connect_seconds = connect_seconds

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; raises ForbiddenHost if one of them is internal."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                addresses = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectError(f"cannot find the host {host}: no answer in time") from None
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise httpcore.ConnectError(f"cannot find the host {host}: {reason}") from error
        if not self._internal.allows(host, port) and not all(map(is_public, addresses)):
            raise ForbiddenHost(
                f"{host} is an internal address; an administrator can allow it in {INTERNAL_HOSTS}"
            )
        return await self._connect(host, port, addresses)

    async def _connect(self, host: str, port: int, addresses: list[str]) -> httpcore.AsyncNetworkStream:
        reason = f"cannot find the host {host}"
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(address, port, timeout=self._connect_seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                reason = f"cannot connect to {host}:{port}: {reason_of(error)}"
        raise httpcore.ConnectError(reason)


def reason_of(error: Exception) -> str:
    """What went wrong, in the most specific words available."""
    cause: BaseException = error
    while cause.__cause__ is not None and not str(cause):
        cause = cause.__cause__
    text = str(cause) or str(error)
    return f"{text[:300]}" if text else type(error).__name__
