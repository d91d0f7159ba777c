"""Opens the board of tasks and the pages of configurations for their pictures."""

from playwright.async_api import expect
from tests.integration.web.campaign_data import PHASES, campaigns, with_lengths
from tests.integration.web.configured import PATH as RECIPIENT
from tests.integration.web.configured import configured
from tests.integration.web.configured import job as recipient_job
from tests.integration.web.conftest import Visit


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
