"""Where the http executor may connect to, whatever names and services answer."""

import ssl
from pathlib import Path

import pytest
from tests.support.certificates import self_signed
from tests.support.http_service import HttpService, Reply, http_service
from tests.support.transport_conformance import (
    PUBLIC,
    Detour,
    Given,
    Seen,
    TransportConformance,
    Way,
    answering,
    hang,
)

from orchestrator_runner.executors.http.answer import Answer, Unanswered
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.template import Prepared, parse_address
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.guard import ForbiddenHost

NOBODY = InternalHosts()


def get(url: str, timeout: float = 5) -> Prepared:
    return Prepared("GET", parse_address(url, field="url"), (), None, timeout)


class TestHttpClient(TransportConformance):
    @pytest.fixture
    def way(self) -> Way:
        async def send(url: str, given: Given) -> Seen:
            client = HttpClient(
                internal=InternalHosts.parse(given.internal),
                resolve=given.resolve,
                network=given.network,
                ssl_context=given.ssl_context,
                most_bytes=given.most_bytes,
            )
            try:
                reply = await client.send(get(url, given.seconds))
            except ForbiddenHost as error:
                return Seen(trouble=str(error))
            if isinstance(reply, Answer) and reply.fault is None:
                return Seen(reply.status, reply.body)
            return Seen(trouble=str(reply.fault if isinstance(reply, Answer) else reply))

        return send


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "/elsewhere", "http://127.0.0.1/"])
async def test_redirects_are_not_followed(location: str) -> None:
    async with http_service(lambda _: Reply(302, {}, {"Location": location})) as service:
        detour = Detour(service.port)
        client = HttpClient(internal=NOBODY, resolve=answering([PUBLIC]), network=detour)
        reply = await client.send(get("http://moved.test/"))
        assert "redirects are not followed" in str(reply)
        assert detour.meant == [(PUBLIC, 80)]
        assert len(service.received) == 1


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", None)])
async def test_what_could_have_a_body_says_that_it_has_none(method: str, length: str | None) -> None:
    async with http_service(lambda _: Reply(200, {})) as service:
        client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
        address = parse_address(service.url, field="url")
        await client.send(Prepared(method, address, (), None, 5))
        assert service.received[0].headers.get("content-length") == length
        assert "transfer-encoding" not in service.received[0].headers


async def test_what_never_left_was_not_sent(tmp_path: Path) -> None:
    slow = await HttpClient(internal=NOBODY, resolve=hang).send(get("http://slow.test/", timeout=0.2))
    assert slow == Unanswered("no answer within 0.2 s", was_sent=False)
    nowhere = HttpClient(internal=InternalHosts.parse("two.test"), resolve=answering([]))
    reply = await nowhere.send(get("http://two.test/"))
    assert reply == Unanswered("cannot find the host two.test", was_sent=False)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(self_signed(tmp_path, "service.test"))
    service = HttpService(lambda _: Reply(200, {}))
    await service.start(server)
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    try:
        untrusted = await client.send(get(f"https://127.0.0.1:{service.port}/"))
    finally:
        await service.stop()
    assert isinstance(untrusted, Unanswered)
    assert not untrusted.was_sent


async def test_a_name_that_does_not_exist_was_not_sent_to() -> None:
    reply = await HttpClient(internal=NOBODY).send(get("http://no-such-host.invalid/"))
    assert isinstance(reply, Unanswered)
    assert not reply.was_sent
    assert "cannot find the host no-such-host.invalid" in reply.reason
