"""From an empty project to a first green run in three clicks: the whole stack, and a real browser."""

import pytest
from playwright.async_api import expect
from tests.end_to_end.local.conftest import CommandLine
from tests.support.chromium import chromium

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import read_context
from orchestrator_local.demo.play import sign_in_link

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("local-stack")]
PROJECT = "first-steps"
PASSWORD = "three clicks and no more"
LONGEST_RUN_MS = 90_000


async def test_three_clicks_lead_from_the_empty_project_to_a_green_run(orchestrator: CommandLine) -> None:
    context = read_context(orchestrator.layout.root)
    assert context is not None
    with ApiClient(context.url, context.token) as client:
        client.post("/projects", {"id": PROJECT, "name": "First steps"})
        warehouse = {"value": context.warehouse_url, "secret": True}
        client.put(f"/projects/{PROJECT}/variables/warehouse", warehouse)
        link = sign_in_link(client)
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(link)
        await page.get_by_label("New password", exact=True).fill(PASSWORD)
        await page.get_by_label("New password again").fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await page.goto(f"{context.url}/projects/{PROJECT}/orchestrations")
        await page.get_by_role("button", name="Load the flights demo").click()
        await page.get_by_role("link", name="Run…").click()
        await page.get_by_role("button", name="Run 7 tasks").click()
        await expect(page).to_have_title(f"✔ flights #1 · {PROJECT}", timeout=LONGEST_RUN_MS)
