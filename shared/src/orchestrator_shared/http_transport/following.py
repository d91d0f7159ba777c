"""GET requests that follow redirects; each address on the way is checked like the first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

from orchestrator_shared.http_transport.answers import NoAnswer, Response
from orchestrator_shared.http_transport.cookies import Cookies
from orchestrator_shared.http_transport.transport import Request, Transport
from orchestrator_shared.http_transport.urls import authorization_of, read_address, shown


@dataclass(frozen=True, slots=True)
class Found:
    """Where the redirects ended."""

    url: str
    response: Response


class TooManyRedirects(Exception):
    """The server, or several, send the client from place to place."""


@asynccontextmanager
async def get(
    transport: Transport, url: str, *, most_redirects: int, seconds: float | None = None
) -> AsyncIterator[Found]:
    """The first response that is not a redirect; `seconds` is the time for all of it.

    User and password of the URL are sent to its own server only. Raises InvalidUrl, ForbiddenHost, NoAnswer,
    TooManyRedirects.
    """
    try:
        async with asyncio.timeout(seconds) as limit, _last(transport, url, most_redirects) as found:
            yield found
    except TimeoutError:
        if not limit.expired():
            raise
        raise NoAnswer(f"no complete answer within {seconds:g} s", was_sent=True) from None


@asynccontextmanager
async def _last(transport: Transport, url: str, most_redirects: int) -> AsyncIterator[Found]:
    cookies = Cookies()
    for _ in range(most_redirects + 1):
        address = read_address(url)
        headers = {"Authorization": authorization_of(url), "Cookie": cookies.header(address)}
        given = tuple((name, value) for name, value in headers.items() if value is not None)
        async with transport.exchange(Request("GET", address, given)) as response:
            if response.redirect is None:
                yield Found(url, response)
                return
            cookies.keep(address, response.values("Set-Cookie"))
            url = urljoin(url, response.redirect)
    raise TooManyRedirects(f"more than {most_redirects} redirects; the last was to {shown(url)}")
