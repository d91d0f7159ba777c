"""The dialog of a trigger in a real browser: its tables, what its cool-down means, and live readiness."""

import json
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect
from tests.integration.api.conftest import Client
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.heard_updates import known, rhythmic, updated
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

ORDERS, RETURNS = "in.c-shop.orders", "in.c-shop.returns"


def tick(dialog: Locator, table: str) -> Locator:
    return dialog.get_by_role("checkbox", name=table)


async def opened(visit: Visit) -> tuple[Page, Locator]:
    """The dialog of a new trigger, over the page of campaigns."""
    await visit.orchestration("campaigns")
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("link", name="New trigger…").click()
    return page, page.get_by_role("dialog")


async def test_instead_of_an_exact_time_you_wait_for_tables_and_use_a_cool_down(visit: Visit) -> None:
    """Seed 003: tables are updated every 10 minutes, 1 hour old data is good enough: 50 minutes.

    One of them is in a bucket that another project shares; one that it writes itself cannot be chosen.
    """
    finance, own = f"{visit.project}-finance", "out.c-campaigns.rates"
    await visit.site.admin.post("/v1/projects", {"id": finance, "name": "Finance"})
    shared = Client(visit.site.admin.http, finance)
    await shared.put(f"buckets/in.c-rates/shares/{visit.project}", None, status=204)
    rates = f"{finance}/in.c-rates.daily"
    await rhythmic(visit, rates, timedelta(days=1), 30, timedelta(hours=2))
    await rhythmic(visit, own, timedelta(days=1), 3, timedelta(hours=2))
    await visit.runner.job("one", 1, "success", output_tables=json.dumps([{"table": own}]))
    await rhythmic(visit, ORDERS, timedelta(minutes=10), 60, timedelta(minutes=4))
    await rhythmic(visit, RETURNS, timedelta(minutes=10), 60, timedelta(minutes=1))
    page, dialog = await opened(visit)
    await dialog.get_by_label("Find a table").fill("orders")
    found = dialog.get_by_role("list", name="Tables found")
    await expect(found).to_contain_text("every 10 min")
    await expect(found).not_to_contain_text("returns")
    await tick(dialog, ORDERS).check()
    await expect(dialog.locator("#chosen")).to_have_text("1 selected")
    await dialog.get_by_label("Find a table").fill("in.c-shop.refunds")
    await expect(found).to_contain_text("Not known yet: it counts from its first update")
    await dialog.get_by_label("Find a table").fill("returns")
    await expect(dialog.get_by_role("list", name="Tables of this trigger")).to_contain_text(ORDERS)
    await tick(dialog, RETURNS).check()
    await dialog.get_by_label("Find a table").fill("rates")
    await expect(found).to_contain_text(f"shared by {finance}")
    await expect(found).to_contain_text("every day, usually")
    await expect(tick(dialog, own)).to_be_disabled()
    await expect(found).to_contain_text("it would start itself again and again")
    await expect(dialog.locator("#needs")).to_have_text("both tables were")
    await dialog.get_by_role("textbox", name="Cool-down").fill("50m")
    said = "Updates in the 50 min after a run of this trigger starts do not count."
    await expect(dialog.locator("#mode-ignore")).to_have_text(said)
    await expect(dialog.locator("#mode-defer")).to_contain_text("it runs when that time is over")
    meaning = dialog.locator("#meaning")
    await expect(meaning).to_contain_text("as ignore would have judged them")
    await expect(meaning).to_contain_text("updates would not have counted, its data up to 50 min old")
    await dialog.locator("label").filter(has_text="Defer").click()
    await expect(meaning).to_contain_text("defer counts them all")
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_role("textbox", name="Cool-down").fill("soon")
    await dialog.get_by_role("button", name="Save trigger").click()
    await expect(dialog.get_by_role("textbox", name="Cool-down")).to_have_attribute("aria-invalid", "true")
    await expect(tick(dialog, ORDERS)).to_be_checked()
    await dialog.get_by_role("textbox", name="Cool-down").fill("50m")
    await dialog.get_by_role("button", name="Save trigger").click()
    await expect(page.locator("[data-toast]")).to_contain_text("Nothing was started")
    await expect(page.get_by_role("region", name="Starts")).to_contain_text("2 tables, cool-down 50 min")
    saved = await visit.client.get("orchestrations/campaigns/triggers/main")
    assert (saved["tables"], saved["cool_down_seconds"], saved["mode"]) == ([ORDERS, RETURNS], 3000, "defer")


