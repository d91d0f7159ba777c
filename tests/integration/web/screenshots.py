"""Photographs every page with demo-like data: light, dark and on a phone (`make screenshots`)."""

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, expect
from tests.integration.web.campaign_data import PHASES, campaigns, with_lengths
from tests.integration.web.configured import PATH as RECIPIENT
from tests.integration.web.configured import configured
from tests.integration.web.configured import job as recipient_job
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.heard_updates import known, rhythmic, updated
from tests.integration.web.recorded_fires import recorded_fires
from tests.integration.web.recorded_runs import failed, lane
from tests.integration.web.test_tables_and_buckets import heard
from tests.support.chromium import DESK, PHONE, axe, overflows

FOLDER = Path(os.environ.get("SCREENSHOTS", "shots"))
LOOKS = {"": (DESK, "light"), "-dark": (DESK, "dark"), "-phone": (PHONE, "light")}
pytestmark = pytest.mark.asyncio(loop_scope="session")

DESCRIPTIONS = {
    "broken": "Has a misspelled column, so that there is an error to report",
    "campaigns": "Refresh campaign reporting, then tell Mailchimp about new recipients",
    "carrier-report": "Which airline copes best with bad weather",
    "crm-sync": "Contacts and deals from the CRM",
    "flights": "Load the flights and the weather of 2013, then find what makes them late",
    "legacy-export": "Old file drop for the agency, until January",
    "minutely": "Note every full minute, and how late it was noted",
    "nightly-sales": "Orders, returns and margins for the morning meeting",
    "shop": "Sales figures for the morning, and a file for the warehouse team",
}
SCHEDULES = {
    "campaigns": {"cron": "30 5 * * 1-5", "timezone": "Europe/Prague"},
    "crm-sync": {"every_seconds": 2700},
    "legacy-export": {"cron": "0 23 * * *"},
    "minutely": {"cron": "* * * * *"},
    "nightly-sales": {"cron": "0 2 * * *", "timezone": "Europe/Prague"},
    "shop": {"cron": "15 6 * * 1-6", "timezone": "Europe/Prague"},
}
TABLES = {"campaigns": ["in.c-crm.contacts", "in.c-adform.campaigns"], "carrier-report": ["out.c-nyc.delays"]}
LABELS = {
    "flights demo": ("broken", "carrier-report", "flights", "minutely"),
    "marketing": ("campaigns", "legacy-export"),
    "shop": ("nightly-sales", "shop"),
}
LAST = {
    "broken": "error",
    "campaigns": "error",
    "crm-sync": "waiting",
    "flights": "processing",
    "legacy-export": "terminated",
    "nightly-sales": "processing",
    "shop": "warning",
}


async def demo(visit: Visit) -> None:
    """Orchestrations as in the demo and a shop, with the runs of some weeks."""
    for place, (name, text) in enumerate(DESCRIPTIONS.items()):
        labels = [label for label, names in LABELS.items() if name in names]
        more = {"labels": labels, "enabled": name != "legacy-export"}
        await visit.orchestration(name, description=text, **more)
        if name in SCHEDULES:
            await visit.client.put(f"orchestrations/{name}/schedules/main", SCHEDULES[name], status=201)
        if name in TABLES:
            body = {"tables": TABLES[name], "cool_down_seconds": 3000}
            await visit.client.put(f"orchestrations/{name}/triggers/main", body, status=201)
        count = 7 if name == "broken" else 20
        for number in range(1, count + 1):
            status = LAST.get(name, "success") if number == count else "success"
            status = "error" if name == "broken" or number + place == 14 else status
            status = "warning" if number + 2 * place == 21 else status
            took = 45 * (1 + place) * (1 + (number * 7 + place * 3) % 5 / 5)
            ago = timedelta(hours=(count - number) * 22, minutes=7 * place + 1)
            await visit.ran(name, number, status, ago=ago, took=took)


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


async def trash(visit: Visit) -> None:
    await visit.client.delete("orchestrations/legacy-export")
    await visit.client.put("configurations/demo-extractor/old", {"parameters": {"rows": 1}})
    await visit.client.delete("configurations/demo-extractor/old")
    await visit.open("trash")


async def trashed(visit: Visit) -> None:
    await visit.open("orchestrations/legacy-export")


