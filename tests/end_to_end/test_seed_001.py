"""Seed 001: each task in its own phase, run by hand first; then it runs by itself and tells the others."""

from itertools import pairwise

import pytest
from playwright.async_api import expect
from tests.end_to_end.people import Person
from tests.support.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]
PIPELINE = """
orchestration: pipeline
phases:
  - name: Everything
    tasks:
      - run: load/orders
      - run: shape/orders
      - run: write/orders
notify:
  data-team@example.com: [error, success]
---
configuration: load/orders
name: Load orders
---
configuration: shape/orders
name: Shape orders
---
configuration: write/orders
name: Write orders
"""


async def test_a_defensive_layout_is_run_by_hand_before_it_runs_by_itself(told: Stack, jana: Person) -> None:
    async with jana.at_work("phases-001", PIPELINE) as desk:
        # With each task in its own phase, a configuration is very defensive.
        page = await desk.open("orchestrations/pipeline/tasks")
        dialog = page.get_by_role("dialog")
        await page.get_by_role("link", name="Group by type…").click()
        chosen = dialog.get_by_role("link", name="One task per phase")
        await chosen.click()
        await expect(chosen).to_have_attribute("aria-current", "true")
        await dialog.get_by_role("button", name="Use this grouping").click()
        await expect(page.locator("[data-phase]")).to_have_count(3)
        await page.get_by_role("button", name="Save version 2").click()
        await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")

        # Run it manually to make sure everything works: only the user running it gets the notifications.
        await desk.open("orchestrations/pipeline")
        await page.get_by_role("link", name="Run…").click()
        await expect(dialog).to_contain_text(f"Only you: {jana.email}. data-team@example.com will not.")
        await dialog.get_by_role("button", name="Run 3 tasks").click()
        await expect(page).to_have_title("✔ pipeline #1 · phases-001", timeout=30_000)
        run = await desk.run("pipeline", 1)
        executed = told.ledger.executions(run["id"])
        names = ["load/orders", "shape/orders", "write/orders"]
        assert [each.configuration for each in executed] == names
        assert all(earlier.last <= later.first for earlier, later in pairwise(executed))
        notified = page.locator("#facts > div").filter(has_text="Notified")
        await expect(notified).to_contain_text(jana.email)
        await expect(notified).not_to_contain_text("data-team")
        (mail,) = await desk.mails("pipeline #1")
        assert mail.recipients == (jana.email,)

        # The link of the mail leads to the run.
        await page.goto(told.url + mail.text.partition(told.url)[2].split()[0])
        await expect(page).to_have_title("✔ pipeline #1 · phases-001")


async def test_a_run_at_a_given_time_is_told_to_the_selected_addresses(told: Stack, jana: Person) -> None:
    """In the project whose schedule of every minute began with the first test."""
    await told.person.post("members", {"email": jana.email, "role": "viewer"})
    async with jana.looking("demo") as desk:
        page = await desk.open("orchestrations/minutely")
        runs = page.get_by_role("region", name="Last runs")
        last = runs.get_by_role("row").filter(has_text="Success").last
        await expect(last).to_contain_text("every-minute", timeout=75_000)
        await last.get_by_role("link").click()
        facts = page.locator("#facts > div")
        await expect(facts.filter(has_text="Started by")).to_contain_text("every-minute")
        await expect(facts.filter(has_text="Notified")).to_contain_text("tick@example.com")
        await expect(facts.filter(has_text="Notified")).not_to_contain_text(jana.email)
