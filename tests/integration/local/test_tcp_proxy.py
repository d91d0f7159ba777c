"""The network that tests can cut, stall and resume."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually


@pytest.fixture
async def echo() -> AsyncIterator[TcpProxy]:
    """A proxy in front of a server that sends back what it gets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with TcpProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), 30)


async def test_it_passes_bytes_and_the_end(echo: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection(echo.host, echo.port)
    assert await said(reader, writer, b"x" * 200_000) == b"x" * 200_000
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()
    await eventually(lambda: echo.connections == 0)


async def test_a_stall_accepts_but_passes_nothing_until_it_ends(echo: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection(echo.host, echo.port)
    assert await said(reader, writer, b"before") == b"before"
    echo.stall()
    late_reader, late_writer = await asyncio.open_connection(echo.host, echo.port)
    for each in (writer, late_writer):
        each.write(b"held")
    for waiting in (reader, late_reader):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.readexactly(1), 0.1)
    await echo.resume()
    assert await asyncio.wait_for(reader.readexactly(4), 30) == b"held"
    assert await asyncio.wait_for(late_reader.readexactly(4), 30) == b"held"
    for each in (writer, late_writer):
        each.close()


async def test_a_cut_resets_refuses_and_comes_back_on_the_same_port(echo: TcpProxy) -> None:
    port = echo.port
    reader, writer = await asyncio.open_connection(echo.host, port)
    assert await said(reader, writer, b"before") == b"before"
    echo.cut()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(said(reader, writer, b"lost"), 30)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(echo.host, port)
    await echo.resume()
    reader, again = await asyncio.open_connection(echo.host, port)
    assert await said(reader, again, b"after") == b"after"
    for each in (writer, again):
        each.close()


async def test_dropped_connections_may_be_opened_again_at_once(echo: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection(echo.host, echo.port)
    assert await said(reader, writer, b"before") == b"before"
    echo.drop_connections()
    assert await asyncio.wait_for(_until_end(reader), 30)
    reader, again = await asyncio.open_connection(echo.host, echo.port)
    assert await said(reader, again, b"after") == b"after"
    for each in (writer, again):
        each.close()


async def _until_end(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_a_url_leads_through_the_proxy(empty_database: Database) -> None:
    host, port = empty_database.url.rpartition("@")[2].partition("/")[0].split(":")
    async with TcpProxy(host, int(port)) as proxy:
        connection = await asyncpg.connect(proxy.url(empty_database.url), timeout=30)
        assert await connection.fetchval("SELECT 1") == 1
        assert proxy.connections == 1
        proxy.cut()
        with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
            await connection.fetchval("SELECT 1")
