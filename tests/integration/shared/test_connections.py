"""Fault 16 of issue 8: connections that send half a request stayed open, as many as anybody wanted.

Every port of every service is served by this one server.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h11
import pytest
from tests.support.waiting import eventually
from uvicorn.protocols.http.h11_impl import H11Protocol

from orchestrator_shared.runtime import connections
from orchestrator_shared.runtime.health import serve_health
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.settings import RuntimeSettings

HALF = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
WHOLE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
BOUND = 30

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[int]:
    lifecycle = Lifecycle("under-test")
    async with serve_health(lifecycle, RuntimeSettings(**settings)) as port:
        yield port
    await lifecycle.cancel_all()


@asynccontextmanager
async def connected(port: int, source: str = "127.0.0.1") -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side closes."""
    try:
        return await asyncio.wait_for(reader.read(-1), BOUND)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"G", HALF, WHOLE + HALF])
async def test_a_half_head_is_not_waited_for(sent: bytes) -> None:
    async with serving(http_header_timeout_seconds=0.2) as port, connected(port) as (reader, writer):
        writer.write(sent)
        answer = await rest(reader)
    assert (b"408" in answer) == sent.endswith((b"G", HALF))


async def test_idle_connections_of_proxies_stay_open_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that sends a request on a connection which is just being closed answers with 502."""
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.05)
    proxy = "127.0.0.2"
    async with (
        serving(http_trusted_proxies=[proxy]) as port,
        connected(port, proxy) as (from_proxy, to_proxy),
        connected(port) as (reader, writer),
    ):
        to_proxy.write(WHOLE)
        await from_proxy.readuntil(b"\r\n\r\n")
        writer.write(WHOLE)
        assert b"200 OK" in await rest(reader), "and then it was closed"
        to_proxy.write(WHOLE)
        assert b"200 OK" in await asyncio.wait_for(from_proxy.readuntil(b"200 OK"), BOUND)


async def test_a_head_that_trickles_is_not_waited_for() -> None:
    async with serving(http_header_timeout_seconds=0.2) as port, connected(port) as (reader, writer):
        writer.write(HALF)

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        await rest(reader)
        trickling.cancel()


async def test_a_body_that_was_answered_is_not_read_for_ever() -> None:
    head = b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(http_header_timeout_seconds=0.2) as port, connected(port) as (reader, writer):
        writer.write(head)

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"1\r\nx\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        await rest(reader)
        trickling.cancel()


@pytest.mark.parametrize("path", [b"/livez", b"/body"])
async def test_a_body_in_tiny_pieces_lets_others_have_their_turn(
    path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 11: 50 such connections without a token kept everybody else waiting for 17 seconds."""
    events, portions = [0], []
    handle_events, next_event = H11Protocol.handle_events, h11.Connection.next_event

    def counted(connection: h11.Connection) -> Any:
        events[0] += 1
        return next_event(connection)

    def portioned(protocol: H11Protocol) -> None:
        events[0] = 0
        handle_events(protocol)
        portions.append(events[0])

    monkeypatch.setattr(h11.Connection, "next_event", counted)
    monkeypatch.setattr(H11Protocol, "handle_events", portioned)
    lifecycle = Lifecycle("under-test")

    async def length_of_body(_scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d bytes" % size})

    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = b"1\r\nx\r\n" * 100_000 + b"ffff\r\n" + b"y" * 65_535 + b"\r\n" + b"1\r\nz\r\n" * 1_000
    async with (
        serve_health(lifecycle, RuntimeSettings()) as port,
        lifecycle.serving(length_of_body),
        connected(port) as (reader, writer),
    ):
        writer.write(
            head + pieces + b"0\r\n\r\n" + head + b"0\r\n\r\n" + WHOLE[:-2] + b"Connection: close\r\n\r\n"
        )
        answers = await rest(reader)
    await lifecycle.cancel_all()
    assert answers.count(b"HTTP/1.1 ") == 3  # nothing is lost between the portions
    assert path == b"/livez" or (b"166535 bytes" in answers and b"0 bytes" in answers)
    assert sum(portions) > 101_000
    assert max(portions) <= 64


async def test_an_answer_that_is_not_read_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.2)
    lifecycle = Lifecycle("under-test")

    async def endless(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        watching = asyncio.create_task(endless(scope, receive, send))
        while (await receive())["type"] != "http.disconnect":
            pass
        watching.cancel()
        ended.set()

    async with (
        serve_health(lifecycle, RuntimeSettings()) as port,
        lifecycle.serving(app),
        connected(port) as (_reader, writer),
    ):
        writer.write(WHOLE.replace(b"livez", b"endless"))
        await asyncio.wait_for(ended.wait(), BOUND)
    await lifecycle.cancel_all()


async def test_one_address_has_a_limit() -> None:
    async with serving(http_max_connections_per_address=2) as port, contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(connected(port))
        async with connected(port):
            async with connected(port) as (reader, _):
                assert (await rest(reader)).startswith(b"HTTP/1.1 429")
            async with connected(port, "127.0.0.2") as (reader, writer):
                writer.write(WHOLE)
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")

        async def free_again() -> bool:
            async with connected(port) as (reader, writer):
                writer.write(WHOLE)
                return (await reader.readline()).startswith(b"HTTP/1.1 200")

        await eventually(free_again)


async def test_all_addresses_together_have_a_limit_and_a_proxy_only_that() -> None:
    bounds = {"http_max_connections": 3, "http_max_connections_per_address": 1}
    async with (
        serving(**bounds, http_trusted_proxies="127.0.0.0/24") as port,
        connected(port),
        connected(port),
        connected(port) as (reader, writer),
    ):
        writer.write(WHOLE)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        async with connected(port) as (refused, _):
            assert (await rest(refused)).startswith(b"HTTP/1.1 503")


async def test_what_is_not_http_is_a_problem() -> None:
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(b"\x16\x03\x01\r\n\r\n")
        assert b"application/problem+json" in await rest(reader)


async def test_a_request_with_two_lengths_is_refused_and_the_connection_closed() -> None:
    """RFC 9112, 6.1: a proxy that believes the other length would take the rest for another request."""
    head = b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
    async with serving() as port, connected(port) as (reader, writer):
        writer.write(head + b"0\r\n\r\n" + WHOLE)
        answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"\r\n\r\n") == 1


