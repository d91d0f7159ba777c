"""The sockets under AMQP connections, kept so that a stalled one can be cut at once."""

import asyncio
from typing import Any

from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL


class Transports(TransportFactory):
    """Opens TCP or TLS streams and remembers the last one."""

    def __init__(self, url: URL) -> None:
        self._factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._factory.create(url, **kwargs)
        self._writer = writer
        return reader, writer

    def abort(self) -> None:
        """Cut the connection without closing it properly."""
        if self._writer is not None:
            self._writer.transport.abort()
