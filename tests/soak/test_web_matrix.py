"""Every page in every look, with hostile text in every name, message and log; and what must hold for hours.

New pages are in by themselves (`tests/support/web_pages.py`).
"""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.recorded_runs import LOG, failed
from tests.support.chromium import DESK, PHONE, axe, overflows
from tests.support.web_pages import REFUSED, opened, path_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500), pytest.mark.asyncio(loop_scope="session")]

EVIL = (
    '<img src=x onerror="hacked=1">',
    '"><script>hacked=1</script>',
    "'onmouseover='hacked=1'autofocus onfocus='hacked=1",
    "</title></textarea></style><svg onload=hacked=1>",
    "{{ 7 * 7 }}${hacked=1}<% hacked=1 %>",
    "javascript:hacked=1",
    "<hx-partial hx-target='#main'><a hx-get='/x' hx-trigger='load'>x</a></hx-partial>",
    "\u202egnp.exe\u2066 & &amp; &#x3c;",
)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "reduced": {"reduced_motion": "reduce", "color_scheme": "dark"},
}
HACKED = """() => [
  ...(window.hacked ? ["a script of theirs ran"] : []),
  ...[...document.querySelectorAll("img[src='x'], [onerror], [onload], [onfocus], [onmouseover]")]
    .map((e) => e.outerHTML),
  ...[...document.querySelectorAll("[href^='javascript:' i]")].map((e) => e.outerHTML),
  ...[...document.scripts].filter((e) => !e.src && e.type !== "application/json").map((e) => e.outerHTML),
]"""


async def furnished(visit: Visit) -> dict[str, str]:
    """One of each thing, all with hostile names; returns the parts of addresses that this makes."""
    client = visit.client
    schema = {"parameters": {"rows": 1}, "name": EVIL[0], "description": EVIL[1]}
    await client.put("configurations/demo-extractor/one", schema)
    await client.put("configurations/demo-extractor/one", {**schema, "parameters": {"rows": 2}})
    await client.put("variables/region", {"value": EVIL[0]})
    other = await other_project(visit)
    run = (await failed(visit, message=EVIL[0] + EVIL[1], lines=[*LOG, *EVIL, *LOG])).run
    orchestration = await client.get("orchestrations/campaigns")
    phases = orchestration["phases"]
    for number, phase in enumerate(phases):
        phase["name"] = f"{EVIL[number % len(EVIL)]}{number}"
        for task in phase["tasks"]:
            task["name"] = EVIL[(number + 1) % len(EVIL)]
    body = {"name": EVIL[3], "description": EVIL[1], "phases": phases, "note": EVIL[0]}
    await client.put("orchestrations/campaigns", body)
    told = {"subscriptions": [{"event": "error", "address": "data-team@example.com"}]}
    await client.put("orchestrations/campaigns/notifications", told)
    await client.put("orchestrations/campaigns/schedules/main", {"cron": "0 6 * * *"}, status=201)
    trigger = {"tables": ["in.c-crm.contacts"], "cool_down_seconds": 60}
    await client.put("orchestrations/campaigns/triggers/main", trigger, status=201)
    await client.put("orchestrations/gone", {"name": EVIL[4], "phases": []}, status=201)
    await client.delete("orchestrations/gone")
    await client.put(f"buckets/in.c-crm/shares/{other}", None)
    token = await client.post("tokens", {"name": EVIL[0], "scopes": ["run"]}, status=201)
    database = visit.site.database
    await database.execute("UPDATE jobs.tasks SET name = $2 WHERE run_id = $1", run, EVIL[2])
    await database.execute("UPDATE jobs.phases SET name = $2 WHERE run_id = $1", run, EVIL[3])
    person = await database.fetchval(
        "UPDATE catalog.people SET name = $2, is_administrator = true"
        " WHERE name = 'Jana Nováková' AND id IN (SELECT person_id FROM catalog.members WHERE project = $1)"
        " RETURNING id",
        visit.project,
        EVIL[0],
    )
    job = await database.fetchval("SELECT id FROM jobs.jobs WHERE parent_id = $1 AND status = 'error'", run)
    return {
        "project": visit.project,
        "job": str(job),
        "person": str(person),
        "token": str(token["id"]),
        "shared_with": other,
    }


async def other_project(visit: Visit) -> str:
    """With which a bucket is shared."""
    name = f"{visit.project}-other"
    await visit.site.admin.post("/v1/projects", {"id": name, "name": EVIL[0]})
    return name


