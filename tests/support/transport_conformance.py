"""What everything that requests URLs named by users has to guarantee; real sockets at the other end."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpcore
import pytest
from tests.support.certificates import self_signed
from tests.support.http_service import HttpService, Reply, http_service

from orchestrator_shared.http_transport.guard import Resolve, resolve
from orchestrator_shared.http_transport.transport import MOST_HEAD_BYTES

PUBLIC = "93.184.216.34"
BOUND = 30.0
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a request: a status and a body, or why there is none."""

    status: int | None = None
    body: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a test decides about a request."""

    internal: str = "127.0.0.1"
    resolve: Resolve = resolve
    network: httpcore.AsyncNetworkBackend | None = None
    ssl_context: ssl.SSLContext | None = None
    most_bytes: int = 1000
    seconds: float = BOUND


class Way(Protocol):
    """How the code under test requests a URL."""

    async def __call__(self, url: str, given: Given) -> Seen: ...


class Detour(httpcore.AsyncNetworkBackend):
    """Leads every connection to one local port, and keeps where it was meant to go."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.meant: list[tuple[str, int]] = []
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.meant.append((host, port))
        return await self._network.connect_tcp("127.0.0.1", self.port, timeout=timeout)


def answering(*answers: list[str]) -> Resolve:
    """A name service that gives one answer after the other."""
    left = list(answers)

    async def resolve(_host: str, _port: int) -> list[str]:
        return left.pop(0)

    return resolve


async def hang(_host: str, _port: int) -> list[str]:
    """A name service that never answers."""
    await asyncio.sleep(600)
    return []


