"""Photographs every page with demo-like data: light, dark and on a phone (`make screenshots`)."""

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, expect
from tests.integration.web import pictured_projects, pictured_tasks
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.heard_updates import known, rhythmic, updated
from tests.integration.web.pictured_data import demo
from tests.integration.web.recorded_fires import recorded_fires
from tests.integration.web.recorded_runs import failed, lane
from tests.integration.web.test_tables_and_buckets import heard
from tests.support.chromium import DESK, PHONE, axe, overflows

FOLDER = Path(os.environ.get("SCREENSHOTS", "shots"))
LOOKS = {"": (DESK, "light"), "-dark": (DESK, "dark"), "-phone": (PHONE, "light")}
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def orchestrations(visit: Visit) -> None:
    await visit.open()


async def notifications(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/notifications")


async def notify(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/notifications/new")


async def deliveries(visit: Visit) -> None:
    await visit.open("deliveries")


async def tables(visit: Visit) -> None:
    await heard(visit, "in.c-crm.contacts")
    await heard(visit, "in.c-crm.deals")
    await visit.open("tables")


async def table(visit: Visit) -> None:
    await visit.open("tables/in.c-crm.contacts")


async def bucket(visit: Visit) -> None:
    await visit.open("buckets/in.c-crm")


async def labels(visit: Visit) -> None:
    await visit.open()
    await visit.page.get_by_role("button", name="Label").click()


async def menus(visit: Visit) -> None:
    await visit.open()
    more = visit.page.get_by_role("button", name="More", exact=True)
    if await more.is_visible():
        await more.click()
    else:
        await visit.page.get_by_role("button", name="demo").click()


async def orchestration(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns")


async def run(visit: Visit) -> None:
    await failed(visit)
    await visit.open("orchestrations/campaigns/runs/42")


async def run_log(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/runs/42?line=22#L22")


async def retry(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/runs/42/retry")


async def terminate(visit: Visit) -> None:
    await visit.open("orchestrations/flights/runs/20")
    await visit.page.get_by_role("link", name="Terminate…").locator("visible=true").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def schedule(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns")
    await visit.page.get_by_role("region", name="Starts").get_by_role("link", name="main").first.click()
    await visit.page.locator("label").filter(has_text="Custom").first.click()
    await visit.page.get_by_label("Cron").fill("30 2 * * *")
    await expect(visit.page.locator("#preview")).to_contain_text("first of two")


async def schedule_refused(visit: Visit) -> None:
    await visit.open("orchestrations/shop/new-schedule")
    await visit.page.locator("label").filter(has_text="Custom").first.click()
    await visit.page.get_by_label("Cron").fill("0 24 * * *")
    await expect(visit.page.locator("#cron-said")).to_contain_text("midnight")


async def fires(visit: Visit) -> None:
    await recorded_fires(visit, "shop", "main")
    await visit.open("orchestrations/shop/schedules/main/fires")


async def fire(visit: Visit) -> None:
    await visit.page.get_by_role("link", name="Why", exact=True).first.click()
    await expect(visit.page.get_by_role("heading", name="It joined another run")).to_be_visible()


async def trigger(visit: Visit) -> None:
    await rhythmic(visit, "in.c-crm.contacts", timedelta(minutes=45), 60, timedelta(minutes=56))
    await rhythmic(visit, "in.c-adform.campaigns", timedelta(hours=1), 40, timedelta(minutes=94))
    await rhythmic(visit, "in.c-adform.costs", timedelta(hours=6), 9, timedelta(hours=2))
    made = await visit.client.get("orchestrations/campaigns/triggers/main")
    await known(visit, made["id"])
    await updated(visit, "in.c-crm.contacts")
    await visit.open("orchestrations/campaigns")
    await visit.page.get_by_role("region", name="Starts").locator("a[href$='triggers/main']").click()
    await expect(visit.page.locator("[data-readiness]")).to_have_text("1 of 2")


async def trigger_new(visit: Visit) -> None:
    await visit.open("orchestrations/shop/new-trigger")
    await visit.page.get_by_label("Find a table").fill("adform")
    await expect(visit.page.locator("#picker")).not_to_contain_text("contacts")
    await visit.page.get_by_role("checkbox", name="in.c-adform.campaigns").check()
    await visit.page.get_by_role("textbox", name="Cool-down").fill("5h")
    await expect(visit.page.locator("#meaning")).to_contain_text("would not have counted")


async def trigger_reset(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/triggers/main/reset")


async def updates(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/triggers/main/updates")


async def why(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/why")


async def session_ended(visit: Visit) -> None:
    await visit.open()
    await visit.page.context.clear_cookies(name="orchestrator_session")
    await visit.page.evaluate("htmx.trigger('#again', 'session:check')")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def sign_in(visit: Visit) -> None:
    await visit.page.context.clear_cookies(name="orchestrator_session")
    await visit.open()


async def jobs(visit: Visit) -> None:
    await visit.open("jobs")


async def jobs_as_if(visit: Visit) -> None:
    await visit.page.mouse.move(0, 0)  # over no other button that shows the lanes without its job
    await visit.open("jobs")
    await visit.page.get_by_role("link", name="Terminate the holder…").first.focus()
    await expect(visit.page.locator("#lanes")).to_contain_text("Without")


async def all_jobs(visit: Visit) -> None:
    await visit.open("jobs?view=all")


async def jobs_refused(visit: Visit) -> None:
    await visit.open("jobs?q=status:eror")


async def job(visit: Visit) -> None:
    await visit.open("jobs")
    await visit.page.locator("#underway a.o-cover", has_text="demo-extractor/one").first.click()
    await expect(visit.page.locator("#job")).to_be_visible()


async def palette(visit: Visit) -> None:
    await visit.open()
    await visit.page.keyboard.press("Control+k")
    await visit.page.get_by_role("combobox", name="Search or do").fill("ca")
    await expect(visit.page.get_by_role("option", name="Run campaigns…")).to_be_visible()


async def palette_empty(visit: Visit) -> None:
    await visit.open()
    await visit.page.keyboard.press("Control+k")
    await expect(visit.page.get_by_role("group", name="Visited last")).to_be_visible()


async def search(visit: Visit) -> None:
    await visit.open("search?q=campaigns+42")


async def keys(visit: Visit) -> None:
    await visit.open()
    await visit.page.keyboard.press("?")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def account(visit: Visit) -> None:
    await visit.open("/account")


async def run_dialog(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns")
    await visit.page.get_by_role("link", name="Run…").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def new_orchestration(visit: Visit) -> None:
    await visit.open("new-orchestration")


async def import_plan(visit: Visit) -> None:
    await visit.open("import")
    text = "orchestration: new-one\nphases:\n  - {name: Load, tasks: [{run: demo-extractor/one}]}\n"
    await visit.page.get_by_role("textbox", name="YAML").fill(text)
    await visit.page.get_by_role("button", name="Show what would change").click()
    await expect(visit.page.get_by_role("status", name="What would change")).to_be_visible()


async def versions(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/versions")


async def version(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/versions/1")


async def compared(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns/versions/1...2")


async def edit_orchestration(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns")
    await visit.page.get_by_role("link", name="Edit name, description and labels").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def orchestration_menu(visit: Visit) -> None:
    await visit.open("orchestrations/campaigns")
    await visit.page.get_by_role("button", name="More about campaigns").click()


async def backfill(visit: Visit) -> None:
    await visit.open("orchestrations/nightly-sales/backfill")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await visit.page.get_by_label("From").fill(f"{yesterday - timedelta(days=5):%Y-%m-%d} 00:00")
    await visit.page.get_by_label("To", exact=True).fill(f"{yesterday:%Y-%m-%d} 00:00")
    await visit.page.get_by_role("button", name="Show the fires").click()
    await expect(visit.page.get_by_role("status", name="Fires")).to_be_visible()


async def confirm(visit: Visit) -> None:
    await visit.open()
    button = visit.page.get_by_role("button", name="Run legacy-export")
    if await button.is_visible():
        await button.click()
        await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def toast(visit: Visit) -> None:
    await visit.open()
    switch = visit.page.get_by_role("switch", name="shop is enabled")
    if await switch.is_visible():
        await switch.click()
        await expect(visit.page.locator("[data-toast]")).to_be_visible()


async def nothing_matches(visit: Visit) -> None:
    await visit.open("orchestrations?q=campains")


async def not_found(visit: Visit) -> None:
    await visit.open("/projects/someone-elses/orchestrations")


PAGES: dict[str, Callable[[Visit], Awaitable[None]]] = {
    "orchestrations": orchestrations,
    "orchestration": orchestration,
    "run": run,
    "run-log": run_log,
    "retry": retry,
    "terminate": terminate,
    "jobs": jobs,
    "jobs-as-if": jobs_as_if,
    "jobs-all": all_jobs,
    "jobs-refused": jobs_refused,
    "job": job,
    "notifications": notifications,
    "notify": notify,
    "deliveries": deliveries,
    "tables": tables,
    "table": table,
    "bucket": bucket,
    "tasks": pictured_tasks.tasks,
    "tasks-menu": pictured_tasks.tasks_menu,
    "tasks-group": pictured_tasks.tasks_group,
    "tasks-add": pictured_tasks.tasks_add,
    "tasks-settings": pictured_tasks.tasks_settings,
    "tasks-select": pictured_tasks.tasks_select,
    "tasks-conflict": pictured_tasks.tasks_conflict,
    "palette": palette,
    "palette-empty": palette_empty,
    "search": search,
    "keys": keys,
    "labels": labels,
    "menus": menus,
    "nothing-matches": nothing_matches,
    "run-dialog": run_dialog,
    "new-orchestration": new_orchestration,
    "import": import_plan,
    "versions": versions,
    "version": version,
    "compared": compared,
    "edit-orchestration": edit_orchestration,
    "orchestration-menu": orchestration_menu,
    "backfill": backfill,
    "trash": pictured_projects.trash,
    "trashed": pictured_projects.trashed,
    "toast": toast,
    "configurations": pictured_tasks.configurations,
    "configuration": pictured_tasks.configuration,
    "configuration-edit": pictured_tasks.configuration_edit,
    "configuration-json": pictured_tasks.configuration_json,
    "configuration-versions": pictured_tasks.configuration_versions,
    "configuration-compare": pictured_tasks.configuration_compare,
    "configuration-jobs": pictured_tasks.configuration_jobs,
    "configuration-new": pictured_tasks.configuration_new,
    "configuration-automate": pictured_tasks.configuration_automate,
    "configuration-run": pictured_tasks.configuration_run,
    "components": pictured_tasks.components,
    "component": pictured_tasks.component,
    "schedule": schedule,
    "schedule-refused": schedule_refused,
    "fires": fires,
    "fire": fire,
    "trigger": trigger,
    "trigger-new": trigger_new,
    "trigger-reset": trigger_reset,
    "updates": updates,
    "why": why,
    "tokens": pictured_projects.tokens,
    "new-token": pictured_projects.new_token,
    "revoke-token": pictured_projects.revoke_token,
    "token-secret": pictured_projects.secret_of_token,
    "members": pictured_projects.members,
    "invite-member": pictured_projects.invite,
    "variables": pictured_projects.variables,
    "variable": pictured_projects.variable,
    "account": account,
    "audit": pictured_projects.audit,
    "settings": pictured_projects.settings,
    "not-found": not_found,
    "people": pictured_projects.people,
    "projects": pictured_projects.all_projects,
    "instance-audit": pictured_projects.instance_audit,
    "session-ended": session_ended,
    "sign-in": sign_in,
}
"""In this order: what comes last may end the session."""


async def photograph(page: Page, name: str) -> list[object]:
    """One picture; returns what axe and the width of a phone say of it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=FOLDER / f"{name}.png", full_page=True)
    return [*await axe(page), *await overflows(page)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("look", LOOKS)
async def test_screenshots(site: Site, look: str) -> None:
    """A page that cannot be opened does not keep the others from being photographed."""
    size, scheme = LOOKS[look]
    problems: dict[str, object] = {}
    async with visiting(site, "admin", project=f"demo{look}", color_scheme=scheme) as visit:
        await visit.page.set_viewport_size(size)
        await visit.open()
        problems["empty"] = await photograph(visit.page, f"empty{look}")
        await demo(visit)
        await lane(visit, "margins")
        for name, open_page in PAGES.items():
            try:
                await open_page(visit)
                problems[name] = await photograph(visit.page, f"{name}{look}")
            except (AssertionError, PlaywrightError) as error:
                problems[name] = str(error)[:600]
    assert {name: found for name, found in problems.items() if found} == {}