async def judged(page: Page, url: str, look: str, expected: int) -> list[str]:
    """What is wrong with a page."""
    answer = await page.goto(url)
    assert answer is not None
    found = [] if answer.status == expected else [f"status {answer.status}"]
    found += await page.evaluate(HACKED)
    is_page = (await answer.text()).lstrip().lower().startswith("<!doctype html")
    if is_page:
        found += await axe(page)
    if is_page and look == "reduced":
        await page.set_viewport_size(PHONE)
        found += [f"too wide: {each}" for each in await overflows(page)]
        found += await axe(page)
        await page.set_viewport_size(DESK)
    return found


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_in_every_look(site: Site, look: str) -> None:
    async with visiting(site, "admin", **LOOKS[look]) as visit:
        made = await furnished(visit)
        wrong: dict[str, list[str]] = {}
        for each in opened():
            if found := await judged(
                visit.page, site.url + path_of(each, made), look, REFUSED.get(each.name, 200)
            ):
                wrong[each.name] = found
        report = "\n".join(f"{name}: {each}" for name, found in wrong.items() for each in found)
        assert not wrong, report


async def shown_or_hidden(page: Page, is_hidden: bool) -> None:
    """As the browser tells a tab that goes to the back or comes to the front."""
    await page.evaluate(
        """(hidden) => {
          const state = { hidden, visibilityState: hidden ? "hidden" : "visible" };
          for (const [name, value] of Object.entries(state))
            Object.defineProperty(document, name, { get: () => value, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


async def test_seven_tabs_stay_live(site: Site) -> None:
    """A browser has six connections to a server: tabs in the back give theirs back."""
    async with visiting(site) as visit:
        await visit.orchestration("campaigns")
        job = await visit.ran("campaigns", 1, "processing")
        tabs = [visit.page, *[await visit.page.context.new_page() for _ in range(6)]]
        for tab in tabs:
            await tab.goto(f"{site.url}/projects/{visit.project}/orchestrations")
            await expect(tab.locator("#live")).to_have_text("Live")
            if tab is not tabs[-1]:
                await shown_or_hidden(tab, True)
                await expect(tab.locator("#live")).to_have_text("Paused while hidden")
        await visit.becomes(job, "error")
        await expect(tabs[-1].locator("#row-campaigns")).to_contain_text("Error")
        await shown_or_hidden(tabs[0], False)
        await expect(tabs[0].locator("#row-campaigns")).to_contain_text("Error")


STATE = """() => [scrollY, lines.scrollTop, document.activeElement.name, document.activeElement.value,
  document.activeElement.selectionStart, document.querySelector("#other-errors").open,
  getSelection().toString()]"""


async def test_fifty_changes_take_nothing_from_the_person(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.orchestration("campaigns")
        made = await failed(visit, lines=[*LOG] * 50)
        await made.task(3, "two", "error", (390, 390, 391, 412), message="also")
        page = await visit.open("orchestrations/campaigns/runs/42")
        await expect(page.locator("#live")).to_have_text("Live")
        await page.locator("#other-errors summary").click()
        await page.get_by_role("searchbox", name="Search this log").fill("half typed")
        await page.keyboard.press("ArrowLeft")
        await page.evaluate("scrollTo(0, 500)")
        await page.evaluate("lines.scrollTop = 300")
        before = await page.evaluate(STATE)
        refreshed = (
            "window.refreshed = 0; document.addEventListener('live:refreshed', () => { refreshed++; })"
        )
        await page.evaluate(refreshed)
        for _ in range(50):
            await visit.site.database.execute(
                "UPDATE jobs.jobs SET revision = revision + 1 WHERE id = $1", made.run
            )
            await visit.tell(made.run)
            await asyncio.sleep(0.2)  # a change every now and then, not a condition
        await page.wait_for_function("() => refreshed > 10")
        assert await page.evaluate(STATE) == before


async def test_all_of_ninety_thousand_lines_can_be_found(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.orchestration("campaigns")
        await failed(
            visit, lines=[*LOG, *(f"row {count}" for count in range(len(LOG) + 1, 90_001)), *[""] * 9]
        )
        page = await visit.open("orchestrations/campaigns/runs/42#L89000")
        await expect(page.locator("#L89000")).to_be_in_viewport(ratio=1)
        await page.wait_for_function("() => 'whole' in lines.dataset", timeout=120_000)
        assert await page.evaluate("find('row 89500')")
        assert await found_line(page) == "L89500"
        assert await page.evaluate("find('row 45678', false, true)")
        assert await found_line(page) == "L45678"


async def found_line(page: Page) -> str:
    """Where the selection is."""
    return await page.evaluate("getSelection().anchorNode.parentElement.closest('li').id")  # type: ignore[no-any-return]
