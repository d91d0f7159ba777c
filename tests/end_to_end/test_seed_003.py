"""Seed 003: run, retry and automate an orchestration, and what runs beside what."""

import re

import httpx
import pytest
from playwright.async_api import Page, expect
from tests.end_to_end.people import Desk, Person
from tests.support.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]
CAMPAIGNS = """
orchestration: campaigns
phases:
  - name: Extract
    tasks:
      - run: load/campaigns
        name: Adform Campaigns
      - run: load/recipients
        name: Email recipient index
  - name: Transform
    tasks:
      - run: shape/performance
        name: Campaign performance
  - name: Write
    tasks:
      - run: write/mailchimp
        name: New recipients
      - run: write/agency
        name: Agency report
---
configuration: load/campaigns
parameters: {fail: campaign 17 is gone}
---
configuration: load/recipients
---
configuration: shape/performance
---
configuration: write/mailchimp
---
configuration: write/agency
"""
HOURLY = """
orchestration: hourly
phases:
  - name: Load
    tasks:
      - run: load/large
notify:
  data-team@example.com: [success]
---
configuration: load/large
name: A large table
parameters: {meet: [the test]}
"""
RATES = """
orchestration: rates
phases:
  - name: Load
    tasks:
      - run: load/rates
---
configuration: load/rates
parameters: {tables: [in.c-rates.daily]}
"""
REPORTS = """
orchestration: reports
phases:
  - name: Shape
    tasks:
      - run: shape/reports
---
configuration: shape/reports
"""
ORDERS, DAILY = "in.c-shop.orders", "reports-finance/in.c-rates.daily"


async def run(page: Page, tasks: str) -> None:
    """Confirm the dialog, which lands on the page of the run."""
    await page.get_by_role("dialog").get_by_role("button", name=f"Run {tasks}").click()
    await page.wait_for_url("**/runs/*")


async def title(desk: Desk, name: str) -> None:
    """It says how the run stands, and changes by itself."""
    await expect(desk.page).to_have_title(f"{name} · {desk.project}", timeout=30_000)


async def statuses(page: Page) -> dict[str, str]:
    """Of a run's tasks, as its list shows them."""
    await page.get_by_role("link", name="List", exact=True).click()
    rows = page.locator("#timeline tbody tr:not(.o-group)")
    await rows.first.wait_for()
    cells = [await row.locator("td").all_inner_texts() for row in await rows.all()]
    return {name.strip(): status.strip() for name, status, *_ in cells}


async def test_run_it_retry_it_and_let_it_continue_on_failure(told: Stack, jana: Person) -> None:
    async with jana.at_work("tasks-003", CAMPAIGNS) as desk:
        # Before running, review what will be executed; deselect individual tasks to exclude.
        page = await desk.open("orchestrations/campaigns")
        await page.get_by_role("link", name="Run…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("checkbox", name="Agency report").uncheck()
        await run(page, "4 tasks")
        await title(desk, "✖ campaigns #1")

        # Which jobs were executed, and which failed: it did not continue to the second phase.
        assert await statuses(page) == {
            "Adform Campaigns": "Error",
            "Email recipient index": "Success",
            "Campaign performance": "Not executed",
            "New recipients": "Not executed",
            "Agency report": "Not selected",
        }
        await expect(page.locator("#error")).to_contain_text("campaign 17 is gone")

        # Retry: failed tasks and not executed phases are checked by default.
        await page.get_by_role("link", name="Retry…").locator("visible=true").click()
        ticked = page.get_by_role("row").filter(has=page.locator("input:checked"))
        await expect(ticked).to_contain_text(["Adform Campaigns", "Campaign performance", "New recipients"])
        await page.get_by_role("button", name=re.compile(r"^Retry \d+ tasks?$")).click()
        await title(desk, "✖ campaigns #2")
        await expect(page.locator("#facts")).to_contain_text("Retry of")
        assert (
            "Email recipient index" not in await statuses(page)
            or (await statuses(page))["Email recipient index"] == "Not selected"
        )

        # Inactive, Continue on Failure and Task Parameters.
        await desk.open("orchestrations/campaigns/tasks")
        await page.get_by_role("switch", name="Agency report is active").click()
        await expect(page.locator("[data-task='write/agency']")).to_have_attribute("data-off", "")
        for name in ("Adform Campaigns", "Campaign performance"):
            await page.get_by_role("button", name=f"More about {name}").click()
            await page.get_by_role("link", name="Settings…").click()
            if name == "Adform Campaigns":
                await dialog.get_by_label("Continue on failure").check()
            else:
                text = '{"parameters": {"tables": ["out.c-campaigns.performance"]}}'
                await dialog.get_by_label("Parameters (JSON)").fill(text)
            await dialog.get_by_role("button", name="Use these settings").click()
            await expect(dialog).to_have_count(0)
        await page.get_by_role("button", name="Save version 2").click()
        await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
        await desk.open("orchestrations/campaigns")
        await page.get_by_role("link", name="Run…").click()
        await run(page, "4 tasks")
        await title(desk, "▲ campaigns #3")
        assert await statuses(page) == {
            "Adform Campaigns": "Error",
            "Email recipient index": "Success",
            "Campaign performance": "Success",
            "New recipients": "Success",
            "Agency report": "Inactive",
        }
        await expect(page.locator("#facts")).to_contain_text("out.c-campaigns.performance")

        # All jobs run with the token of the orchestration, also when a person has started it.
        await expect(page.locator("#facts > div").filter(has_text="Ran as")).to_contain_text("its own token")
        token = await desk.call("GET", "orchestrations/campaigns/token")
        ran = await told.database.fetch(
            "SELECT token_id::text FROM jobs.jobs WHERE project = $1 AND parent_id IS NOT NULL", desk.project
        )
        assert {row["token_id"] for row in ran} == {token["id"]}


async def test_a_second_run_waits_for_the_first_and_says_so(told: Stack, jana: Person) -> None:
    async with jana.at_work("runs-003", HOURLY, role="admin") as desk, jana.looking("runs-003") as other:
        page = await desk.open("orchestrations/hourly")
        await page.get_by_role("link", name="Run…").click()
        await run(page, "1 task")
        await title(desk, "◐ hourly #1")

        # To start it by a program, make a token just for this purpose.
        await other.open("tokens")
        await other.page.get_by_role("link", name="New token…").first.click()
        dialog = other.page.get_by_role("dialog", name="New token")
        await dialog.get_by_label("Name").fill("start-button")
        await dialog.get_by_label("hourly").check()
        await dialog.get_by_role("button", name="Create the token").click()
        secret = await other.page.get_by_label("Secret", exact=True).input_value()
        start = f"{told.url}/v1/projects/runs-003/orchestrations/hourly"
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, trust_env=False) as http:
            assert (await http.get(start)).status_code == 403
            assert (await http.post(f"{start}/runs")).status_code == 202

        # The new job will be waiting until the previous one finishes.
        await desk.run("hourly", 2)
        await other.open("orchestrations/hourly/runs/2")
        await title(other, "⧗ hourly #2")
        waits = other.page.get_by_role("region", name="Waiting")
        await expect(waits).to_contain_text("hourly #1")
        await other.page.evaluate("window.isSame = true")
        told.ledger.sign("the test", (await desk.run("hourly", 1))["id"])
        await title(desk, "✔ hourly #1")
        await title(other, "◐ hourly #2")
        told.ledger.sign("the test", (await desk.run("hourly", 2))["id"])
        await title(other, "✔ hourly #2")
        await expect(waits).to_have_count(0)
        assert await other.page.evaluate("window.isSame")  # live, without loading the page again

        # By hand, only whoever started it is told; unattended, the settings are honoured.
        await expect(other.page.locator("#facts")).to_contain_text("start-button")
        assert [mail.recipients for mail in await desk.mails("hourly #1")] == [(jana.email,)]
        assert [mail.recipients for mail in await desk.mails("hourly #2")] == [("data-team@example.com",)]
        first, second = await desk.run("hourly", 1), await desk.run("hourly", 2)
        assert first["finished_at"] <= second["started_at"]


