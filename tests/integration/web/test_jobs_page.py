"""The jobs of a project: the lanes with place and holder, the search, and one job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect
from tests.integration.web.conftest import Visit
from tests.integration.web.recorded_runs import lane, written
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@asynccontextmanager
async def _changing_meanwhile(page: Page) -> AsyncIterator[None]:
    """A change is on its way before, and is there only afterwards."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if "x-have" in route.request.headers:
            asked.set()
            await may_answer.wait()
        await route.continue_()

    await page.route("**/jobs", hold)
    await page.evaluate(
        """() => { window.refreshed = new Promise((done) =>
             document.addEventListener("live:refreshed", done, { once: true }));
           htmx.trigger(document.querySelector("[data-stream]"), "live:changed", { topics: ["jobs"] }); }"""
    )
    await asyncio.wait_for(asked.wait(), 30)
    yield
    may_answer.set()
    await page.evaluate("async () => { await window.refreshed; }")
    await page.unroute("**/jobs", hold)


async def test_a_lane_tells_place_holder_and_start_and_shows_a_termination_first(visit: Visit) -> None:
    _, waiting = await lane(visit)
    page = await visit.open("jobs")
    await expect(page).to_have_title(f"◐ 1 running · Jobs · {visit.project}")
    last = page.locator(f"#job-{waiting[2]}")
    await expect(last).to_contain_text("Third of 3, held by nightly-sales #411 since")
    await expect(last).to_contain_text("expected start about")
    said = page.locator("[id^=said-]").first
    await expect(said).to_contain_text("3 wait for nightly-sales #411")
    await expect(said).to_contain_text("third Jana Nováková, about")
    link = said.get_by_role("link", name="nightly-sales #411")
    await expect(link).to_have_attribute(
        "href", f"/projects/{visit.project}/orchestrations/nightly-sales/runs/411"
    )
    assert (await axe(page), await overflows(page)) == ([], [])

    methods: set[str] = set()
    page.on("request", lambda request: methods.add(request.method))
    end = page.get_by_role("link", name="Terminate the holder…")
    await end.hover()
    await expect(said).to_contain_text("Without demo-extractor/one of nightly-sales #411: 3 wait for it.")
    await expect(said).to_contain_text("First Petra Dvořák, now; second")
    await page.get_by_role("heading", level=1).hover()
    await expect(said).to_contain_text("3 wait for nightly-sales #411")
    await end.focus()
    await expect(said).to_contain_text("First Petra Dvořák, now")
    await page.locator(f"#job-{waiting[0]}").get_by_role("link", name="Terminate").focus()
    await expect(said).to_contain_text(
        "Without demo-extractor/one #7: 2 wait for it. First Tomáš Říha, about"
    )
    await end.focus()
    await expect(said).to_contain_text("First Petra Dvořák, now")
    assert methods == {"GET"}

    await page.get_by_role("heading", level=1).hover()
    await end.blur()
    await expect(said).to_contain_text("3 wait for nightly-sales #411")
    async with _changing_meanwhile(page):
        await end.focus()
        await expect(said).to_contain_text("First Petra Dvořák, now")
    await expect(said).to_contain_text("First Petra Dvořák, now")

    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Terminate demo-extractor/one of nightly-sales #411?")
    await expect(dialog).to_contain_text("would start now instead of about")
    await dialog.get_by_role("button", name="Terminate demo-extractor/one").click()
    await expect(page.locator("[data-toast]")).to_contain_text("is asked to stop")
    await page.set_viewport_size(PHONE)
    await visit.open("jobs")
    assert (await axe(page), await overflows(page)) == ([], [])


async def test_all_jobs_are_searched_in_one_text(visit: Visit) -> None:
    holder, waiting = await lane(visit)
    page = await visit.open("jobs")
    await page.keyboard.press("/")
    await page.keyboard.type("status:waiting by:petra")
    await page.keyboard.press("Enter")
    rows = page.locator("#all tbody tr")
    await expect(rows).to_have_count(1)
    await expect(rows).to_have_id(f"job-{waiting[0]}")
    assert await axe(page) == []

    await page.get_by_label("Search jobs").fill("status:eror")
    await page.keyboard.press("Enter")
    await expect(page.locator("#q-error")).to_contain_text(
        "Character 8: there is no status 'eror'; use created"
    )
    await expect(page.get_by_label("Search jobs")).to_be_focused()
    await expect(page.get_by_label("Search jobs")).to_have_value("status:eror")
    await expect(page.get_by_text("duration:>10m or duration:<1h")).to_be_visible()
    assert await axe(page) == []

    await visit.open("jobs?view=all")
    await expect(rows).to_have_count(10)
    await visit.runner.job("one", 10, "success")
    await visit.tell(holder)
    await expect(rows).to_have_count(11)
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []


async def test_a_job_leads_to_its_run_or_has_a_page(visit: Visit) -> None:
    holder, waiting = await lane(visit)
    page = await visit.open(f"jobs/{holder}")
    await expect(page).to_have_url(
        f"{visit.site.url}/projects/{visit.project}/orchestrations/nightly-sales/runs/411?task=one"
    )
    await visit.open(f"jobs/{waiting[1]}")
    await expect(page).to_have_title(f"⧗ demo-extractor/one #8 · {visit.project}")
    await expect(page.locator("#job")).to_contain_text("Second of 3, held by nightly-sales #411")
    assert await axe(page) == []
    await visit.becomes(waiting[1], "error")
    await expect(page).to_have_title(f"✖ demo-extractor/one #8 · {visit.project}")
    ended = await visit.runner.job("two", 1, "error", message="no such host")
    await written(visit, ended, ["Reading", "ERROR: no such host"])
    await visit.open(f"jobs/{ended}?line=2#L2")
    await expect(page.locator("#job")).to_contain_text("no such host")
    await expect(page.locator("#L2")).to_have_attribute("data-marked", "")
    await page.locator("#L1 > a").click()
    await expect(page).to_have_url(f"{visit.site.url}/projects/{visit.project}/jobs/{ended}?line=1#L1")
    assert (await axe(page), await overflows(page)) == ([], [])

    await visit.open("tables")
    await expect(page.locator("#badge-jobs")).to_have_text("1 running")
    await visit.becomes(holder, "success")
    await expect(page.locator("#badge-jobs")).to_have_text("")
