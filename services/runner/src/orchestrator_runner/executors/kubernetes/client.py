"""Requests to the Kubernetes API: the few verbs that the executor needs."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from typing import Any
from urllib.parse import urlencode

from orchestrator_runner import metrics
from orchestrator_runner.executors.kubernetes.place import Place
from orchestrator_runner.executors.kubernetes.verbs import VERBS
from orchestrator_shared.http_transport.answers import NoAnswer, Response
from orchestrator_shared.http_transport.gzipped import UnusableBody
from orchestrator_shared.http_transport.transport import Limits, Request, Transport

JOBS, PODS, LOGS, SECRETS, EVENTS = (
    ("batch", "jobs"),
    ("", "pods"),
    ("", "pods/log"),
    ("", "secrets"),
    ("", "events"),
)
Resource = tuple[str, str]
Object = Mapping[str, Any]
REQUEST_SECONDS = 30.0
WATCH_SECONDS = 60
"""The server ends a watch after this time; the next one continues where it ended."""
WATCH_SILENCE_SECONDS = 75.0
LOG_SILENCE_SECONDS = 240.0
PAGE = 250
MOST_AT_ONCE = 16
"""Connections being opened, so that hundreds of Jobs that end together do not hold up the watches."""
_UNTURNED = frozenset({"list", "watch"})
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ERROR_BYTES = 64 * 1024
_ENDLESS = 2**62
_GONE = 410


class Refused(Exception):
    """The cluster answered with an error, in its own words."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message or reason or f"answered {status}")
        self.status = status
        self.reason = reason

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (401, 408, 429) or self.status >= 500

    @property
    def is_expired(self) -> bool:
        """Whether a watch cannot continue, because the changes since then are no longer kept."""
        return self.status == _GONE


class KubernetesClient:
    """One namespace of one cluster; raises Refused, and NoAnswer if nothing usable arrived."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        trusted, hosts = place.ssl_context(), place.internal_hosts()

        def transport(limits: Limits) -> Transport:
            return Transport(internal=hosts, limits=limits, ssl_context=trusted)

        self._plain = transport(Limits(_MOST_BYTES))
        self._watches = transport(Limits(_ENDLESS, silence_seconds=WATCH_SILENCE_SECONDS))
        self._logs = transport(Limits(_ENDLESS, silence_seconds=LOG_SILENCE_SECONDS))

    async def create(self, resource: Resource, body: Object) -> Object:
        """Create an object; Refused 409 if there is one of that name."""
        return await self._ask("create", "POST", resource, body=body)

    async def get(self, resource: Resource, name: str) -> Object:
        """One object; Refused 404."""
        return await self._ask("get", "GET", resource, name)

    async def delete(self, resource: Resource, name: str, options: Object) -> None:
        """Delete an object; Refused 404."""
        await self._ask("delete", "DELETE", resource, name, body=options)

    async def list(self, resource: Resource, **query: str) -> tuple[list[Object], str]:
        """All objects that match, and the version at which a watch continues."""
        found: list[Object] = []
        more: dict[str, str] = {}
        while True:
            page = await self._ask("list", "GET", resource, query={**query, "limit": str(PAGE), **more})
            found += page.get("items") or ()
            token = page["metadata"].get("continue")
            if not token:
                return found, page["metadata"]["resourceVersion"]
            more = {"continue": token}

    async def watch(
        self, resource: Resource, version: str, **query: str
    ) -> AsyncGenerator[tuple[str, Object], None]:
        """The changes after this version, until the server ends the watch."""
        asked = {
            **query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        async with self._exchange(self._watches, "watch", "GET", resource, query=asked) as response:
            async for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _refused(event["object"].get("code", 500), event["object"])
                yield event["type"], event["object"]

    async def log(self, pod: str, **query: str) -> AsyncGenerator[bytes, None]:
        """The lines of a pod's log, each with its time; Refused 404 if the pod is gone."""
        target = ("get", "GET", LOGS, f"{pod}/log")
        async with self._exchange(self._logs, *target, query={**query, "timestamps": "true"}) as response:
            async for line in _lines(response):
                yield line

    async def _ask(
        self,
        verb: str,
        method: str,
        resource: Resource,
        name: str | None = None,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        async with self._exchange(self._plain, verb, method, resource, name, query, body) as response:
            try:
                found = json.loads(await response.read())
            except (UnusableBody, ValueError) as error:
                raise NoAnswer(f"the answer cannot be read: {error}", was_sent=True) from None
        if not isinstance(found, dict):
            raise NoAnswer("the answer is not a JSON object", was_sent=True)
        return found

    @asynccontextmanager
    async def _exchange(
        self,
        transport: Transport,
        verb: str,
        method: str,
        resource: Resource,
        name: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
    ) -> AsyncIterator[Response]:
        assert verb in VERBS[resource], (verb, resource)
        group, kind = resource
        base = f"/apis/{group}/v1" if group else "/api/v1"
        path = f"{base}/namespaces/{self.place.namespace}/{kind.partition('/')[0]}"
        target = "/".join(filter(None, (path, name))) + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        try:
            headers = (("Content-Type", "application/json"), *self.place.authorization())
        except OSError as error:
            raise NoAnswer(f"the token of the cluster cannot be read: {error}", was_sent=False) from None
        request = Request(method, self.place.address(target), headers, content)
        seconds = REQUEST_SECONDS if transport is self._plain else None
        code = "none"
        try:
            async with AsyncExitStack() as stack:
                async with nullcontext() if verb in _UNTURNED else self._turns:
                    exchange = transport.exchange(request, seconds=seconds)
                    response = await stack.enter_async_context(exchange)
                code = str(response.status)
                if not 200 <= response.status <= 299:
                    raise await _error(response)
                yield response
        finally:
            metrics.KUBERNETES_REQUESTS.labels(verb=verb, resource=kind, code=code).inc()


async def _error(response: Response) -> Refused:
    data: Any = {}
    with suppress(UnusableBody, ValueError):
        data = json.loads((await response.read())[:_MOST_ERROR_BYTES])
    return _refused(response.status, data if isinstance(data, dict) else {})


def _refused(status: int, data: Object) -> Refused:
    return Refused(status, str(data.get("reason") or ""), str(data.get("message") or ""))


async def _lines(response: Response) -> AsyncGenerator[bytes, None]:
    """Whole lines with their ends; what follows the last one is passed on at the end of the stream."""
    rest = bytearray()
    async for part in response.parts():
        rest += part
        end = rest.rfind(b"\n") + 1
        if end:
            whole = bytes(rest[:end])
            del rest[:end]
            for line in whole.split(b"\n")[:-1]:
                yield line + b"\n"
    if rest:
        yield bytes(rest)
