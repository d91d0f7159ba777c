"""Search or do… by keyboard, the keys, and what stands beside the sections."""

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Visit
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_one_finds_and_opens_by_keyboard_alone(visit: Visit) -> None:
    for name in ("campaigns", "campaigns-eu"):
        await visit.orchestration(name)
    await visit.ran("campaigns", 42, "success")
    await visit.open("orchestrations/campaigns/runs/42")
    page = await visit.open()
    await expect(page.locator(".o-nav", has_text="Orchestrations")).to_contain_text("2")
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or do")
    await expect(field).to_be_focused()
    await expect(page.get_by_role("group", name="Visited last")).to_contain_text("campaigns #42")
    assert await axe(page, "document.querySelector('#palette')") == []

    await page.keyboard.type("campaigns 42")
    first = page.get_by_role("group", name="Runs").get_by_role("option", name="campaigns #42")
    await expect(first).to_have_attribute("aria-selected", "true")
    assert await field.get_attribute("aria-activedescendant") == await first.get_attribute("id")
    await field.fill("camp")
    options = page.get_by_role("group", name="Orchestrations").get_by_role("option")
    await expect(options).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowDown")
    async with page.context.expect_page() as opened:
        await page.keyboard.press("Control+Enter")
    other = await opened.value
    await expect(other).to_have_url(f"{visit.site.url}/projects/{visit.project}/orchestrations/campaigns")
    await other.close()

    await field.fill("run campaigns-eu")
    await expect(page.get_by_role("option").first).to_have_text("Run campaigns-eu…")
    await expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="campaigns-eu")).to_be_visible()
    await expect(page.locator("#palette")).to_be_hidden()


async def test_keys_lead_to_sections_and_are_listed(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    page = await visit.open()
    await page.keyboard.press("g")
    await page.keyboard.press("j")
    await expect(page).to_have_title(f"Jobs · {visit.project}")
    await page.get_by_label("Search jobs").focus()
    await page.keyboard.type("go?")
    await expect(page.get_by_label("Search jobs")).to_have_value("go?")
    await page.keyboard.press("Tab")
    await page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keys and help")
    await expect(listed).to_be_visible()
    assert await axe(page, "document.querySelector('#keys')") == []
    await page.keyboard.press("Escape")
    await page.evaluate("document.documentElement.dataset.singleKeys = 'off'")
    await page.keyboard.press("?")
    await expect(listed).to_be_hidden()

    await page.set_viewport_size(PHONE)
    await page.get_by_role("link", name="Search", exact=True).click()
    await expect(page.get_by_role("combobox", name="Search or do")).to_be_focused()
    await page.keyboard.press("Escape")
    await visit.open("search?q=camp")
    await expect(page.locator("#main").get_by_role("link", name="campaigns", exact=True)).to_be_visible()
    assert (await axe(page), await overflows(page)) == ([], [])
