"""Downloading a URL to a file: the policy of components on the shared transport."""

import os
import ssl
import time
from pathlib import Path

import httpcore

from orchestrator_components.contract import UserError
from orchestrator_shared.domain.internal_hosts import INTERNAL_HOSTS, InternalHosts
from orchestrator_shared.domain.urls import without_password
from orchestrator_shared.http_transport.answers import NoAnswer, Response
from orchestrator_shared.http_transport.following import TooManyRedirects, get
from orchestrator_shared.http_transport.guard import ForbiddenHost, Resolve, resolve
from orchestrator_shared.http_transport.gzipped import UnusableBody
from orchestrator_shared.http_transport.transport import Limits, Transport
from orchestrator_shared.http_transport.urls import InvalidUrl, shown

LIMITS = Limits(most_bytes=5 * 1024**3, connect_seconds=15.0, silence_seconds=60.0)
MOST_SECONDS = 3600.0
MOST_REDIRECTS = 5
OK = 200


def open_transport(
    *,
    limits: Limits = LIMITS,
    resolve: Resolve = resolve,
    network: httpcore.AsyncNetworkBackend | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Transport:
    """The way to servers; raises UserError if the setting of internal hosts cannot be read."""
    try:
        internal = InternalHosts.parse(os.environ.get(INTERNAL_HOSTS, ""))
    except ValueError as error:
        raise UserError(f"{INTERNAL_HOSTS}: {error}") from None
    return Transport(
        internal=internal,
        limits=limits,
        undoes_gzip=True,
        resolve=resolve,
        network=network,
        ssl_context=ssl_context,
    )


async def fetch(
    url: str, target: Path, *, transport: Transport | None = None, most_seconds: float = MOST_SECONDS
) -> None:
    """Follows redirects and undoes compression; raises UserError."""
    transport = transport or open_transport()
    try:
        async with get(transport, url, most_redirects=MOST_REDIRECTS, seconds=most_seconds) as found:
            await _save(found.response, target, shown(found.url))
    except (ForbiddenHost, InvalidUrl, TooManyRedirects) as error:
        raise UserError(f"source: {error}") from None
    except NoAnswer as error:
        reason = without_password(error.reason, url)
        raise UserError(f"source: cannot read {shown(url)}: {reason}") from None


async def _save(response: Response, target: Path, source: str) -> None:
    if response.status != OK:
        raise UserError(f"source: {source} answered {response.status} {response.reason}")
    started = time.monotonic()
    written = 0
    with target.open("wb") as file:
        try:
            async for part in response.parts():
                written += len(part)
                file.write(part)
        except UnusableBody as error:
            raise UserError(f"source: {source} {error}") from None
    print(f"fetched {written:,} bytes from {source} in {time.monotonic() - started:.1f} s")
