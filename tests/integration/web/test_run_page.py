"""One run in a real browser: its error, its times, its log, ending it and retrying it."""

import json
import re

import pytest
from playwright.async_api import Page, ViewportSize, expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.recorded_runs import LOG, MESSAGE, begun, failed, written
from tests.support.chromium import DESK, PHONE, axe, overflows
from tests.support.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def is_in_view(page: Page, selector: str) -> bool:
    """Whether all of it can be seen without scrolling, and nothing lies over it."""
    return bool(
        await page.evaluate(
            """(selector) => {
              const each = document.querySelector(selector), box = each.getBoundingClientRect();
              const top = document.elementFromPoint(box.left + box.width / 2, box.bottom - 4);
              return box.top >= 0 && box.bottom <= innerHeight && each.contains(top);
            }""",
            selector,
        )
    )


@pytest.mark.parametrize("size", [DESK, PHONE])
async def test_one_click_leads_from_the_red_row_to_the_failing_line(visit: Visit, size: ViewportSize) -> None:
    await visit.orchestration("campaigns")
    await failed(visit)
    await visit.page.set_viewport_size(size)
    page = await visit.open()
    await page.locator("#row-campaigns").get_by_role("link", name="#42").click()
    await expect(page).to_have_title(f"✖ campaigns #42 · {visit.project}")
    line = page.locator("#e22")
    await expect(line).to_contain_text(f"ERROR: {MESSAGE}")
    await expect(line).to_have_attribute("data-level", "error")
    assert await is_in_view(page, "#e22")
    assert await is_in_view(page, ".o-err-msg")
    await expect(page.locator(".o-sub")).to_contain_text("in phase 3 of 4. 2 of 6 tasks were not executed.")
    await expect(page.locator("#error")).to_contain_text("Configuration error")
    retry = page.get_by_role("link", name="Retry…").locator("visible=true")
    box = await retry.bounding_box()
    assert box is not None
    assert size is DESK or box["y"] > size["height"] * 2 / 3
    assert await axe(page) == []
    assert await overflows(page) == []


async def test_the_timeline_says_the_same_in_words(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    await failed(visit)
    page = await visit.open("orchestrations/campaigns/runs/42")
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows.filter(has_text="Campaign performance")).to_contain_text(
        "Waited 14 s for a free slot, ran 2 min, success"
    )
    await expect(rows.filter(has_text="New recipients")).to_contain_text("Not executed")
    bars = rows.filter(has_text="Campaign performance").locator("rect title")
    assert await bars.all_text_contents() == ["waited 14 s for a free slot", "ran 2 min"]
    await expect(page.locator("#verdict")).to_contain_text("It waited")
    await page.get_by_role("link", name="List").click()
    assert page.url.endswith("/runs/42?view=list")
    row = page.get_by_role("row").filter(has_text="Campaign performance")
    await expect(row).to_contain_text("Success")
    await expect(row).to_contain_text("14 s")
    await expect(page.get_by_role("row").filter(has_text=MESSAGE)).to_contain_text("Campaign recipient")
    assert await axe(page) == []
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []


async def test_its_facts_say_what_started_it_and_what_came_of_it(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    trigger = {"tables": ["in.c-crm.contacts"], "cool_down_seconds": 60}
    await visit.client.put("orchestrations/campaigns/triggers/crm", trigger, status=201)
    run = (await failed(visit)).run
    database = visit.site.database
    await database.execute(
        "UPDATE jobs.jobs SET origin = 'trigger', requested_by = NULL, trigger_id = t.id"
        " FROM catalog.triggers t WHERE t.project = $2 AND jobs.id = $1",
        run,
        visit.project,
    )
    await database.execute(
        "INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables)"
        " SELECT trigger_id, 1, id, now(), jsonb_build_array(jsonb_build_object("
        "'project', project, 'table', 'in.c-crm.contacts', 'seq', 7)) FROM jobs.jobs WHERE id = $1",
        run,
    )
    await database.execute(
        "INSERT INTO triggers.dispositions (trigger_id, project, table_name, seq, disposition, at)"
        " SELECT trigger_id, project, 'in.c-crm.contacts', 7, 'completed', now()"
        " FROM jobs.jobs WHERE id = $1",
        run,
    )
    await database.execute(
        "UPDATE jobs.jobs SET version = 1, token_id = o.token_id FROM catalog.orchestration_tokens o"
        " WHERE o.project = $2 AND o.orchestration = 'campaigns' AND jobs.id = $1",
        run,
        visit.project,
    )
    await database.execute(
        "UPDATE jobs.jobs SET output_tables = $2 WHERE parent_id = $1 AND status = 'success'",
        run,
        json.dumps([{"table": f"out.c-campaigns.recipient-{count}"} for count in range(5)]),
    )
    await database.execute(
        "WITH fact AS (INSERT INTO notifications.facts (key, project, orchestration, event)"
        " SELECT id::text, project, configuration, 'error' FROM jobs.jobs WHERE id = $1)"
        "INSERT INTO notifications.deliveries (id, fact_key, project, orchestration, event, job_id, channel,"
        " recipient, reason, status, next_attempt_at, message_id, created_at, sent_at)"
        " SELECT gen_random_uuid(), id::text, project, configuration, 'error', id, 'email',"
        " 'data-team@example.com', 'subscription', 'sent', now(), '<1@example.com>', finished_at, finished_at"
        " FROM jobs.jobs WHERE id = $1",
        run,
    )
    page = await visit.open("orchestrations/campaigns/runs/42")
    facts = page.locator("#facts > div")
    for name, text in {
        "Started by": "trigger",
        "Updates used": "in.c-crm.contactsupdate 7, ",
        "Tables written": "out.c-campaigns.recipient",
        "Ran as": "its own token",
    }.items():
        await expect(facts.filter(has_text=name).locator("dd")).to_contain_text(text)
    await expect(facts.filter(has_text="Notified")).to_contain_text("data-team@example.com")
    await expect(facts.filter(has_text="Notified")).to_contain_text("delivered")
    await facts.get_by_text("2 more").click()
    refreshed = "new Promise((done) => document.addEventListener('live:refreshed', done, {once: true}))"
    await page.evaluate(f"window.refreshed = {refreshed}; 0")
    await database.execute("UPDATE jobs.jobs SET revision = revision + 1 WHERE id = $1", run)
    await visit.tell(run)
    await page.evaluate("refreshed")
    await expect(facts.get_by_text("out.c-campaigns.recipient-4")).to_be_visible()
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("button", name="Copy link").click()
    await expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator("#L22")).to_be_in_viewport(ratio=1)
    assert await axe(page) == []
    await facts.filter(has_text="Version").get_by_role("link", name="1", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("campaigns, version 1")
    await expect(page.get_by_role("region", name="Extract")).to_contain_text("demo-extractor/one")
    assert (await axe(page), await overflows(page)) == ([], [])


async def test_it_changes_by_itself_and_says_why_it_waits(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    first = await begun(visit, "campaigns", 1, "processing")
    await visit.ran("campaigns", 2, "waiting")
    page = await visit.open("orchestrations/campaigns/runs/2")
    await expect(page).to_have_title(f"⧗ campaigns #2 · {visit.project}")
    waits = page.get_by_role("region", name="Waiting")
    await expect(waits).to_contain_text("Next, held by campaigns #1 since")
    assert await axe(page) == []
    await waits.get_by_role("link", name="campaigns #1").click()
    await expect(page).to_have_title(f"◐ campaigns #1 · {visit.project}")
    await expect(page.locator("#live")).to_have_text("Live")
    await visit.becomes(first.run, "success")
    await expect(page).to_have_title(f"✔ campaigns #1 · {visit.project}")
    await expect(page.locator(".o-sub")).to_contain_text("Finished")


async def test_what_is_no_run_is_not_found(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    for number in ("7", "0", "x", "9" * 40):
        answer = await visit.page.goto(
            f"{visit.site.url}/projects/{visit.project}/orchestrations/campaigns/runs/{number}"
        )
        assert answer is not None
        assert answer.status == 404


async def test_what_others_wrote_stays_text(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.orchestration("campaigns")
        evil = '<img src=x onerror="document.title=1"></code></li><script>document.title=2</script>'
        await failed(visit, message=evil, lines=[f"ERROR: {evil}", "\x1b[31mred\x1b[0m ‮\x07 {{ 7 * 7 }}"])
        page = await visit.open("orchestrations/campaigns/runs/42")
        await expect(page.locator(".o-err-msg")).to_have_text(evil)
        await expect(page.locator("#e1")).to_contain_text(evil)
        await expect(page.locator("#e2")).to_contain_text("red  {{ 7 * 7 }}")
        await expect(page.locator("main img, main script")).to_have_count(0)
        await expect(page).to_have_title(f"✖ campaigns #42 · {visit.project}")


async def test_the_log_opens_at_its_error_and_each_line_has_an_address(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    before, behind = [f"row {count}" for count in range(1, 1001)], ["bye"] * 900
    await failed(visit, lines=[*before, *LOG, *behind])
    page = await visit.open("orchestrations/campaigns/runs/42")
    lines = page.get_by_role("log")
    await expect(lines).to_have_attribute("data-whole", "")
    await expect(lines.get_by_role("listitem")).to_have_count(1925)
    assert await page.evaluate("scrollY") == 0
    assert 19_000 < await page.evaluate("lines.scrollTop") < 21_000
    await page.get_by_role("link", name="Link to line 1,022").click()
    assert page.url.endswith("/runs/42?task=campaign-recipient&line=1022#L1022")
    await expect(page.locator("#L1022")).to_be_in_viewport(ratio=1)
    await expect(page.locator("#L1022")).to_have_attribute("data-level", "error")
    await page.locator("#L1023").get_by_role("link").click()
    assert page.url.endswith("/runs/42?task=campaign-recipient&line=1023#L1023")
    await expect(page.locator("[data-marked]")).to_have_id("L1023")
    await page.get_by_role("searchbox", name="Search this log").fill("ROW 100")
    await page.keyboard.press("Enter")
    found = page.locator("#hit")
    await expect(found).to_contain_text("1 of 2")
    await expect(page.locator("#L100 mark")).to_be_in_viewport(ratio=1)
    await page.locator("#L100").click()
    await page.keyboard.press("n")
    await expect(found).to_contain_text("2 of 2")
    await expect(page.locator("#L1000 mark")).to_have_text("row 100")
    await expect(page.locator("#L1000")).to_be_in_viewport(ratio=1)
    assert page.url.endswith("?task=campaign-recipient&q=ROW+100&hit=2&line=1000#L1000")
    await page.reload()
    await expect(found).to_contain_text("2 of 2")
    await expect(page.locator("#L1000")).to_be_in_viewport(ratio=1)
    await page.get_by_role("link", name="Wrap").click()
    assert "&wrap=1" in page.url
    await page.get_by_text("2 lines with “ROW 100”").click()
    await expect(page.get_by_role("region", name="Lines found").get_by_role("listitem")).to_have_count(2)
    assert await axe(page) == []
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="Download").click()
    assert len((await (await waited.value).path()).read_text().splitlines()) == 1925
    await page.get_by_label("Log of", exact=True).select_option("campaigns")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#log")).to_contain_text("Its log has no lines, or is no longer kept.")
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []


async def test_all_of_a_long_log_can_be_found_and_a_link_leads_to_any_line(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    await failed(visit, lines=[*LOG, *(f"row {count}" for count in range(len(LOG) + 1, 6001))])
    page = await visit.open("orchestrations/campaigns/runs/42#L3000")
    await expect(page.locator("#L3000")).to_be_in_viewport(ratio=1)
    await eventually(lambda: page.evaluate("'whole' in lines.dataset"), timeout=30)
    assert await page.evaluate("find('row 5500')")
    assert await page.evaluate("getSelection().anchorNode.parentElement.closest('li').id") == "L5500"


async def test_what_is_being_written_is_followed_until_one_scrolls_away(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    made = await begun(visit, "campaigns", 7, "processing")
    await made.phases(extract=(3, None))
    job = await made.task(0, "one", "processing", (3, 3, 4))
    assert job is not None
    page = await visit.open("orchestrations/campaigns/runs/7")
    lines = page.get_by_role("log")
    await expect(lines).to_have_text("It has not written any lines yet.")
    await written(visit, job, ["\x1b[32mfirst\x1b[0m", *(f"row {count}" for count in range(2, 1201))])
    await expect(page.locator("#L1200")).to_be_attached()
    assert await page.evaluate("scrollY") == 0
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    await expect(page.locator("#L1200")).to_be_in_viewport()
    await expect(page.locator("#L1 .o-ansi-32")).to_have_text("first")
    await expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    await lines.evaluate("lines => { lines.scrollTop = 0; }")
    await expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    await written(visit, job, [f"row {count}" for count in range(1201, 1213)], seq=10)
    await expect(page.get_by_role("button", name="12 new lines")).to_be_visible()
    assert await lines.evaluate("lines => lines.scrollTop") == 0
    assert await axe(page) == []
    await page.keyboard.press("f")
    await expect(page.locator("#L1212")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="12 new lines")).to_have_count(0)
    await written(visit, job, ["bye"], seq=20)
    await visit.becomes(job, "success")
    await expect(page.locator("#L1213")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="Follow")).to_have_count(0)
    await expect(lines.get_by_role("listitem")).to_have_count(1213)


async def test_terminating_asks_first_with_its_name(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    await begun(visit, "campaigns", 7, "processing")
    page = await visit.open("orchestrations/campaigns/runs/7")
    await page.get_by_role("link", name="Terminate…").first.click()
    dialog = page.get_by_role("dialog", name="Terminate campaigns #7?")
    await expect(dialog).to_contain_text("It has run for")
    await expect(dialog).to_contain_text("Tasks that have not started will not run.")
    await expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    assert await axe(page, "'dialog'") == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert await requests_to_stop(visit) == 0
    await page.get_by_role("link", name="Terminate…").first.click()
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Terminate campaigns #7").click()
    await expect(page.locator("#toasts")).to_contain_text("campaigns #7 is asked to stop.")
    await expect(dialog).to_have_count(0)
    assert await requests_to_stop(visit) == 1


async def test_a_dialog_has_an_address_and_back_closes_it(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    begin = await begun(visit, "campaigns", 7, "processing")
    page = await visit.open("orchestrations/campaigns/runs/7")
    opener = page.get_by_role("link", name="Terminate…").locator("visible=true")
    dialog = page.get_by_role("dialog", name="Terminate campaigns #7?")
    below = page.url
    for close in (page.go_back, lambda: page.keyboard.press("Escape"), dialog.get_by_text("Cancel").click):
        await opener.click()
        await expect(page).to_have_url(f"{below}/termination")
        await close()
        await expect(dialog).to_have_count(0)
        await expect(page).to_have_url(below)
        await expect(opener).to_be_focused()
    await page.go_forward()
    await expect(dialog).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", level=2, name="Terminate campaigns #7?")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("campaigns #7")
    await opener.click()
    await expect(dialog).to_be_visible()
    await visit.becomes(begin.run, "error")
    await expect(page).to_have_title(f"✖ campaigns #7 · {visit.project}")
    await expect(dialog).to_be_visible()


async def requests_to_stop(visit: Visit) -> int:
    """How many are in the audit log."""
    audited = await visit.client.get("audit?action=job.termination-requested")
    return len(audited["items"])


async def test_without_scripts_one_terminates_and_retries_by_pages(site: Site) -> None:
    async with visiting(site, java_script_enabled=False) as visit:
        await visit.orchestration("campaigns")
        await begun(visit, "campaigns", 7, "processing")
        page = await visit.open("orchestrations/campaigns/runs/7")
        await page.get_by_role("link", name="Terminate…").first.click()
        await page.get_by_role("button", name="Terminate campaigns #7").click()
        assert page.url.endswith("/campaigns/runs/7")
        assert await requests_to_stop(visit) == 1
        await visit.ran("campaigns", 6, "error")
        await visit.open("orchestrations/campaigns/runs/6")
        await page.get_by_role("link", name="Retry…").first.click()
        await page.get_by_role("button", name="Retry 1 task").click()
        assert page.url.endswith("/orchestrations/campaigns")
        requested = (await visit.client.get("jobs?status=created"))["items"]
        assert [each["configuration"] for each in requested] == ["campaigns"]


async def test_a_retry_runs_what_was_shown_or_nothing(visit: Visit) -> None:
    tasks = [{"component": "demo-extractor", "configuration": "one", "name": name} for name in ("A", "B")]
    phases = [{"name": "Extract", "tasks": [{**each, "id": each["name"].lower()} for each in tasks]}]
    await visit.client.put("orchestrations/campaigns", {"phases": phases}, status=201)
    await visit.ran("campaigns", 7, "error")
    page = await visit.open("orchestrations/campaigns/runs/7")
    await page.get_by_role("link", name="Retry…").first.click()
    await expect(page.get_by_label("A", exact=True)).to_be_checked()
    await expect(page.get_by_role("button", name="Retry 2 tasks")).to_be_visible()
    await page.get_by_label("B", exact=True).uncheck()
    assert await axe(page) == []
    body = {"parameters": {"rows": 2}, "note": "as the index calls it"}
    await visit.client.put("configurations/demo-extractor/one", body)
    await page.get_by_role("button", name="Retry 1 task").click()
    said = page.locator("#changed")
    await expect(said).to_contain_text("Nothing was run")
    await expect(said).to_contain_text("“as the index calls it”")
    await expect(page.get_by_label("B", exact=True)).not_to_be_checked()
    assert (await visit.client.get("jobs?status=created"))["items"] == []
    assert await axe(page) == []
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
    await page.get_by_role("button", name="Retry 1 task").click()
    await expect(page).to_have_url(f"{visit.site.url}/projects/{visit.project}/orchestrations/campaigns")
    requested = "SELECT tasks FROM catalog.run_requests WHERE project = $1"
    assert await visit.site.database.fetchval(requested, visit.project) == ["a"]


async def test_nothing_ticked_or_disabled_is_said_on_the_plan(visit: Visit) -> None:
    await visit.orchestration("campaigns", enabled=False)
    await visit.ran("campaigns", 7, "error")
    page = await visit.open("orchestrations/campaigns/runs/7/retry")
    await page.get_by_role("checkbox").uncheck()
    await page.get_by_role("button", name="Retry 0 tasks").click()
    await expect(page.get_by_text("Nothing is left to retry")).to_be_visible()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Retry 1 task").click()
    await expect(page.get_by_text("campaigns is disabled")).to_be_visible()
    await page.get_by_role("button", name="Retry 1 task").click()
    await expect(page).to_have_url(f"{visit.site.url}/projects/{visit.project}/orchestrations/campaigns")
    assert len((await visit.client.get("jobs?status=created"))["items"]) == 1


async def test_a_viewer_sees_why_nothing_can_be_done(site: Site) -> None:
    async with visiting(site, "viewer") as visit:
        await visit.orchestration("campaigns")
        await failed(visit)
        await begun(visit, "campaigns", 43, "processing")
        page = await visit.open("orchestrations/campaigns/runs/42")
        await expect(page.get_by_text("You may look, but not change.")).to_be_visible()
        await expect(page.get_by_role("button", name="Retry…")).to_be_disabled()
        await visit.open("orchestrations/campaigns/runs/42/retry")
        await expect(page.get_by_role("button", name=re.compile(r"^Retry \d+ task"))).to_be_disabled()
        for path, button in (("42/retry", "Retry"), ("43/termination", "Terminate")):
            await visit.open(f"orchestrations/campaigns/runs/{path}")
            await expect(page.get_by_text("You may look, but not run.")).to_be_visible()
            send = page.get_by_role("button", name=button)
            await send.evaluate(
                "button => { button.disabled = false; button.form.removeAttribute('hx-post'); }"
            )
            await send.evaluate("button => button.form.submit()")
            await expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
        assert await requests_to_stop(visit) == 0
        assert (await visit.client.get("jobs?status=created"))["items"] == []
