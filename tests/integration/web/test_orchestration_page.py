"""One orchestration in a real browser: its parts, its runs, and the way from the list."""

from datetime import timedelta

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def furnished(visit: Visit) -> None:
    """One with a schedule, a trigger, someone who is notified, and 25 runs of which two failed."""
    await visit.orchestration("campaigns", description="Refresh campaign reporting")
    await visit.client.put("orchestrations/campaigns/schedules/often", {"every_seconds": 2700}, status=201)
    tables = {"tables": ["in.c-crm.contacts", "in.c-crm.deals"], "cool_down_seconds": 3000}
    await visit.client.put("orchestrations/campaigns/triggers/crm", tables, status=201)
    for number in range(1, 26):
        status = "error" if number in (7, 20) else "success"
        await visit.ran("campaigns", number, status, ago=timedelta(hours=26 - number), took=400 + number)


async def test_everything_about_it_is_on_one_page(visit: Visit) -> None:
    await furnished(visit)
    page = await visit.open()
    await page.get_by_role("link", name="campaigns", exact=True).click()
    await expect(page).to_have_title(f"✔ campaigns #25 · {visit.project}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("campaigns")
    starts = page.get_by_role("region", name="Starts")
    await expect(starts).to_contain_text("Every 45 min")
    await expect(starts).to_contain_text("2 tables, cool-down 50 min")
    await expect(page.get_by_role("region", name="Tasks")).to_contain_text("1 in 1 phase")
    chart = page.get_by_role("region", name="Last runs").get_by_role("img").first
    await expect(chart).to_have_accessible_name(
        "Duration of the last 25 runs: usually 6 min 55 s; run 25, success, took 7 min 5 s"
    )
    assert await axe(page) == []
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
    assert await axe(page) == []


async def test_runs_are_filtered_and_paged_by_the_url(visit: Visit) -> None:
    await furnished(visit)
    page = await visit.open("orchestrations/campaigns")
    runs = page.locator("#runs tbody tr")
    await expect(runs).to_have_count(20)
    await page.get_by_role("link", name="Older").click()
    await expect(runs).to_have_count(5)
    await page.get_by_role("link", name="Newest").click()
    await page.get_by_role("link", name="Failed 2").click()
    await expect(runs).to_have_count(2)
    assert page.url.endswith("?runs=failed")
    await page.go_back()
    await expect(runs).to_have_count(20)


async def test_it_changes_by_itself(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    job = await visit.ran("campaigns", 1, "processing")
    page = await visit.open("orchestrations/campaigns")
    await expect(page).to_have_title(f"◐ campaigns #1 · {visit.project}")
    await visit.becomes(job, "error")
    await expect(page.locator("#head")).to_contain_text("Last run failed")
    await expect(page.locator("#runs tbody")).to_contain_text("Error")
    await expect(page).to_have_title(f"✖ campaigns #1 · {visit.project}")
    await page.get_by_role("switch", name="campaigns is enabled").click()
    await expect(page.locator("#head")).to_contain_text("Disabled")


async def test_what_cannot_be_run_says_why(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.client.put("orchestrations/empty", {"phases": []}, status=201)
        page = await visit.open("orchestrations/empty")
        run = page.get_by_role("button", name="Run…", exact=True)
        await expect(run).to_be_disabled()
        await expect(run).to_have_attribute("title", "Add a task first")
        await expect(page.get_by_role("heading", name="No run yet")).to_be_visible()
        answer = await page.goto(f"{site.url}/projects/{visit.project}/orchestrations/ghost")
        assert answer is not None
        assert answer.status == 404
        await page.get_by_role("link", name=f"Orchestrations of {visit.project}").click()
        await expect(page).to_have_title(f"Orchestrations · {visit.project}")
