"""The real application on a real database and broker, and a client with the administrator's token."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
import httpx
import pytest
import pytest_asyncio
from tests.support import servers
from tests.support.asgi_streams import StreamingTransport
from tests.support.brokers import BrokerVhost, fresh_vhost
from tests.support.databases import Database, Filling, migrated_database
from tests.support.stack_settings import LINK_KEY

from orchestrator_api.settings import ApiSettings
from orchestrator_api.wiring import start
from orchestrator_shared.runtime.health import public_app
from orchestrator_shared.runtime.lifecycle import Lifecycle

ADMIN_EMAIL = "admin@example.com"
ADMIN_TOKEN = "orc_test_administrator_token_0123456789abcdef"
KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True)
class Client:
    """Requests as one token, in one project."""

    http: httpx.AsyncClient
    project: str = "demo"

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        status: int | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """A path that does not begin with /v1 is one of the project; returns the decoded body.

        Without `headers`, it overwrites whatever is there.
        """
        url = path if path.startswith("/") else f"/v1/projects/{self.project}/{path}"
        given = {**(headers or {}), **({} if key is None else {"Idempotency-Key": key})}
        response = await self.http.request(method, url, json=json, headers=given)
        if response.status_code == 428 and headers is None:
            forced = {**json, "plan_id": "*"} if url.endswith("/definitions/apply") else json
            response = await self.http.request(method, url, json=forced, headers={**given, "If-Match": "*"})
        if status is None:
            assert response.status_code < 300, f"{method} {url}: {response.status_code} {response.text}"
        else:
            assert response.status_code == status, f"{method} {url}: {response.status_code} {response.text}"
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["status"] == response.status_code
        body: Any = response.json() if response.content else None
        if response.status_code >= 400:  # so that tests can compare answers
            assert body.pop("request_id") == response.headers["x-request-id"]
        assert not list(stamps_in_another_form(body)), "issue 8, number 39: instants end with Z"
        return body

    async def get(self, path: str, **options: Any) -> Any:
        return await self.call("GET", path, **options)

    async def put(self, path: str, json: Any, **options: Any) -> Any:
        return await self.call("PUT", path, json, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return await self.call("POST", path, {} if json is None else json, **options)

    async def delete(self, path: str, **options: Any) -> Any:
        return await self.call("DELETE", path, **options)


def stamps_in_another_form(value: object) -> Iterator[str]:
    """Texts with an instant that ends with `+00:00`, anywhere in an answer."""
    if isinstance(value, dict):
        for item in value.values():
            yield from stamps_in_another_form(item)
    elif isinstance(value, list):
        for item in value:
            yield from stamps_in_another_form(item)
    elif isinstance(value, str) and re.search(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", value):
        yield value


@dataclass(frozen=True)
class RunningApi:
    """The service, in this process."""

    app: Any
    lifecycle: Lifecycle

    def http(self, token: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers, timeout=30)

    def streaming(self, token: str | None) -> httpx.AsyncClient:
        """The same, also for answers that do not end."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = StreamingTransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers, timeout=30)


@asynccontextmanager
async def running(settings: ApiSettings) -> AsyncIterator[RunningApi]:
    lifecycle = Lifecycle("api")
    async with start(settings, lifecycle):
        lifecycle.started = True
        yield RunningApi(public_app(lifecycle), lifecycle)
        lifecycle.stopping.set()
    assert lifecycle.failure is None
    await asyncio.wait_for(lifecycle.cancel_all(), 30)


@pytest.fixture(scope="session")
def vhost() -> Iterator[BrokerVhost]:
    with fresh_vhost(servers.rabbitmq()) as made:
        yield made


@pytest.fixture
def broker(vhost: BrokerVhost) -> BrokerVhost:
    """One for all tests of the api; emptied for those that look into it, which takes longer than most."""
    vhost.purge()
    return vhost


@asynccontextmanager
async def _writing(database: Database) -> AsyncIterator[Client]:
    """An api for what tests begin with; what it publishes is heard by none of them."""
    with fresh_vhost(servers.rabbitmq()) as vhost:
        async with running(settings_on(database, vhost)) as service, service.http(ADMIN_TOKEN) as http:
            yield Client(http)