async def test_an_update_changes_the_dots_and_the_words_while_someone_types(visit: Visit) -> None:
    """Moment 4: without a reload, and the focus stays in the field."""
    await visit.orchestration("campaigns")
    body = {"tables": [ORDERS, RETURNS], "cool_down_seconds": 600}
    trigger = await visit.client.put("orchestrations/campaigns/triggers/shop", body, status=201)
    await rhythmic(visit, RETURNS, timedelta(minutes=30), 40, timedelta(minutes=64))
    await known(visit, trigger["id"])
    page = await visit.open()
    row = page.locator("#row-campaigns")
    await expect(row).to_contain_text("0 of 2")
    await updated(visit, ORDERS)
    await expect(row).to_contain_text("1 of 2")
    await expect(row.locator("[data-ready]")).to_have_count(2)  # once for a phone
    await row.get_by_role("link", name="campaigns", exact=True).click()
    await page.get_by_role("region", name="Starts").get_by_role("link", name="shop").click()
    dialog = page.get_by_role("dialog")
    readiness = dialog.locator("[data-readiness]")
    await expect(readiness).to_have_text("1 of 2")
    missing = dialog.locator(".o-ready li").first
    await expect(missing).to_contain_text(RETURNS)
    await expect(missing).to_contain_text("34 min late")
    await expect(missing).to_contain_text("when the trigger was created; every 30 min")
    await dialog.get_by_role("textbox", name="Cool-down").fill("2")
    await updated(visit, RETURNS)
    await expect(readiness).to_have_text("2 of 2")
    await expect(dialog.get_by_role("textbox", name="Cool-down")).to_be_focused()
    await expect(dialog.get_by_role("textbox", name="Cool-down")).to_have_value("2")
    await expect(dialog.locator(".o-fires")).to_contain_text("completed the set")
    await expect(dialog.locator(".o-explain")).to_contain_text(
        "Requested a run because 2 of 2 tables were updated"
    )
    assert await axe(page, "'dialog'") == []
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
    await page.set_viewport_size({"width": 1440, "height": 900})
    await dialog.get_by_role("link", name="Drop what was counted…").click()
    asks = dialog.get_by_role("alertdialog", name="Discard what you typed?")
    await asks.get_by_role("button", name="Keep editing").click()
    await expect(dialog.get_by_role("textbox", name="Cool-down")).to_have_value("2")
    await dialog.get_by_role("link", name="Drop what was counted…").click()
    await asks.get_by_role("button", name="Discard").click()
    await expect(dialog.get_by_role("heading", level=2)).to_have_text(
        "Drop what was counted for shop of campaigns?"
    )
    await dialog.get_by_role("button", name="Drop what was counted").click()
    await expect(page.locator("[data-toast]")).to_contain_text("shop needs new updates of both tables")
    await page.get_by_role("link", name="Why did it (not) run?").first.click()
    await expect(page.get_by_role("region", name="Why did it (not) run?")).to_contain_text(
        "The run waits to start"
    )
    assert await axe(page) == []
    await page.get_by_role("link", name="What became of each update").click()
    await expect(page.locator("#updates tbody tr")).to_have_count(2)
    await visit.open("orchestrations/campaigns")
    starts = page.get_by_role("region", name="Starts")
    await page.get_by_role("switch", name="Trigger shop is enabled").click()
    await expect(starts).to_contain_text("Paused")
    await starts.get_by_role("link", name="shop").click()
    await dialog.get_by_role("link", name="Remove…").click()
    await dialog.get_by_role("button", name="Remove shop").click()
    await expect(starts).to_contain_text("By hand or by the API only.")


async def test_a_viewer_sees_all_and_changes_nothing(site: Site) -> None:
    async with visiting(site, role="viewer") as visit:
        await visit.orchestration("campaigns")
        body = {"tables": [ORDERS]}
        await visit.client.put("orchestrations/campaigns/triggers/shop", body, status=201)
        page = await visit.open("orchestrations/campaigns/triggers/shop")
        await expect(page.get_by_role("button", name="Save trigger")).to_be_disabled()
        await expect(page.locator("main")).to_contain_text("You may look, but not change. Editors of")
        await expect(page.locator("[data-readiness]")).to_have_text("0 of 1")
        assert await axe(page) == []
        await visit.open("orchestrations/campaigns/new-schedule")
        await expect(page.get_by_role("button", name="Save schedule")).to_be_disabled()
