"""The list of orchestrations in a real browser: found, filtered, run, switched, and live."""

import asyncio
from datetime import timedelta

import pytest
from playwright.async_api import Route, expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows
from tests.support.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def furnished(visit: Visit) -> None:
    """Three orchestrations: one that failed, one that is at work and starts by itself, one that is off."""
    await visit.orchestration("campaigns", description="Refresh campaign reporting")
    await visit.orchestration("nightly-sales")
    await visit.orchestration("legacy", enabled=False)
    await visit.client.put(
        "orchestrations/nightly-sales/schedules/often", {"every_seconds": 2700}, status=201
    )
    for number, status in ((1, "success"), (2, "success"), (3, "error")):
        await visit.ran("campaigns", number, status, ago=timedelta(hours=3 - number), took=60 * number)


async def test_the_list_says_what_is_wrong_and_what_is_next(visit: Visit) -> None:
    await furnished(visit)
    page = await visit.open()
    await expect(page).to_have_title(f"✖ 1 failed · Orchestrations · {visit.project}")
    failed = page.locator("#row-campaigns")
    await expect(failed).to_contain_text("Error")
    await expect(failed).to_contain_text("#3")
    await expect(failed).to_have_attribute("data-tone", "error")
    await expect(failed.get_by_role("img")).to_have_accessible_name("Last 3 runs: 2 success, 1 error")
    await expect(page.locator("#row-nightly-sales")).to_contain_text("Every 45 min")
    await expect(page.locator("#row-legacy")).to_contain_text("Paused")
    await expect(page.locator("#live")).to_have_text("Live")
    attention = page.get_by_role("region", name="Needs attention")
    await expect(attention.get_by_role("listitem")).to_have_count(1)
    await expect(attention).to_contain_text("campaigns #3 failed")
    assert await axe(page) == []


