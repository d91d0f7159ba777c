"""Where the http executor may connect to, whatever names and services answer."""

import asyncio
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpcore
import pytest
from tests.support.certificates import self_signed
from tests.support.http_service import HttpService, Reply, http_service

from orchestrator_runner.executors.http.answer import Answer, Unanswered
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.template import Prepared, parse_address
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.guard import ForbiddenHost, Resolve

PUBLIC = "93.184.216.34"
NOBODY = InternalHosts()


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


def get(url: str, timeout: float = 5) -> Prepared:
    return Prepared("GET", parse_address(url, field="url"), (), None, timeout)


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
async def test_internal_addresses_are_refused_however_they_are_written(url: str) -> None:
    async with http_service(lambda _: Reply()) as service:
        with pytest.raises(ForbiddenHost, match="ORCHESTRATOR_INTERNAL_HOSTS"):
            await HttpClient(internal=NOBODY).send(get(url.format(port=service.port)))
        assert service.received == []


async def test_one_internal_address_among_public_ones_is_enough_to_refuse() -> None:
    client = HttpClient(internal=NOBODY, resolve=answering([PUBLIC, "10.0.0.1"]))
    with pytest.raises(ForbiddenHost):
        await client.send(get("http://rebind.test/"))


async def test_a_name_is_asked_for_once_and_that_address_is_connected_to() -> None:
    async with http_service(lambda _: Reply(200, {"a": 1})) as service:
        detour = Detour(service.port)
        resolve = answering([PUBLIC], ["127.0.0.1"])
        client = HttpClient(internal=NOBODY, resolve=resolve, network=detour)
        reply = await client.send(get("http://rebind.test/x?y=1"))
        assert isinstance(reply, Answer)
        assert (reply.status, reply.data) == (200, {"a": 1})
        assert detour.meant == [(PUBLIC, 80)]
        assert service.received[0].headers["host"] == "rebind.test"
        with pytest.raises(ForbiddenHost):
            await client.send(get("http://rebind.test/x"))
        assert len(service.received) == 1


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "/elsewhere", "http://127.0.0.1/"])
async def test_redirects_are_not_followed(location: str) -> None:
    async with http_service(lambda _: Reply(302, {}, {"Location": location})) as service:
        detour = Detour(service.port)
        client = HttpClient(internal=NOBODY, resolve=answering([PUBLIC]), network=detour)
        reply = await client.send(get("http://moved.test/"))
        assert "redirects are not followed" in str(reply)
        assert detour.meant == [(PUBLIC, 80)]
        assert len(service.received) == 1


async def test_a_named_host_may_be_internal_at_its_port_only() -> None:
    async with http_service(lambda _: Reply(200, {})) as service, http_service(lambda _: Reply()) as other:
        client = HttpClient(internal=InternalHosts.parse(f"localhost:{service.port}"))
        reply = await client.send(get(f"http://LOCALHOST:{service.port}/"))
        assert isinstance(reply, Answer)
        with pytest.raises(ForbiddenHost):
            await client.send(get(f"http://localhost:{other.port}/"))
        with pytest.raises(ForbiddenHost):
            await client.send(get(f"http://127.0.0.1:{service.port}/"))


async def test_the_next_address_is_tried_and_a_dead_one_is_told() -> None:
    async with http_service(lambda _: Reply(200, {})) as service:
        internal = InternalHosts.parse("two.test")
        client = HttpClient(internal=internal, resolve=answering(["::1", "127.0.0.1"], []))
        assert isinstance(await client.send(get(f"http://two.test:{service.port}/")), Answer)
        reply = await client.send(get("http://two.test/"))
        assert reply == Unanswered("cannot find the host two.test", was_sent=False)


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", None)])
async def test_what_could_have_a_body_says_that_it_has_none(method: str, length: str | None) -> None:
    async with http_service(lambda _: Reply(200, {})) as service:
        client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
        address = parse_address(service.url, field="url")
        await client.send(Prepared(method, address, (), None, 5))
        assert service.received[0].headers.get("content-length") == length
        assert "transfer-encoding" not in service.received[0].headers


async def test_a_name_service_that_hangs_is_bounded() -> None:
    async def hang(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(600)
        return []

    reply = await HttpClient(internal=NOBODY, resolve=hang).send(get("http://slow.test/", timeout=0.2))
    assert reply == Unanswered("no answer within 0.2 s", was_sent=False)


async def test_a_name_that_does_not_exist_was_not_sent_to() -> None:
    reply = await HttpClient(internal=NOBODY).send(get("http://no-such-host.invalid/"))
    assert isinstance(reply, Unanswered)
    assert not reply.was_sent
    assert "cannot find the host no-such-host.invalid" in reply.reason


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path, "service.test")


async def test_tls_is_checked_against_the_name_not_the_address(certificate: Path) -> None:
    names: list[str] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    service = HttpService(lambda _: Reply(200, {}))
    await service.start(server)
    try:
        internal = InternalHosts.parse("service.test, other.test")
        trusting = ssl.create_default_context(cafile=str(certificate))
        client = HttpClient(
            internal=internal,
            resolve=answering(["127.0.0.1"], ["127.0.0.1"]),
            ssl_context=trusting,
        )
        good = await client.send(get(f"https://service.test:{service.port}/"))
        assert isinstance(good, Answer)
        assert names == ["service.test"]
        assert service.received[0].headers["host"] == f"service.test:{service.port}"
        wrong = await client.send(get(f"https://other.test:{service.port}/"))
        assert isinstance(wrong, Unanswered)
        assert not wrong.was_sent
        assert "Hostname mismatch" in wrong.reason
        stranger = HttpClient(internal=internal, resolve=answering(["127.0.0.1"]))
        unknown = await stranger.send(get(f"https://service.test:{service.port}/"))
        assert "self-signed certificate" in str(unknown) or "self signed" in str(unknown)
        assert len(service.received) == 1
    finally:
        await service.stop()