class TransportConformance:
    """Inherit as `class TestX(TransportConformance)` and define a fixture `way`."""

    undoes_gzip = False

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:{port}/",
            "http://localhost:{port}/",
            "http://2130706433:{port}/",
            "http://0x7f.1:{port}/",
            "http://0:{port}/",
            "http://[::ffff:127.0.0.1]:{port}/",
            "http://[::1]:{port}/",
            "http://169.254.169.254/latest/meta-data/",
        ],
    )
    async def test_internal_addresses_are_refused_however_they_are_written(self, way: Way, url: str) -> None:
        async with http_service(lambda _: Reply()) as service:
            seen = await way(url.format(port=service.port), Given(internal=""))
            assert "ORCHESTRATOR_INTERNAL_HOSTS" in seen.trouble
            assert service.received == []

    async def test_one_internal_address_among_public_ones_is_enough_to_refuse(self, way: Way) -> None:
        async with http_service(lambda _: Reply()) as service:
            given = Given(internal="", resolve=answering([PUBLIC, "10.0.0.1"]), network=Detour(service.port))
            seen = await way("http://rebind.test/", given)
            assert "rebind.test is an internal address" in seen.trouble
            assert service.received == []

    async def test_a_name_is_asked_for_once_and_that_address_is_connected_to(self, way: Way) -> None:
        async with http_service(lambda _: Reply(200, b"a,b")) as service:
            detour = Detour(service.port)
            given = Given("", resolve=answering([PUBLIC], ["127.0.0.1"]), network=detour)
            assert await way("http://rebind.test/x?y=1", given) == Seen(200, b"a,b")
            assert detour.meant == [(PUBLIC, 80)]
            assert service.received[0].headers["host"] == "rebind.test"
            assert service.received[0].target == "/x?y=1"
            assert service.received[0].headers["connection"] == "close"
            assert "is an internal address" in (await way("http://rebind.test/x", given)).trouble
            assert len(service.received) == 1

    async def test_a_named_host_may_be_internal_at_its_port_only(self, way: Way) -> None:
        async with (
            http_service(lambda _: Reply(200, b"x")) as service,
            http_service(lambda _: Reply()) as other,
        ):
            given = Given(f"localhost:{service.port}")
            assert (await way(f"http://LOCALHOST:{service.port}/", given)).status == 200
            for url in (f"http://localhost:{other.port}/", f"http://127.0.0.1:{service.port}/"):
                assert "is an internal address" in (await way(url, given)).trouble
            assert (await way(f"http://127.0.0.1:{other.port}/", Given("127.0.0.1"))).status == 200

    async def test_the_next_address_is_tried_and_a_dead_one_is_told(self, way: Way) -> None:
        async with http_service(lambda _: Reply(200, b"x")) as service:
            given = Given("two.test", resolve=answering(["::1", "127.0.0.1"], []))
            assert (await way(f"http://two.test:{service.port}/", given)).status == 200
            assert "cannot find the host two.test" in (await way("http://two.test/", given)).trouble

    async def test_tls_is_checked_against_the_name_not_the_address(self, way: Way, tmp_path: Path) -> None:
        certificate = self_signed(tmp_path, "service.test")
        names: list[str] = []
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate)
        server.sni_callback = lambda _socket, name, _context: names.append(name)
        service = HttpService(lambda _: Reply(200, b"x"))
        await service.start(server)
        trusting = ssl.create_default_context(cafile=str(certificate))
        resolve = answering(["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"])
        given = Given("service.test, other.test", resolve=resolve, ssl_context=trusting)
        try:
            assert (await way(f"https://service.test:{service.port}/", given)).status == 200
            assert names == ["service.test"]
            assert service.received[0].headers["host"] == f"service.test:{service.port}"
            assert "Hostname mismatch" in (await way(f"https://other.test:{service.port}/", given)).trouble
            stranger = Given("service.test", resolve=resolve)
            trouble = (await way(f"https://service.test:{service.port}/", stranger)).trouble
            assert "self-signed certificate" in trouble or "self signed" in trouble
            assert len(service.received) == 1
        finally:
            await service.stop()

    async def test_proxies_of_the_environment_are_ignored(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with (
            http_service(lambda _: Reply(200, b"x")) as service,
            http_service(lambda _: Reply(500)) as proxy,
        ):
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            assert (await way(service.url, Given())).status == 200
            assert proxy.received == []

    @pytest.mark.parametrize(
        "raw",
        [
            CHUNKED + b"3\r\na,b\r\n1;ext=1\r\n\n\r\n0\r\nTrailer: x\r\n\r\n",
            HEAD + b"Content-Length: 4\r\n\r\na,b\n",
            HEAD + b"\r\na,b\n",
            HEAD + b"Content-Encoding: identity\r\n\r\na,b\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"\r\na,b\n",
            b"HTTP/1.0 200 OK\r\n\r\na,b\n",
        ],
    )
    async def test_a_body_is_read_however_it_is_framed(self, way: Way, raw: bytes) -> None:
        async with http_service(lambda _: Reply(raw=raw)) as service:
            assert await way(service.url, Given()) == Seen(200, b"a,b\n")

    async def test_a_server_that_keeps_the_connection_is_not_waited_for(self, way: Way) -> None:
        """The response is complete by its length; the connection stays open and is not used again."""
        connections = 0
        gone = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(HEAD + b"Connection: keep-alive\r\nContent-Length: 1\r\n\r\nx")
                assert await reader.read() == b""
            gone.set()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, asyncio.timeout(BOUND):
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            assert await way(url, Given()) == Seen(200, b"x")
            await gone.wait()
            gone.clear()
            assert await way(url, Given()) == Seen(200, b"x")
            await gone.wait()
            assert connections == 2

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(200, b"x" * 1001),
            Reply(raw=CHUNKED, endless=b"100\r\n" + b"x" * 256 + b"\r\n"),
            Reply(raw=HEAD + b"\r\n", endless=b"x" * 65_536),
            Reply(raw=HEAD + b"Content-Length: 1000000000000\r\n\r\n", endless=b"x", pause=1),
        ],
    )
    async def test_a_body_over_the_limit_is_refused(self, way: Way, reply: Reply) -> None:
        async with http_service(lambda _: reply) as service:
            assert "is larger than 1000 bytes" in (await way(service.url, Given())).trouble

    async def test_a_body_of_just_the_limit_is_read(self, way: Way) -> None:
        async with http_service(lambda _: Reply(200, b"x" * 1000)) as service:
            assert await way(service.url, Given()) == Seen(200, b"x" * 1000)

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(raw=HEAD + b"X: ", endless=b"y" * 65_536),
            Reply(raw=HEAD, endless=b"X: y\r\n" * 1000),
            Reply(raw=b"y" * 300_000),
            Reply(raw=CHUNKED + b"1;", endless=b"y" * 65_536),
            Reply(raw=CHUNKED + b"0\r\n", endless=b"X: y\r\n" * 1000),
        ],
    )
    async def test_headers_chunk_sizes_and_trailers_are_limited(self, way: Way, reply: Reply) -> None:
        async with http_service(lambda _: reply) as service:
            seen = await way(service.url, Given())
            assert (seen.status, seen.body) == (None, b"")

    async def test_headers_below_the_limit_are_read(self, way: Way) -> None:
        head = HEAD + b"X: " + b"y" * (MOST_HEAD_BYTES - 1000) + b"\r\n\r\n"
        async with http_service(lambda _: Reply(raw=head + b"x")) as service:
            assert await way(service.url, Given()) == Seen(200, b"x")

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(cut=True),
            Reply(raw=b"\x00\x01 not http\r\n\r\n"),
            Reply(raw=HEAD + b"Content-Length: 50\r\n\r\nshort"),
            Reply(raw=HEAD + b"Content-Length: many\r\n\r\nshort"),
            Reply(raw=CHUNKED + b"zz\r\n"),
            Reply(raw=CHUNKED + b"5\r\nsh"),
            Reply(raw=CHUNKED + b"5\r\nshort\r\n"),
        ],
    )
    async def test_a_broken_answer_is_no_answer(self, way: Way, reply: Reply) -> None:
        async with http_service(lambda _: reply) as service:
            seen = await way(service.url, Given())
            assert (seen.status, seen.body) == (None, b"")
            assert seen.trouble

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(hang=True),
            Reply(raw=HEAD, endless=b"X: y\r\n", pause=0.05),
            Reply(raw=HEAD + b"Content-Length: 900\r\n\r\n", endless=b" ", pause=0.05),
            Reply(raw=CHUNKED, endless=b"1\r\n \r\n", pause=0.05),
            Reply(raw=b"", endless=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
        ],
    )
    async def test_a_slow_answer_ends_at_the_time_limit(self, way: Way, reply: Reply) -> None:
        """Each byte comes in time, and the whole never does."""
        async with http_service(lambda _: reply) as service, asyncio.timeout(BOUND):
            assert "within 0.3 s" in (await way(service.url, Given(seconds=0.3))).trouble

    async def test_a_name_service_that_hangs_is_bounded(self, way: Way) -> None:
        async with asyncio.timeout(BOUND):
            seen = await way("http://slow.test/", Given("", resolve=hang, seconds=0.2))
        assert "within 0.2 s" in seen.trouble

    async def test_gzip_is_undone_or_refused_and_never_passed_on(self, way: Way) -> None:
        bodies = {
            "gzip": gzip.compress(b"a,b\n"),
            "x-gzip, identity": gzip.compress(b"a,") + gzip.compress(b"b\n") + b"\0" * 8,
            "gzip, GZIP": gzip.compress(gzip.compress(b"a,b\n")),
        }
        for coding, body in bodies.items():
            async with http_service(
                lambda _, coding=coding, body=body: Reply(200, body, {"Content-Encoding": coding})  # type: ignore[misc]
            ) as service:
                seen = await way(service.url, Given())
                asked = service.received[0].headers["accept-encoding"]
                if self.undoes_gzip:
                    assert (asked, seen) == ("gzip", Seen(200, b"a,b\n"))
                else:
                    assert (asked, seen.status, seen.body) == ("identity", None, b"")
                    assert "is compressed, which was not asked for" in seen.trouble

    @pytest.mark.parametrize(
        ("coding", "body", "trouble"),
        [
            ("gzip", gzip.compress(b"x" * 1001, mtime=0), "is larger than 1000 bytes"),
            ("gzip", gzip.compress(b"x" * 10_000_000, mtime=0), "is larger than 1000 bytes"),
            (
                "gzip, gzip",
                gzip.compress(gzip.compress(b"x" * 10_000_000, mtime=0), mtime=0),
                "is larger than 1000 bytes",
            ),
            (
                "gzip, gzip",
                gzip.compress(gzip.compress(b"", mtime=0) * 20_000, mtime=0),
                "is larger than 1000 bytes",
            ),
            ("gzip", gzip.compress(b"a,b\n")[:-9], "is damaged"),
            ("gzip", gzip.compress(b"a,b\n") + b"c", "is damaged"),
            ("gzip", b"a,b\n", "is damaged"),
            ("br", b"\x0b\x02\x80a,b\n\x03", "is compressed"),
            ("deflate", zlib.compress(b"a,b\n"), "is compressed"),
        ],
        ids=lambda value: None if isinstance(value, str) else f"{len(value)} bytes",
    )
    async def test_a_bomb_or_a_damaged_body_is_refused(
        self, way: Way, coding: str, body: bytes, trouble: str
    ) -> None:
        reply = Reply(200, body, {"Content-Encoding": coding})
        async with http_service(lambda _: reply) as service:
            seen = await way(service.url, Given())
            assert (seen.status, seen.body) == (None, b"")
            assert (trouble if self.undoes_gzip else "is compressed") in seen.trouble