async def test_typing_filters_all_rows_and_the_url_keeps_it(visit: Visit) -> None:
    await furnished(visit)
    page = await visit.open()
    await page.keyboard.press("/")
    await page.keyboard.type("REPORT", delay=20)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page).to_have_url(f"{visit.site.url}/projects/{visit.project}/orchestrations?q=REPORT")
    await expect(page.locator("#filter")).to_be_focused()
    await page.keyboard.type("x", delay=20)
    await expect(page.get_by_text("No orchestration matches “REPORTx”")).to_be_visible()
    await page.reload()
    await expect(page.locator("#filter")).to_have_value("REPORTx")
    await page.locator("#filter").fill("campains")
    await expect(page.get_by_role("link", name="campaigns", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Clear the filter").click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await expect(page.get_by_role("link", name="Failed 1")).to_be_visible()
    await page.get_by_role("link", name="Disabled 1").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.go_back()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await page.get_by_role("link", name="Starts, next run").click()
    await expect(page.get_by_role("columnheader", name="Starts, next run")).to_have_attribute(
        "aria-sort", "ascending"
    )


async def test_a_change_appears_by_itself_and_takes_nothing_from_the_person(visit: Visit) -> None:
    await furnished(visit)
    job = await visit.ran("nightly-sales", 1, "processing")
    page = await visit.open()
    await expect(page.locator("#row-nightly-sales")).to_contain_text("Processing")
    await page.locator("#filter").focus()
    await page.evaluate("document.querySelector('#row-campaigns').kept = true")
    await visit.becomes(job, "error")
    await expect(page.locator("#row-nightly-sales")).to_contain_text("Error")
    await expect(page.get_by_role("link", name="Failed 2")).to_be_visible()
    await expect(page).to_have_title(f"✖ 2 failed · Orchestrations · {visit.project}")
    await expect(page.locator("#filter")).to_be_focused()
    assert await page.evaluate("document.querySelector('#row-campaigns').kept")


async def test_a_page_is_live_however_late_its_scripts_come(visit: Visit) -> None:
    """htmx used to begin without the extension for events if that came later than htmx itself."""
    await furnished(visit)

    async def late(route: Route) -> None:
        await asyncio.sleep(0.3)
        await route.continue_()

    await visit.page.route("**/hx-sse*", late)
    async with visit.page.expect_request("**/events"):
        await visit.open()


COUNTED = """
(() => {
  const real = setTimeout;
  window.planned = 0;
  window.setTimeout = (run, ...rest) => {
    if (run.name === "refresh") window.planned++;
    return real(run, ...rest);
  };
})()
"""
CHANGED = """
document.querySelector("#stream")
  .dispatchEvent(new CustomEvent("live:changed", {detail: {topics: ["runs"]}}))
"""


async def test_a_page_waits_for_a_slow_server(visit: Visit) -> None:
    """What changes while it fetches is fetched once, afterwards."""
    await furnished(visit)
    page = await visit.open()
    await expect(page.locator("#live")).to_have_text("Live")
    asked, answered, held = 0, asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        nonlocal asked
        asked += 1
        held.set()
        await answered.wait()
        await route.continue_()

    await page.route("**/orchestrations?overview=*", hold)
    await page.evaluate(COUNTED)
    await page.evaluate(CHANGED)
    await held.wait()
    planned = await page.evaluate("planned")
    for _ in range(3):
        await page.evaluate(CHANGED)
    assert (asked, await page.evaluate("planned")) == (1, planned)
    answered.set()
    await eventually(lambda: asked == 2)


async def test_switching_off_can_be_undone(visit: Visit) -> None:
    await furnished(visit)
    page = await visit.open()
    switch = page.get_by_role("switch", name="campaigns is enabled")
    await switch.click()
    said = "campaigns is disabled. Schedules and triggers pause."
    await expect(page.locator("#toasts")).to_contain_text(said)
    await expect(switch).to_have_attribute("aria-checked", "false")
    assert (await visit.client.get("orchestrations/campaigns"))["enabled"] is False
    assert await axe(page) == []
    await page.get_by_role("button", name="Undo").click()
    await expect(switch).to_have_attribute("aria-checked", "true")
    assert (await visit.client.get("orchestrations/campaigns"))["enabled"] is True


async def test_a_viewer_sees_all_and_changes_nothing(site: Site) -> None:
    async with visiting(site, "viewer") as visit:
        await furnished(visit)
        page = await visit.open()
        await expect(page.get_by_text("You may look, but not change.")).to_be_visible()
        await expect(page.get_by_role("button", name="Run campaigns…")).to_be_disabled()
        await expect(page.get_by_role("switch", name="campaigns is enabled")).to_be_disabled()


async def test_without_scripts_everything_is_read_and_forms_work(site: Site) -> None:
    async with visiting(site, java_script_enabled=False) as visit:
        await furnished(visit)
        page = await visit.open()
        await page.get_by_role("switch", name="campaigns is enabled").click()
        assert page.url.endswith("/orchestrations")
        await expect(page.locator("#row-campaigns")).to_contain_text("Disabled")
        await page.get_by_role("link", name="Run campaigns…").click()
        await page.get_by_role("button", name="Run 1 task").click()
        assert page.url.endswith("/orchestrations/campaigns")
        assert len((await visit.client.get("orchestrations/campaigns/runs"))["items"]) == 4


async def test_on_a_phone_a_row_has_two_lines_and_nothing_scrolls_sideways(site: Site) -> None:
    async with visiting(site) as visit:
        await furnished(visit)
        await visit.page.set_viewport_size(PHONE)
        page = await visit.open()
        assert await overflows(page) == []
        assert await axe(page) == []
        await page.get_by_role("button", name="More").click()
        await expect(page.get_by_role("link", name="Account")).to_be_hidden()
        await expect(page.locator("#side")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#side")).to_be_hidden()


async def test_an_empty_project_says_what_an_orchestration_is(visit: Visit) -> None:
    page = await visit.open()
    await expect(page.get_by_role("heading", name="Run everything in the right order")).to_be_visible()
    assert await axe(page) == []
