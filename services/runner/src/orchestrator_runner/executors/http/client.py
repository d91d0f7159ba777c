"""Requests to a component's service: the policy of the http executor on the shared transport."""

import ssl
from datetime import UTC, datetime

import httpcore

from orchestrator_runner.executors.http.answer import Answer, Reply, Unanswered
from orchestrator_runner.executors.http.backoff import parse_retry_after
from orchestrator_runner.executors.http.template import Prepared
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.http_transport.answers import NoAnswer, Response
from orchestrator_shared.http_transport.guard import Resolve, resolve
from orchestrator_shared.http_transport.gzipped import UnusableBody
from orchestrator_shared.http_transport.transport import Limits, Request, Transport

MOST_BYTES = 1024 * 1024


class HttpClient:
    """Sends requests; redirects are not followed, compressed answers are refused."""

    def __init__(
        self,
        *,
        internal: InternalHosts,
        resolve: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._transport = Transport(
            internal=internal,
            limits=Limits(most_bytes),
            resolve=resolve,
            network=network,
            ssl_context=ssl_context or ssl.create_default_context(),
        )

    async def send(self, prepared: Prepared) -> Reply:
        """Send once; raises ForbiddenHost, and nothing else that the other side could cause."""
        try:
            async with self._transport.exchange(
                _request(prepared), seconds=prepared.timeout_seconds
            ) as response:
                return await _answer(response)
        except NoAnswer as error:
            return Unanswered(error.reason, error.was_sent)


def _request(prepared: Prepared) -> Request:
    headers = prepared.headers
    if not any(name.lower() == "accept" for name, _ in headers):
        headers = (("Accept", "application/json"), *headers)
    return Request(prepared.method, prepared.address, headers, prepared.body)


async def _answer(response: Response) -> Answer:
    body, fault = b"", None
    try:
        body = await response.read()
    except UnusableBody as error:
        fault = str(error)
    wanted = response.values("Retry-After")
    return Answer(
        status=response.status,
        reason=response.reason,
        body=body,
        retry_after=parse_retry_after(wanted[-1] if wanted else "", datetime.now(UTC)),
        fault=fault,
    )