async def asked(port: int, line: bytes) -> tuple[int, bytes, bytes]:
    """Status, media type and body of the answer to a request with this first line."""
    async with connected(port) as (reader, writer):
        writer.write(line + b" HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n")
        head, _, body = (await rest(reader)).partition(b"\r\n\r\n")
    kind = re.search(rb"(?i)content-type: ([^;\r]*)", head)
    assert kind is not None
    return int(head.split()[1]), kind[1], body


@pytest.mark.parametrize("host", [b"http://host", b"https://other:8443", b"HTTP://[::1]:1"])
async def test_a_whole_address_asks_for_its_path(host: bytes) -> None:
    """Fault 18: it was not found, though RFC 9112 (3.2.2) has every server accept it."""
    async with serving() as port:
        assert await asked(port, b"GET " + host + b"/livez?x=http://y/z") == (200, b"text/plain", b"ok\n")


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://host/nothing",
        b"GET http://host",
        b"GET http:///livez/",
        b"GET ftp://host/livez",
        b"OPTIONS *",
        b"CONNECT example.com:443",
        b"GET nothing",
        b"GET //livez",
        b"TRACE /",
        b"NONSENSE /",
    ],
)
async def test_every_form_of_address_is_answered_with_a_problem(line: bytes) -> None:
    """Fault 18: some were answered with text/plain."""
    async with serving() as port:
        status, kind, body = await asked(port, line)
    assert (status, kind) in [(404, b"application/problem+json"), (503, b"application/problem+json")]
    assert json.loads(body)["status"] == status