async def _write_project(database: Database) -> None:
    async with _writing(database) as client:
        await client.post("/v1/projects", {"id": "demo", "name": "Demo"})


async def _write_furniture(database: Database) -> None:
    async with _writing(database) as client:
        await client.post("/v1/projects", {"id": "demo", "name": "Demo"})
        await furnish(client)


FURNISHED = Filling("furnished", _write_furniture)
FILLINGS = (FURNISHED, Filling("admin", _write_project))
"""What tests with these fixtures find in the database, the fuller first."""


@pytest.fixture
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A fresh database; the api has written to it before what the test's other fixtures promise."""
    filling = next((each for each in FILLINGS if each.name in request.fixturenames), None)
    async with migrated_database(filling) as made:
        yield made


@pytest.fixture
def settings(database: Database, vhost: BrokerVhost) -> ApiSettings:
    return settings_on(database, vhost)


def settings_on(database: Database, broker: BrokerVhost) -> ApiSettings:
    return ApiSettings(
        database_url=database.url_for("api"),
        amqp_url=broker.url,
        encryption_keys=KEY,
        link_key=LINK_KEY,
        admin_email=ADMIN_EMAIL,
        admin_token=ADMIN_TOKEN,
        wrong_tokens_per_minute=10_000,
    )


def environment_on(database: Database, broker: BrokerVhost) -> dict[str, str]:
    """The same settings for an api that is a process of its own."""
    return {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": KEY,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
    }


@pytest.fixture
async def api(settings: ApiSettings) -> AsyncIterator[RunningApi]:
    async with running(settings) as service:
        yield service


@pytest.fixture
async def admin(api: RunningApi) -> AsyncIterator[Client]:
    """In the project demo."""
    async with api.http(ADMIN_TOKEN) as http:
        yield Client(http)


COMPONENT = {
    "type": "extractor",
    "command": ["{python}", "-m", "demo"],
    "after_crash": "rerun",
    "parameters": {
        "type": "object",
        "properties": {"rows": {"type": "integer"}, "#password": {"type": "string"}},
        "additionalProperties": False,
    },
}


@pytest.fixture
def furnished(admin: Client) -> Client:
    """The project with a component, two configurations and an orchestration of two phases."""
    return admin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_database() -> AsyncIterator[Database]:
    async with migrated_database(FURNISHED) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(shared_database: Database, vhost: BrokerVhost) -> AsyncIterator[Client]:
    """As `furnished`; one for all tests of a module that are `refused` and leave nothing."""
    async with running(settings_on(shared_database, vhost)) as service, service.http(ADMIN_TOKEN) as http:
        yield Client(http)


refused = pytest.mark.asyncio(loop_scope="module")


async def furnish(admin: Client) -> None:
    await admin.put("/v1/components/demo-extractor", COMPONENT, status=201)
    for name in ("one", "two"):
        await admin.put(f"configurations/demo-extractor/{name}", {"parameters": {"rows": 1}}, status=201)
    await admin.put("orchestrations/daily", orchestration("one", "two"), status=201)


def orchestration(*configurations: str, **more: Any) -> dict[str, Any]:
    """One phase per configuration."""
    phases = [
        {"name": f"Phase {name}", "tasks": [{"component": "demo-extractor", "configuration": name}]}
        for name in configurations
    ]
    return {"phases": phases, **more}


async def said(broker: BrokerVhost, queue: str, count: int) -> list[dict[str, Any]]:
    """The envelopes of the next messages in a durable queue, in bounded time."""
    connection = await aio_pika.connect(broker.url, timeout=30)
    async with connection:
        channel = await connection.channel()
        source = await channel.get_queue(queue)
        envelopes: list[dict[str, Any]] = []
        async with asyncio.timeout(60), source.iterator() as messages:
            if count == 0:
                return envelopes
            async for message in messages:
                await message.ack()
                envelopes.append(json.loads(message.body))
                if len(envelopes) == count:
                    break
        return envelopes
