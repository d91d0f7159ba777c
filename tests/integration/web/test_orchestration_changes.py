"""Changes of an orchestration in a real browser: names, versions, copies, backfills, token, and the trash."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_it_is_renamed_and_an_overtaken_form_keeps_what_was_typed(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("link", name="Edit name, description and labels").click()
    dialog = page.get_by_role("dialog", name="Edit campaigns")
    await dialog.get_by_label("Name").fill("Campaign reports")
    await dialog.get_by_label("Labels").fill("marketing, daily, marketing")
    current = await visit.client.get("orchestrations/campaigns")
    changed = {"phases": current["phases"], "description": "Meanwhile"}
    await visit.client.put("orchestrations/campaigns", changed, headers={"If-Match": current["etag"]})
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert").first).to_contain_text("admin@example.com changed it")
    await expect(dialog.get_by_label("Name")).to_have_value("Campaign reports")
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_label("Description").fill("Meanwhile")
    await dialog.get_by_role("button", name="Put mine on top").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Campaign reports")
    await expect(page.locator("#head")).to_contain_text("marketing")
    saved = await visit.client.get("orchestrations/campaigns")
    assert (saved["name"], saved["labels"], saved["description"]) == (
        "Campaign reports",
        ["daily", "marketing"],
        "Meanwhile",
    )


async def test_versions_are_compared_and_an_old_one_comes_back(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    task = {"component": "demo-extractor", "configuration": "one", "attempts": 3}
    two = {"phases": [{"name": "Extract", "tasks": [task]}], "note": "The shop is slow at night"}
    await visit.client.put("orchestrations/campaigns", two)
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("link", name="Compare with 1").click()
    await expect(page).to_have_title(f"campaigns, versions 1 and 2 · {visit.project}")
    differs = page.get_by_role("region", name="What differs")
    await expect(differs).to_contain_text("tasks.demo-extractor/one.attempts")
    await expect(differs).to_contain_text("\N{MINUS SIGN}1")
    await expect(differs).to_contain_text("+3")
    assert await axe(page) == []
    await page.get_by_role("link", name="Versions").click()
    await expect(page.locator("tbody tr")).to_have_count(2)
    await expect(page.locator("tbody")).to_contain_text("The shop is slow at night")
    assert await axe(page) == []
    await page.get_by_role("link", name="Run version 1…").click()
    dialog = page.get_by_role("dialog", name="Run campaigns")
    await expect(dialog).to_contain_text("Version 1, not the current one, which is 2")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
    await page.get_by_role("link", name="Restore version 1…").click()
    await page.get_by_role("button", name="Restore version 1").click()
    await expect(page.locator("#about")).to_contain_text("“restored version 1”")
    assert (await visit.client.get("orchestrations/campaigns"))["phases"][0]["tasks"][0]["attempts"] == 1


async def test_it_goes_to_the_trash_and_comes_back(site: Site) -> None:
    async with visiting(site, "admin") as visit:
        await trashed_and_restored(visit)


async def trashed_and_restored(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    await visit.orchestration("legacy")
    page = await visit.open()
    await page.get_by_role("button", name="More about legacy").click()
    await page.get_by_role("button", name="Move to trash").locator("visible=true").click()
    await expect(page.locator("#toasts")).to_contain_text("legacy is in the trash.")
    await expect(page.locator("#row-legacy")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#row-legacy")).to_be_visible()
    await page.get_by_role("button", name="More about legacy").click()
    await page.get_by_role("button", name="Move to trash").locator("visible=true").click()
    await expect(page.locator("#row-legacy")).to_have_count(0)
    await visit.client.put("configurations/demo-extractor/two", {"parameters": {"rows": 1}}, status=201)
    await visit.client.delete("configurations/demo-extractor/two")
    page = await visit.open("trash")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await expect(page.locator("#row-demo-extractor-two")).to_contain_text("Configuration demo-extractor/two")
    await expect(page.locator("#row-orchestrator-legacy")).to_contain_text("admin-")
    assert await axe(page) == []
    await page.get_by_role("link", name="Delete two for good…").click()
    dialog = page.get_by_role("dialog", name="Delete two for good?")
    await expect(dialog.get_by_role("link", name="Keep it")).to_be_focused()
    await dialog.get_by_role("button", name="Delete two").click()
    await expect(page.locator("#toasts")).to_contain_text("two is deleted for good.")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
    await page.get_by_role("link", name="legacy", exact=True).click()
    await expect(page.locator("#notes")).to_contain_text("It is in the trash")
    await expect(page.get_by_role("button", name="Run…")).to_be_disabled()
    await page.get_by_role("button", name="Restore").click()
    await expect(page.get_by_text("It is in the trash")).to_have_count(0)
    assert (await visit.client.get("orchestrations/legacy"))["id"] == "legacy"


async def test_past_fires_are_seen_before_they_run(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    daily = {"cron": "30 5 * * *", "timezone": "Europe/Prague"}
    await visit.client.put("orchestrations/campaigns/schedules/daily", daily, status=201)
    page = await visit.open("orchestrations/campaigns")
    await expect(page.locator("#notes")).to_contain_text("It has a schedule and has never finished a run.")
    await page.get_by_role("button", name="More about campaigns").click()
    await page.get_by_role("link", name="Backfill…").click()
    dialog = page.get_by_role("dialog", name="Backfill campaigns")
    today = datetime.now(UTC)
    await dialog.get_by_label("From").fill(f"{today - timedelta(days=4):%Y-%m-%d} 00:00")
    await dialog.get_by_label("To", exact=True).fill(f"{today - timedelta(days=1):%Y-%m-%d} 00:00")
    await dialog.get_by_role("button", name="Show the fires").click()
    await expect(dialog.get_by_role("status").locator("time")).to_have_count(3)
    assert (await visit.client.get("orchestrations/campaigns/runs"))["items"] == []
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_role("button", name="Run 3 fires").click()
    await expect(page.locator("#toasts")).to_contain_text("3 runs of campaigns were requested, oldest first.")


async def test_a_copy_a_file_and_a_new_secret(visit: Visit) -> None:
    await visit.orchestration("campaigns", description="Refresh campaign reporting")
    page = await visit.open("orchestrations/campaigns")
    async with page.expect_download() as waited:
        await page.get_by_role("button", name="More about campaigns").click()
        await page.get_by_role("link", name="Export YAML").click()
    text = (await (await waited.value).path()).read_text()
    assert "orchestration: campaigns" in text
    assert "- run: demo-extractor/one" in text
    before = (await visit.client.get("orchestrations/campaigns/token"))["prefix"]
    await page.get_by_role("link", name="Refresh…").click()
    await expect(page.get_by_role("dialog").get_by_role("link", name="Cancel")).to_be_focused()
    await page.get_by_role("button", name="Refresh the token").click()
    await expect(page.locator("#toasts")).to_contain_text("The token of campaigns has a new secret.")
    assert (await visit.client.get("orchestrations/campaigns/token"))["prefix"] != before
    await page.get_by_role("button", name="More about campaigns").click()
    await page.get_by_role("link", name="Duplicate…").click()
    await page.get_by_role("button", name="Duplicate it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("campaigns (copy)")
    await expect(page.locator("#head")).to_contain_text("Disabled")
