"""Downloading a URL to a file: limited in time and size, and never from forbidden internal addresses."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from orchestrator_components.contract import UserError
from orchestrator_shared.domain.addresses import is_public
from orchestrator_shared.domain.internal_hosts import INTERNAL_HOSTS, InternalHosts
from orchestrator_shared.domain.urls import PERCENT_ENCODE, without_password

MOST_BYTES = 5 * 1024**3
MOST_SECONDS = 3600.0
MOST_REDIRECTS = 5
SILENCE_SECONDS = 60.0
MOST_ADDRESSES = 8


async def fetch(
    url: str, target: Path, *, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS
) -> None:
    timeout = httpx.Timeout(SILENCE_SECONDS, connect=15)
    try:
        async with (
            asyncio.timeout(most_seconds),
            httpx.AsyncClient(timeout=timeout, trust_env=False) as client,
        ):
            await _fetch_following(client, url, target, most_bytes)
    except TimeoutError:
        raise UserError(
            f"source: downloading {shown(url)} took longer than {most_seconds:g} seconds"
        ) from None
    except httpx.InvalidURL:
        # The text of the error quotes the supposed host or port, which may be part of a password.
        raise UserError(f"source: the URL cannot be parsed: {PERCENT_ENCODE}") from None
    except httpx.HTTPError as error:
        reason = without_password(str(error), url) or type(error).__name__
        raise UserError(f"source: cannot read {shown(url)}: {reason}") from None


def shown(url: str) -> str:
    """The URL without user, password and query, which may be secrets."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "the URL"
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii', 'replace').rpartition('@')[2]}{parsed.path}"


async def _fetch_following(client: httpx.AsyncClient, url: str, target: Path, most_bytes: int) -> None:
    for _ in range(MOST_REDIRECTS + 1):
        parsed = httpx.URL(url)
        async with _answer(client, parsed, await _permitted_addresses(parsed)) as response:
            if not response.has_redirect_location:
                _check_status(response, url)
                await _save(response, target, most_bytes, url)
                return
            url = str(parsed.join(response.headers["Location"]))
    raise UserError(f"source: more than {MOST_REDIRECTS} redirects; the last was to {shown(url)}")


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _permitted_addresses(url: httpx.URL) -> list[str]:
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(f"source: {shown(str(url))} is not an http or https URL")
    host, port = _host(url), url.port or (443 if url.scheme == "https" else 80)
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"source: cannot find the host {host}: {reason}") from None
    if not _named().allows(host, port) and not all(map(is_public, addresses)):
        raise UserError(
            f"source: {host} is an internal address; an administrator can allow it in {INTERNAL_HOSTS}"
        )
    return addresses


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")  # the ASCII form that is looked up, also for names in other alphabets


def _named() -> InternalHosts:
    try:
        return InternalHosts.parse(os.environ.get(INTERNAL_HOSTS, ""))
    except ValueError as error:
        raise UserError(f"{INTERNAL_HOSTS}: {error}") from None


@asynccontextmanager
async def _answer(
    client: httpx.AsyncClient, url: httpx.URL, addresses: Sequence[str]
) -> AsyncIterator[httpx.Response]:
    """Connect to the addresses resolved before: a second lookup could return different ones."""
    fault: httpx.HTTPError = httpx.ConnectError("it has no address")
    for address in addresses[:MOST_ADDRESSES]:
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": _host(url)},
        )
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            fault = error
            continue
        try:
            yield response
        finally:
            await response.aclose()
        return
    raise fault


def _check_status(response: httpx.Response, url: str) -> None:
    if response.status_code != httpx.codes.OK:
        raise UserError(f"source: {shown(url)} answered {response.status_code} {response.reason_phrase}")


async def _save(response: httpx.Response, target: Path, most_bytes: int, url: str) -> None:
    started = time.monotonic()
    written = 0
    with target.open("wb") as file:
        async for chunk in response.aiter_bytes(1024 * 1024):
            written += len(chunk)
            if written > most_bytes:
                raise UserError(f"source: {shown(url)} is larger than {most_bytes:,} bytes")
            file.write(chunk)
    print(f"fetched {written:,} bytes from {shown(url)} in {time.monotonic() - started:.1f} s")