TOKENS: tuple[dict[str, object], ...] = (
    {
        "name": "start-button",
        "description": "The button on the wall of the sales team",
        "scopes": ["run"],
        "components": ["orchestrator/campaigns", "orchestrator/nightly-sales"],
        "expires_at": "2027-06-30T00:00:00Z",
    },
    {"name": "erp-loader", "scopes": ["publish"], "buckets": ["in.c-erp", "in.c-crm"]},
    {
        "name": "deploy",
        "description": "CI applies the files in git",
        "scopes": ["configure", "run"],
        "components": ["*"],
    },
    {"name": "dashboard", "scopes": ["read"], "expires_at": "2026-12-24T00:00:00Z"},
)


async def tokens(visit: Visit) -> None:
    for each in TOKENS if not (await visit.client.get("tokens?kind=api"))["items"] else ():
        await visit.client.post("tokens", each, status=201)
    await visit.open("tokens")


async def new_token(visit: Visit) -> None:
    await visit.open("tokens")
    await visit.page.get_by_role("link", name="New token…").first.click()
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("start-button")
    await dialog.get_by_label("campaigns").check()


async def revoke_token(visit: Visit) -> None:
    await visit.open("tokens")
    await visit.page.get_by_role("link", name="Revoke start-button…").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def secret_of_token(visit: Visit) -> None:
    await visit.open("tokens")
    await visit.page.get_by_role("link", name="Refresh start-button…").click()
    await visit.page.get_by_role("button", name="Refresh start-button").click()
    await expect(visit.page.get_by_label("Secret")).to_be_visible()


MEMBERS = (
    ("tomas.riha@example.com", "Tomáš Říha", "admin", False),
    ("eva@example.com", "Eva Malá", "editor", False),
    ("on.call@example.com", "On call", "viewer", True),
    ("auditor@example.com", "auditor@example.com", "viewer", False),
)


async def members(visit: Visit) -> None:
    there = [each["email"] for each in (await visit.client.get("members"))["items"]]
    for email, name, role, may_run in MEMBERS:
        if email not in there:
            body = {"email": email, "name": name, "role": role, "may_run": may_run}
            await visit.client.post("members", body, status=201)
    await visit.open("members")


async def invite(visit: Visit) -> None:
    await visit.open("members")
    await visit.page.get_by_role("link", name="Invite…").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


VARIABLES = {
    "export_url": ("https://exports.example.com/shop", False),
    "mailchimp_key": ("3f2a9c1b07de", True),
    "region": ("eu-central-1", False),
    "report_columns": (
        "order_id, customer, amount, currency, created_at, shipped_at, carrier, warehouse",
        False,
    ),
}


async def variables(visit: Visit) -> None:
    for name, (value, secret) in VARIABLES.items():
        await visit.client.put(f"variables/{name}", {"value": value, "secret": secret})
    body = {"parameters": {"rows": 1, "#password": "{{ vars.mailchimp_key }}"}}
    await visit.client.put("configurations/demo-extractor/mailchimp", body)
    await visit.open("variables")


async def variable(visit: Visit) -> None:
    await visit.open("variables")
    await visit.page.get_by_role("link", name="mailchimp_key", exact=True).click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def audit(visit: Visit) -> None:
    body = {"parameters": {"rows": 250, "#password": "{{ vars.mailchimp_key }}"}}
    await visit.client.put("configurations/demo-extractor/mailchimp", body)
    await visit.open("audit?action=configuration.changed")
    await visit.page.locator("li[id^=audit-] summary").first.click()


async def settings(visit: Visit) -> None:
    await visit.open("settings")


async def as_administrator(visit: Visit) -> None:
    """The visitor, from now on."""
    await visit.site.database.execute(
        "UPDATE catalog.people SET is_administrator = true WHERE id = (SELECT person_id "
        "FROM catalog.members JOIN catalog.people ON id = person_id WHERE project = $1 "
        "ORDER BY password_hash IS NULL LIMIT 1)",
        visit.project,
    )


async def people(visit: Visit) -> None:
    await as_administrator(visit)
    await visit.open("/people")


async def all_projects(visit: Visit) -> None:
    await visit.open("/all-projects")


async def instance_audit(visit: Visit) -> None:
    await visit.open("/audit")


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


async def tasks(visit: Visit) -> None:
    await campaigns(visit, name="report")
    await with_lengths(visit)
    await visit.open("orchestrations/report/tasks")
    page = visit.page
    await page.get_by_role("switch", name="Email recipient index is active").click()
    await expect(page.locator("#said")).to_contain_text("is inactive")
    await page.locator("[id='grip-sql-transformation/campaign-recipient']").focus()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#said")).to_contain_text("to review")


async def tasks_menu(visit: Visit) -> None:
    await visit.open("orchestrations/report/tasks")
    await visit.page.get_by_role("button", name="More about Campaign recipient").click()
    await expect(visit.page.get_by_role("link", name="Settings…")).to_be_visible()


