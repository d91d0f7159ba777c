"""A person who only uses the web page, in a real browser, with the whole stack behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Page
from tests.support.chromium import DESK, Watch, chromium
from tests.support.smtp_sink import ReceivedMail
from tests.support.stack import Stack
from tests.support.waiting import eventually

from orchestrator_shared.definitions.loader import load_text

JANA, PASSWORD = "jana@example.com", "correct horse battery"
SLOW_MS = 30_000
"""For what services do before the page shows it."""


@dataclass(frozen=True)
class Person:
    """Signed in; a link of a mail led to that."""

    stack: Stack
    context: BrowserContext
    email: str

    @asynccontextmanager
    async def at_work(self, project: str, *definitions: str, role: str = "editor") -> AsyncIterator["Desk"]:
        """A page in a project of its own; at the end, it must have kept the rules of every page."""
        call = self.stack.person.call
        await call("POST", "/v1/projects", {"id": project, "name": project.title()}, status=201)
        await call("POST", f"/v1/projects/{project}/members", {"email": self.email, "role": role})
        async with self.looking(project) as desk:
            for text in definitions:
                documents = [each.raw for each in load_text(text).require()]
                await desk.call("POST", "definitions/apply", {"documents": documents})
            yield desk

    @asynccontextmanager
    async def looking(self, project: str) -> AsyncIterator["Desk"]:
        """A page in a project that is there."""
        page = await self.context.new_page()
        page.set_default_timeout(SLOW_MS)
        watch = Watch(self.stack.url)
        await watch.over(page)
        try:
            yield Desk(self, page, project)
            assert watch.faults == []
        finally:
            await page.close()


@dataclass(frozen=True)
class Desk:
    """One page, and what the administrator's token sees of its project."""

    person: Person
    page: Page
    project: str

    @property
    def stack(self) -> Stack:
        return self.person.stack

    async def open(self, path: str = "orchestrations") -> Page:
        await self.page.goto(f"{self.stack.url}/projects/{self.project}/{path}")
        return self.page

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The API, in this project."""
        return await self.stack.person.call(method, f"/v1/projects/{self.project}/{path}", body, **options)

    async def run(self, orchestration: str, number: int) -> dict[str, Any]:
        """One by its number, once a runner has accepted it."""

        async def look() -> dict[str, Any] | None:
            runs = (await self.call("GET", f"orchestrations/{orchestration}/runs"))["items"]
            return next((run for run in runs if run["number"] == number), None)

        return await eventually(look, 30)

    async def jobs(self, run_id: str) -> dict[str, Any]:
        """The jobs of a run's tasks, by configuration."""
        phases = (await self.call("GET", f"jobs/{run_id}/tasks"))["phases"]
        tasks = [task for phase in phases for task in phase["tasks"]]
        return {f"{task['component']}/{task['configuration']}": task["job"] for task in tasks}

    async def mails(self, subject: str, count: int = 1) -> list[ReceivedMail]:
        """Those of the project with this in their subject, once there are so many."""
        start = f"[{self.project}] {subject}"

        def look() -> list[ReceivedMail]:
            found = [mail for mail in self.stack.mails.messages if mail.subject.startswith(start)]
            assert len(found) == count, [mail.subject for mail in self.stack.mails.messages]
            return found

        return await eventually(look, 30)


@asynccontextmanager
async def invited(stack: Stack, project: str) -> AsyncIterator[Person]:
    """A project that somebody is invited to, who opens the link of the mail and chooses a password."""
    await stack.person.post("/v1/projects", {"id": project, "name": project.title()}, status=201)
    await stack.person.post(f"/v1/projects/{project}/members", {"email": JANA, "role": "editor"})

    def link() -> str:
        texts = [mail.text for mail in stack.mails.messages if JANA in mail.recipients]
        assert texts
        return texts[0].partition(f"{stack.url}/links/")[2].split()[0]

    async with chromium() as browser:
        context = await browser.new_context(viewport=DESK, timezone_id="Europe/Prague")
        page = await context.new_page()
        await page.goto(f"{stack.url}/links/{await eventually(link, 30)}")
        await page.get_by_label("New password", exact=True).fill(PASSWORD)
        await page.get_by_label("New password again").fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await page.get_by_role("heading", name="Orchestrations").wait_for()
        await page.close()
        yield Person(stack, context, JANA)
