"""Requests to the provider: each limited in time and size, none of them redirected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.answers import NoAnswer
from orchestrator_shared.http_transport.gzipped import UnusableBody
from orchestrator_shared.http_transport.transport import Limits, Request, Transport
from orchestrator_shared.http_transport.urls import InvalidUrl, read_address

CONNECT_SECONDS = 5.0
SECONDS = 10.0
MOST_BYTES = 1024 * 1024
FORM = "application/x-www-form-urlencoded"


class ProviderUnavailable(Exception):
    """The provider does not answer, or not as a provider does; the text says why, without secrets."""


class _AllHosts(InternalHosts):
    """The operator names the provider, so it may be inside."""

    def allows(self, host: str, port: int) -> bool:
        return True


def _transport() -> Transport:
    return Transport(internal=_AllHosts(), limits=Limits(MOST_BYTES, connect_seconds=CONNECT_SECONDS))


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object that came with it."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Asks the provider."""

    transport: Transport = field(default_factory=_transport)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A JSON object; raises ProviderUnavailable for any other answer."""
        answer = await self._send("GET", url, headers or {}, None)
        if answer.status != 200:
            raise ProviderUnavailable(f"{_shown(url)} answered {answer.status}")
        return answer.body

    async def post(self, url: str, headers: Mapping[str, str], form: str) -> Answer:
        """Send a form; the answer may be a refusal."""
        answer = await self._send("POST", url, {**headers, "Content-Type": FORM}, form.encode())
        if answer.status >= 500:
            raise ProviderUnavailable(f"{_shown(url)} answered {answer.status}")
        return answer

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            sent = (("Accept", "application/json"), *headers.items())
            request = Request(method, read_address(url), sent, body)
            async with self.transport.exchange(request, seconds=SECONDS) as response:
                return Answer(response.status, _object(await response.read(), response.status))
        except NoAnswer as error:
            raise ProviderUnavailable(f"{_shown(url)}: {error.reason}") from error
        except (UnusableBody, InvalidUrl, ValueError) as error:
            raise ProviderUnavailable(f"{_shown(url)}: the answer cannot be used: {error}") from error


def _object(body: bytes, status: int) -> dict[str, Any]:
    """Raises ValueError if a good answer is not a JSON object; nobody reads the body of a bad one."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict):
        return said
    if status == 200:
        raise ValueError("it is not a JSON object")
    return {}


def _shown(url: str) -> str:
    try:
        return str(read_address(url))
    except InvalidUrl:
        return "an address that cannot be read"