async def tasks_group(visit: Visit) -> None:
    await visit.open("orchestrations/report/tasks")
    await visit.page.get_by_role("link", name="Group by type…").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def tasks_add(visit: Visit) -> None:
    await visit.open("orchestrations/report/tasks")
    await visit.page.get_by_role("link", name="Add task…", exact=True).click()
    await visit.page.get_by_role("dialog").get_by_role("checkbox", name="Agency report").check()


async def tasks_settings(visit: Visit) -> None:
    await visit.open("orchestrations/report/tasks/settings?task=mailchimp/new-recipients")


async def tasks_select(visit: Visit) -> None:
    await visit.open("orchestrations/report/tasks?select=on")
    await visit.page.get_by_role("checkbox", name="Select Campaign recipient").check()


async def tasks_conflict(visit: Visit) -> None:
    await visit.client.put("orchestrations/report", {"phases": PHASES[:3], "note": "Mailchimp is paused"})
    await visit.open("orchestrations/report/tasks")
    await visit.page.get_by_text("Compare").click()


async def nothing_matches(visit: Visit) -> None:
    await visit.open("orchestrations?q=campains")


async def not_found(visit: Visit) -> None:
    await visit.open("/projects/someone-elses/orchestrations")


async def configurations(visit: Visit) -> None:
    await configured(visit)
    for number, status in ((61, "success"), (62, "error"), (63, "success")):
        message = "column r.opted_in does not exist" if status == "error" else None
        await recipient_job(visit, number, status, message=message)
    await visit.open("configurations")


async def configuration(visit: Visit) -> None:
    await visit.open(RECIPIENT)


async def configuration_edit(visit: Visit) -> None:
    await visit.open("configurations/csv-extractor/orders/edit")


async def configuration_json(visit: Visit) -> None:
    await visit.open(f"{RECIPIENT}/edit?side=json")
    await visit.page.locator("#json").fill('{\n  "statements": 1\n}')
    await expect(visit.page.locator("#problems")).to_contain_text("Line")


async def configuration_versions(visit: Visit) -> None:
    await visit.open(f"{RECIPIENT}/versions")


async def configuration_compare(visit: Visit) -> None:
    await visit.open(f"{RECIPIENT}/versions/1...2")


async def configuration_jobs(visit: Visit) -> None:
    await visit.open(f"{RECIPIENT}/jobs")


async def _dialog(visit: Visit, path: str, name: str) -> None:
    await visit.open(path)
    await visit.page.get_by_role("link", name=name).locator("visible=true").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def configuration_new(visit: Visit) -> None:
    await _dialog(visit, "configurations", "New configuration…")


async def configuration_automate(visit: Visit) -> None:
    await _dialog(visit, RECIPIENT, "Automate…")


async def configuration_run(visit: Visit) -> None:
    await _dialog(visit, RECIPIENT, "Run…")


async def components(visit: Visit) -> None:
    await visit.open("/components")


async def component(visit: Visit) -> None:
    await visit.open("/components/csv-extractor")


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
    "tasks": tasks,
    "tasks-menu": tasks_menu,
    "tasks-group": tasks_group,
    "tasks-add": tasks_add,
    "tasks-settings": tasks_settings,
    "tasks-select": tasks_select,
    "tasks-conflict": tasks_conflict,
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
    "compared": compared,
    "edit-orchestration": edit_orchestration,
    "orchestration-menu": orchestration_menu,
    "backfill": backfill,
    "trash": trash,
    "trashed": trashed,
    "toast": toast,
    "configurations": configurations,
    "configuration": configuration,
    "configuration-edit": configuration_edit,
    "configuration-json": configuration_json,
    "configuration-versions": configuration_versions,
    "configuration-compare": configuration_compare,
    "configuration-jobs": configuration_jobs,
    "configuration-new": configuration_new,
    "configuration-automate": configuration_automate,
    "configuration-run": configuration_run,
    "components": components,
    "component": component,
    "schedule": schedule,
    "schedule-refused": schedule_refused,
    "fires": fires,
    "trigger": trigger,
    "trigger-new": trigger_new,
    "trigger-reset": trigger_reset,
    "updates": updates,
    "why": why,
    "tokens": tokens,
    "new-token": new_token,
    "revoke-token": revoke_token,
    "token-secret": secret_of_token,
    "members": members,
    "invite-member": invite,
    "variables": variables,
    "variable": variable,
    "account": account,
    "audit": audit,
    "settings": settings,
    "not-found": not_found,
    "people": people,
    "projects": all_projects,
    "instance-audit": instance_audit,
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
