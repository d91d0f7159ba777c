"""The api in this process, reached by a real browser: one of each for all tests of a worker.

Every test has a project of its own, so none sees what another did.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page
from tests.integration.api.conftest import ADMIN_TOKEN, COMPONENT, Client, RunningApi, running, settings_on
from tests.integration.api.people import CHEAP, PASSWORD, sign_in
from tests.integration.api.test_api_jobs import Runner
from tests.support import servers
from tests.support.brokers import BrokerVhost, fresh_vhost
from tests.support.chromium import DESK, PATIENCE_MS, Watch, chromium
from tests.support.databases import Database, migrated_database
from tests.support.waiting import eventually

from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import JobsChanged
from orchestrator_shared.contracts.message import Message

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Site:
    """The api, where browsers reach it, and what is behind it."""

    url: str
    api: RunningApi
    database: Database
    broker: BrokerVhost
    browser: Browser
    admin: Client


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The application on a port of its own; yields its URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(browser: Browser) -> AsyncIterator[Site]:
    with fresh_vhost(servers.rabbitmq()) as broker:
        async with migrated_database() as database:
            settings = settings_on(database, broker)
            async with running(settings) as api, served(api.app) as url, api.http(ADMIN_TOKEN) as http:
                yield Site(url, api, database, broker, browser, Client(http))


@dataclass(frozen=True)
class Visit:
    """A person in a browser, in a project of the test's own."""

    site: Site
    page: Page
    client: Client
    """The administrator's token, in the same project."""
    runner: Runner

    @property
    def project(self) -> str:
        return self.client.project

    async def open(self, path: str = "orchestrations") -> Page:
        """A page of the project."""
        url = path if path.startswith("/") else f"/projects/{self.project}/{path}"
        await self.page.goto(self.site.url + url)
        return self.page

    async def orchestration(self, name: str, **more: Any) -> None:
        """One with a task."""
        task = {"component": "demo-extractor", "configuration": "one"}
        body = {"phases": [{"name": "Extract", "tasks": [task]}], **more}
        await self.client.put(f"orchestrations/{name}", body, status=201)

    async def ran(
        self, name: str, number: int, status: str, *, ago: timedelta = timedelta(), took: float = 60.0
    ) -> UUID:
        """Write a run as a runner would."""
        now: datetime = await self.site.database.fetchval("SELECT clock_timestamp()")
        ended = now - ago
        started = ended - timedelta(seconds=took)
        asked = dict.fromkeys(
            ("scheduled_for", "requested_at", "accepted_at", "due_at"), started - timedelta(seconds=3)
        )
        times: dict[str, Any] = {**asked, "requested_by": "Jana Nováková"}
        if status not in ("created", "waiting"):
            times["started_at"] = started
        over = status in ("success", "warning", "error", "cancelled", "terminated")
        if over:
            times |= {"finished_at": ended, "attempt": 1}
        error = {"error_kind": "user"} if status == "error" else {}
        more = {"component": "orchestrator", **times, **error}
        return await self.runner.job(name, number, status, **more)

    async def becomes(self, job: UUID, status: str) -> None:
        """The run changes, and its runner says so after the commit."""
        await self.site.database.execute(
            "UPDATE jobs.jobs SET status = $2, revision = revision + 1, replica_id = NULL, "
            "error_kind = CASE $2 WHEN 'error' THEN 'user' END, "
            "finished_at = clock_timestamp() WHERE id = $1",
            job,
            status,
        )
        await self.tell(job)

    async def tell(self, job: UUID) -> None:
        """Publish what a runner publishes."""
        revision = await self.site.database.fetchval("SELECT revision FROM jobs.jobs WHERE id = $1", job)
        await self.say(JobsChanged(project=self.project, revisions={job: revision}))

    async def say(self, message: Message) -> None:
        """Publish a hint as a service does."""
        async with await aio_pika.connect(self.site.broker.url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(message.exchange, ensure=False)
            await exchange.publish(aio_pika.Message(wrap(message, source="/runner").to_bytes()), message.key)


@asynccontextmanager
async def visiting(
    site: Site, role: str = "editor", project: str = "", **options: Any
) -> AsyncIterator[Visit]:
    """A signed-in person; at the end, the page must have kept the rules of every page."""
    project = project or f"web-{next(_numbers)}"
    await site.admin.post("/v1/projects", {"id": project, "name": project.title()})
    client = Client(site.admin.http, project)
    await client.put("/v1/components/demo-extractor", COMPONENT)
    await client.put("configurations/demo-extractor/one", {"parameters": {"rows": 1}}, status=201)
    email = f"{role}-{uuid4().hex[:8]}@example.com"
    await client.post("members", {"email": email, "role": role}, status=201)
    await site.database.execute(
        "UPDATE catalog.people SET name = 'Jana Nováková', password_hash = $2 WHERE email = $1",
        email,
        CHEAP.hash(PASSWORD),
    )
    runner = Runner(site.database, project)
    await runner.connect()
    context = await site.browser.new_context(viewport=DESK, timezone_id="Europe/Prague", **options)
    try:
        async with site.api.http(None) as http:
            response = await sign_in(http, email)
            kept = {**response.cookies, "orchestrator_zone": "Europe/Prague"}
        await context.add_cookies(
            [{"name": name, "value": value, "url": site.url} for name, value in kept.items()]
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        watch = Watch(site.url)
        await watch.over(page)
        yield Visit(site, page, client, runner)
        assert watch.faults == []
    finally:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(site: Site) -> AsyncIterator[Visit]:
    async with visiting(site) as made:
        yield made
