"""Seed 000: one configuration is automated, and every change propagates up to the dashboard."""

import pytest
from playwright.async_api import expect
from tests.end_to_end.people import Person
from tests.support.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]
DASHBOARD = """
orchestration: dashboard
phases:
  - name: Publish
    tasks:
      - run: write/dashboard
triggers:
  sheet: {tables: [in.c-sheet.sales]}
---
configuration: write/dashboard
---
configuration: load/sheet
name: Sales sheet
parameters: {tables: [in.c-sheet.sales]}
"""


async def test_what_is_automated_with_one_button_propagates_up(told: Stack, jana: Person) -> None:
    async with jana.at_work("automate-000", DASHBOARD) as desk, jana.looking("automate-000") as other:
        # In case you want to automate a single configuration, the quickest option is the button Automate.
        page = await desk.open("configurations/load/sheet")
        await page.get_by_role("link", name="Automate…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name (optional)").fill("Sheet")
        await dialog.get_by_label("Schedule").select_option("Daily")
        await dialog.get_by_role("button", name="Automate").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sheet")

        # It has no special properties: it is run like any other, and what changed propagates by itself.
        await other.open()
        row = other.page.locator("#row-dashboard")
        await expect(row).to_contain_text("No run yet")
        await other.page.evaluate("window.isSame = true")
        await page.get_by_role("link", name="Run…").click()
        await dialog.get_by_role("button", name="Run 1 task").click()
        await expect(page).to_have_title("✔ sheet #1 · automate-000", timeout=30_000)
        await expect(row).to_contain_text("Success")
        assert await other.page.evaluate("window.isSame")
        run = await desk.run("dashboard", 1)
        assert run["origin"] == "trigger"
