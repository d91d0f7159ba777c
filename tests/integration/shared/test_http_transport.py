"""The transport by itself, and the ways to follow redirects with it."""

import tracemalloc
import zlib
from urllib.parse import urlsplit

import pytest
from tests.support.http_service import Received, Reply, http_service
from tests.support.transport_conformance import Given, Seen, TransportConformance, Way

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.answers import NoAnswer
from orchestrator_shared.http_transport.following import TooManyRedirects, get
from orchestrator_shared.http_transport.guard import ForbiddenHost
from orchestrator_shared.http_transport.gzipped import PIECE, Gunzip, UnusableBody
from orchestrator_shared.http_transport.transport import Limits, Request, Transport
from orchestrator_shared.http_transport.urls import InvalidUrl, read_address

LOCAL = InternalHosts.parse("127.0.0.1, localhost")


def opened(given: Given, *, undoes_gzip: bool = True) -> Transport:
    return Transport(
        internal=InternalHosts.parse(given.internal),
        limits=Limits(given.most_bytes),
        undoes_gzip=undoes_gzip,
        resolve=given.resolve,
        network=given.network,
        ssl_context=given.ssl_context,
    )


class TestTransport(TransportConformance):
    undoes_gzip = True

    @pytest.fixture
    def way(self) -> Way:
        async def once(url: str, given: Given) -> Seen:
            request = Request("GET", read_address(url))
            try:
                async with opened(given).exchange(request, seconds=given.seconds) as response:
                    return Seen(response.status, await response.read())
            except (NoAnswer, UnusableBody, UserError) as error:
                return Seen(trouble=str(error))

        return once


@pytest.fixture
def transport() -> Transport:
    return Transport(internal=LOCAL, limits=Limits(1000))


async def landed(transport: Transport, url: str, *, most_redirects: int = 5) -> Seen:
    async with get(transport, url, most_redirects=most_redirects, seconds=20) as found:
        return Seen(found.response.status, await found.response.read(), urlsplit(found.url).path)


async def test_user_and_password_reach_their_own_server_only(transport: Transport) -> None:
    async with http_service(lambda _: Reply(200, b"x")) as other:
        to = {"/a": "/b", "/b": f"{other.url}/c"}
        async with http_service(lambda one: Reply(302, b"", {"Location": to[one.target]})) as service:
            url = service.url.replace("//", "//us%20er:p%40ss@")
            assert await landed(transport, f"{url}/a") == Seen(200, b"x", "/c")
        sent = [one.headers.get("authorization") for one in (*service.received, *other.received)]
        assert sent == ["Basic dXMgZXI6cEBzcw==", "Basic dXMgZXI6cEBzcw==", None]


async def test_cookies_go_back_where_they_came_from(transport: Transport) -> None:
    """Links to shared files set one and redirect; without it they redirect for ever."""

    def handle(one: Received) -> Reply:
        if "cookie" in one.headers:
            return Reply(302, b"", {"Location": f"{other.url}/end".replace("127.0.0.1", "localhost")})
        return Reply(302, b"", {"Location": "/", "Set-Cookie": "key=1; Path=/; HttpOnly"})

    async with http_service(lambda _: Reply(200, b"x")) as other, http_service(handle) as service:
        assert await landed(transport, service.url) == Seen(200, b"x", "/end")
        sent = [one.headers.get("cookie") for one in (*service.received, *other.received)]
        assert sent == [None, "key=1", None]


async def test_redirects_end(transport: Transport) -> None:
    async with http_service(lambda _: Reply(302, b"", {"Location": "/again?k=1"})) as service:
        with pytest.raises(TooManyRedirects, match=r"more than 3 redirects; the last was to \S+/again$"):
            await landed(transport, service.url, most_redirects=3)
        assert len(service.received) == 4


@pytest.mark.parametrize(
    ("location", "refusal"),
    [
        ("http://169.254.169.254/latest/", ForbiddenHost),
        ("http://[::ffff:10.0.0.1]/", ForbiddenHost),
        ("file:///etc/passwd", InvalidUrl),
        ("ftp://127.0.0.1/x", InvalidUrl),
        ("http://u:p@ss@127.0.0.1/", InvalidUrl),
        ("http://a b/", InvalidUrl),
    ],
)
async def test_redirects_lead_to_allowed_places_only(
    transport: Transport, location: str, refusal: type[Exception]
) -> None:
    async with http_service(lambda _: Reply(302, b"", {"Location": location})) as service:
        with pytest.raises(refusal):
            await landed(transport, service.url)
        assert len(service.received) == 1


async def test_an_exchange_does_not_follow(transport: Transport) -> None:
    async with http_service(lambda _: Reply(302, b"", {"Location": "/b"})) as service:
        async with transport.exchange(Request("GET", read_address(service.url))) as response:
            assert (response.status, response.redirect) == (302, "/b")
        assert len(service.received) == 1


async def test_silence_is_limited() -> None:
    transport = Transport(internal=LOCAL, limits=Limits(1000, silence_seconds=0.2))
    async with http_service(lambda _: Reply(hang=True)) as service:
        with pytest.raises(NoAnswer, match=r"nothing was received for 0\.2 s"):
            await landed(transport, service.url)


async def test_errors_of_the_reader_stay_its_own(transport: Transport) -> None:
    """A full disk is not the server's fault, nor a time-out of the reader that of the response."""
    async with http_service(lambda _: Reply(200, b"x")) as service:
        for error in (OSError("no space left"), TimeoutError("of the reader")):
            with pytest.raises(type(error), match=str(error)):
                async with get(transport, service.url, most_redirects=0, seconds=20):
                    raise error


def test_a_bomb_unfolds_piece_by_piece() -> None:
    packed = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packed.compress(bytes(1024 * 1024)) for _ in range(256)) + packed.flush()
    gunzip = Gunzip(most_bytes=1024**3)
    tracemalloc.start()
    sizes = [len(piece) for piece in gunzip.feed(bomb)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gunzip.finish()
    assert (sum(sizes), max(sizes)) == (256 * 1024**2, PIECE)
    assert peak < 16 * PIECE


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1])
def test_gzip_is_undone_byte_by_byte(size: int) -> None:
    packed = zlib.compressobj(9, wbits=31)
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    gunzip = Gunzip(most_bytes=1024**2)
    whole = packed.compress(content) + packed.flush()
    pieces = [piece for number in range(len(whole)) for piece in gunzip.feed(whole[number : number + 1])]
    gunzip.finish()
    assert b"".join(pieces) == content