async def test_it_waits_for_tables_also_of_a_shared_bucket(told: Stack, jana: Person) -> None:
    async with (
        jana.at_work("reports-finance", RATES, role="admin") as finance,
        jana.at_work("reports", REPORTS) as desk,
    ):
        await finance.open("buckets/in.c-rates")
        await finance.page.get_by_role("link", name="Share…").click()
        await finance.page.get_by_role("dialog").get_by_label("Project").fill("reports")
        await finance.page.get_by_role("dialog").get_by_role("button", name="Share").click()
        await expect(finance.page.get_by_role("region", name="Shared with")).to_contain_text("reports")

        # Instead of an exact time, wait for selected tables; updated every 10 minutes: cool-down of 50.
        page = await desk.open("orchestrations/reports")
        await page.get_by_role("link", name="New trigger…").click()
        dialog = page.get_by_role("dialog")
        for table in (ORDERS, DAILY):
            await dialog.get_by_label("Find a table").fill(table)
            await dialog.get_by_role("checkbox", name=table).check()
        await dialog.get_by_role("textbox", name="Cool-down").fill("50m")
        await dialog.get_by_role("button", name="Save trigger").click()
        starts = page.get_by_role("region", name="Starts")
        await expect(starts).to_contain_text("0 of 2")
        await page.evaluate("window.isSame = true")

        # When one is updated, the others are checked; once all are, the orchestration runs.
        await desk.call("POST", "table-updates", {"table": ORDERS})
        await expect(starts).to_contain_text("1 of 2")
        await finance.open("orchestrations/rates")
        await finance.page.get_by_role("link", name="Run…").click()
        await run(finance.page, "1 task")
        await title(finance, "✔ rates #1")
        runs = page.get_by_role("region", name="Last runs")
        await expect(runs.get_by_role("row").filter(has_text="#1")).to_contain_text("Success")
        await expect(starts).to_contain_text("0 of 2")
        assert await page.evaluate("window.isSame")
        await runs.get_by_role("link", name="#1").click()
        facts = page.locator("#facts > div")
        await expect(facts.filter(has_text="Started by")).to_contain_text("trigger")
        await expect(facts.filter(has_text="Updates used")).to_contain_text(DAILY)

        # Within the cool-down, updates are ignored; after it, they count.
        await desk.open("orchestrations/reports")
        await starts.get_by_role("link", name="main").click()
        for caller, table in ((desk, ORDERS), (finance, DAILY.partition("/")[2])):
            await caller.call("POST", "table-updates", {"table": table})
        ignored = dialog.locator(".o-fires .o-tag").filter(has_text="ignored in the cool-down")
        await expect(ignored).to_have_count(2)
        await expect(dialog.locator("[data-readiness]")).to_have_text("0 of 2")
        await dialog.get_by_role("textbox", name="Cool-down").fill("0")
        await dialog.get_by_role("button", name="Save trigger").click()
        await expect(dialog).to_have_count(0)
        for caller, table in ((desk, ORDERS), (finance, DAILY.partition("/")[2])):
            await caller.call("POST", "table-updates", {"table": table})
        await expect(runs.get_by_role("row").filter(has_text="#2")).to_contain_text("Success")
