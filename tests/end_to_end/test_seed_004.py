"""Seed 004: what depends on each other is in phases that follow each other, also when nested."""

import pytest
from playwright.async_api import expect
from tests.end_to_end.people import Person
from tests.support.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]
CAMPAIGNS = """
orchestration: campaigns
phases:
  - name: Extractors
    tasks:
      - run: load/campaigns
      - run: load/index
  - name: Transformations
    tasks:
      - run: shape/performance
  - name: Second Transformation Phase
    tasks:
      - run: shape/recipient
  - name: Writers
    tasks:
      - run: write/recipients
---
orchestration: everything
phases:
  - name: First
    tasks:
      - run: load/rates
---
configuration: load/rates
---
configuration: load/campaigns
parameters: {meet: [index]}
---
configuration: load/index
parameters: {meet: [campaigns]}
---
configuration: shape/performance
---
configuration: shape/recipient
parameters: {meet: [the test], fail: no recipient has an address}
---
configuration: write/recipients
"""


async def test_a_nested_orchestration_runs_in_the_order_of_its_phases(told: Stack, jana: Person) -> None:
    async with jana.at_work("nested-004", CAMPAIGNS) as desk:
        # Another way of handling dependencies is a nested orchestration: it is added like any other task.
        page = await desk.open("orchestrations/everything/tasks")
        dialog = page.get_by_role("dialog")
        await page.get_by_role("link", name="Add task…", exact=True).click()
        await dialog.get_by_role("checkbox", name="campaigns").last.check()
        await dialog.get_by_label("Name of a new phase").fill("Campaigns")
        await dialog.get_by_role("button", name="Add").click()
        await page.get_by_role("button", name="Save version 2").click()
        await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
        await desk.open("orchestrations/everything")
        await page.get_by_role("link", name="Run…").click()
        await dialog.get_by_role("button", name="Run 2 tasks").click()
        await expect(page).to_have_title("◐ everything #1 · nested-004", timeout=30_000)

        # The nested run has a page of its own, where one sees the phase that is at work.
        log = page.get_by_role("region", name="Log of campaigns")
        await page.get_by_role("link", name="campaigns", exact=True).click()
        await log.get_by_role("link", name="campaigns #1").click()
        await expect(page).to_have_title("◐ campaigns #1 · nested-004")
        await expect(page.locator(".o-sub")).to_contain_text("3 of 5 tasks ended")
        run = await desk.run("everything", 1)
        told.ledger.sign("the test", run["id"])
        await expect(page).to_have_title("✖ campaigns #1 · nested-004", timeout=30_000)
        executed = [each.configuration for each in told.ledger.executions(run["id"]) if each.ended]
        assert executed[0] == "load/rates"
        assert sorted(executed[1:3]) == ["load/campaigns", "load/index"]
        assert executed[3:] == ["shape/performance", "shape/recipient"]

        # The error of the innermost task stands first on the page of the outer run.
        await page.locator("#facts").get_by_role("link", name="everything #1").click()
        await expect(page).to_have_title("✖ everything #1 · nested-004")
        await expect(page.locator("#error")).to_contain_text("no recipient has an address")
        await expect(page.locator("#error")).not_to_contain_text("other task")
        await expect(page.locator("#error").get_by_role("link", name="campaigns #1")).to_be_visible()
        await desk.open("orchestrations/campaigns")
        runs = page.get_by_role("region", name="Last runs")
        await expect(runs.get_by_role("row").filter(has_text="#1")).to_contain_text("everything #1")
        (mail,) = await desk.mails("everything #1")
        assert mail.recipients == (jana.email,)
