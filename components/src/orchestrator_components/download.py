"""Fetching a URL into a file: bounded in time and size, and not into places a stranger must not reach."""

import asyncio
import os
import socket
import time
from pathlib import Path
from typing import Any

import httpx

from orchestrator_components.contract import UserError
from orchestrator_shared.domain.addresses import is_public

MOST_BYTES = 5 * 1024**3
MOST_SECONDS = 3600.0
MOST_REDIRECTS = 5
SILENCE_SECONDS = 60.0
INTERNAL_HOSTS = "ORCHESTRATOR_INTERNAL_HOSTS"


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
        raise UserError(f"source: {shown(url)} was not read within {most_seconds:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UserError(f"source: cannot read {shown(url)}: {str(error) or type(error).__name__}") from None


def shown(url: str) -> str:
    """The URL without user, password and query: any of them may be a secret."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "the URL"
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii', 'replace').rpartition('@')[2]}{parsed.path}"


async def _fetch_following(client: httpx.AsyncClient, url: str, target: Path, most_bytes: int) -> None:
    for _ in range(MOST_REDIRECTS + 1):
        host = await _permitted_host(url)
        async with client.stream("GET", url) as response:
            _check_peer(response.extensions.get("network_stream"), host)
            if response.next_request is None:
                _check_status(response, url)
                await _save(response, target, most_bytes, url)
                return
            url = str(response.next_request.url)
    raise UserError(f"source: more than {MOST_REDIRECTS} redirects, the last to {shown(url)}")


async def _permitted_host(url: str) -> str:
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UserError(f"source: {shown(url)} is not an http or https URL")
    if parsed.host in internal_hosts():
        return parsed.host
    try:
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(parsed.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(f"source: cannot find the host {parsed.host}: {error.strerror or error}") from None
    for entry in found:
        _require_global(str(entry[4][0]), parsed.host)
    return parsed.host


def internal_hosts() -> frozenset[str]:
    names = os.environ.get(INTERNAL_HOSTS, "")
    return frozenset(name.strip() for name in names.split(",") if name.strip())


def _check_peer(stream: Any, host: str) -> None:
    # The name may have been answered differently the second time (DNS rebinding); the body is not read yet.
    if stream is None or host in internal_hosts():
        return
    peer = stream.get_extra_info("server_addr")
    if peer:
        _require_global(str(peer[0]), host)


def _require_global(address: str, host: str) -> None:
    if not is_public(address):
        raise UserError(
            f"source: {host} is an internal address; an administrator can allow it in {INTERNAL_HOSTS}"
        )


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
