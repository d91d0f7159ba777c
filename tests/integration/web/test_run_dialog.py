"""The dialog that runs an orchestration, in a real browser."""

import json
from typing import Any

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

from orchestrator_api.web.orchestrations import run
from orchestrator_api.web.runs import landing

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
REQUESTED = "SELECT origin, tasks, parameters FROM catalog.run_requests WHERE project = $1"


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing gives a run its number here, so there is nothing to wait for."""
    monkeypatch.setattr(landing, "LOOKS", 1)


async def one_task_per_phase(visit: Visit, **more: Any) -> None:
    """The defensive layout of the seed: four phases of one task, of which one is inactive."""
    phases = []
    for phase, name in (("Extract", "one"), ("Transform", "two"), ("Write", "three"), ("Tell", "four")):
        await visit.client.put(f"configurations/demo-extractor/{name}", {"parameters": {"rows": 1}})
        task = {"component": "demo-extractor", "configuration": name, "enabled": name != "four"}
        phases.append({"name": phase, "tasks": [{**task, "name": name.title()}]})
    await visit.client.put("orchestrations/campaigns", {"phases": phases, **more}, status=201)
    body = {"subscriptions": [{"event": "error", "address": "data-team@example.com"}]}
    tag = (await visit.client.get("orchestrations/campaigns/notifications"))["etag"]
    await visit.client.put("orchestrations/campaigns/notifications", body, headers={"If-Match": tag})


async def requested(visit: Visit) -> list[Any]:
    """What the api was asked to run."""
    return list(await visit.site.database.fetch(REQUESTED, visit.project))


async def test_before_a_run_one_reviews_its_tasks_and_who_is_told(visit: Visit) -> None:
    await one_task_per_phase(visit)
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("link", name="Run…").click()
    dialog = page.get_by_role("dialog", name="Run campaigns")
    await expect(dialog).to_be_visible()
    assert page.url.endswith("/orchestrations/campaigns/runs/new")
    for name, is_active in (("One", True), ("Two", True), ("Three", True), ("Four", False)):
        await expect(dialog.get_by_role("checkbox", name=name)).to_be_checked(checked=is_active)
    # A manual run notifies its starter only, whatever the settings.
    await expect(dialog).to_contain_text("Only you: editor-")
    await expect(dialog).to_contain_text("data-team@example.com will not.")
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_role("checkbox", name="Two").uncheck()
    await dialog.get_by_role("checkbox", name="Four").check()
    await dialog.get_by_text("Parameters and time of this run").click()
    await dialog.get_by_label("Parameters, for").fill('{"demo-extractor/one": {"rows": }')
    await dialog.get_by_role("button", name="Run 3 tasks").click()
    await expect(dialog.locator("#parameters-error")).to_contain_text("Malformed JSON at line 1, column 33")
    await expect(dialog.get_by_role("checkbox", name="Two")).not_to_be_checked()
    await dialog.get_by_label("Parameters, for").fill('{"demo-extractor/one": {"rows": 2}}')
    await dialog.get_by_role("button", name="Run 3 tasks").click()
    await expect(page.locator("#toasts")).to_contain_text("A run of campaigns was requested.")
    await expect(dialog).to_have_count(0)
    await expect(page).to_have_url(f"{visit.site.url}/projects/{visit.project}/orchestrations/campaigns")
    (asked,) = await requested(visit)
    assert asked["origin"] == "manual"
    assert asked["tasks"] == ["demo-extractor/one", "demo-extractor/three", "demo-extractor/four"]
    assert json.loads(asked["parameters"]) == {"demo-extractor/one": {"rows": 2}}


async def test_nothing_runs_that_was_not_shown(site: Site) -> None:
    async with visiting(site) as visit:
        await one_task_per_phase(visit, enabled=False)
        await visit.ran("campaigns", 7, "processing")
        page = await visit.open()
        await page.get_by_role("link", name="Run campaigns…").focus()
        await page.keyboard.press("r")
        dialog = page.get_by_role("dialog", name="Run campaigns")
        await expect(dialog).to_contain_text("campaigns is disabled: its schedules and triggers stay paused.")
        await expect(dialog).to_contain_text("campaigns #7 is running, this one waits until it has ended.")
        current = await visit.client.get("orchestrations/campaigns")
        phases = [{**phase, "tasks": phase["tasks"]} for phase in current["phases"][1:]]
        changed = {"phases": phases, "enabled": False, "note": "the first one is gone"}
        await visit.client.put("orchestrations/campaigns", changed, headers={"If-Match": current["etag"]})
        await dialog.get_by_role("button", name="Run 3 tasks").click()
        await expect(dialog.get_by_role("alert").first).to_contain_text("Nothing was run.")
        await expect(dialog.get_by_role("alert").first).to_contain_text("“the first one is gone”")
        assert await requested(visit) == []
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []
        assert await axe(page, "'dialog'") == []
        await dialog.get_by_role("button", name="Run 2 tasks").click()
        await expect(dialog).to_have_count(0)
        (asked,) = await requested(visit)
        assert asked["tasks"] is None  # all active ones: it uses up updates of tables
        await page.keyboard.press("Escape")


async def test_one_lands_on_the_page_of_the_run(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    async def number(*_: Any) -> int:
        return 42

    monkeypatch.setattr(run, "number_of", number)
    await visit.orchestration("campaigns")
    await visit.ran("campaigns", 42, "processing")
    page = await visit.open("orchestrations/campaigns/runs/new")
    await expect(page).to_have_title(f"Run campaigns · {visit.project}")
    await page.get_by_role("checkbox").first.uncheck()
    await page.get_by_role("button", name="Run 0 tasks").click()
    await expect(page.locator("#tasks-error")).to_contain_text("Choose at least one task")
    await expect(page.get_by_role("dialog")).to_have_count(0)  # the answer stands in the page itself
    await page.get_by_role("checkbox").first.check()
    await page.get_by_role("button", name="Run 1 task").click()
    await expect(page).to_have_title(f"◐ campaigns #42 · {visit.project}")


async def test_a_viewer_reads_what_would_run(site: Site) -> None:
    async with visiting(site, "viewer", java_script_enabled=False) as visit:
        await visit.orchestration("campaigns")
        page = await visit.open("orchestrations/campaigns/runs/new")
        await expect(page.get_by_role("button", name="Run 1 task")).to_be_disabled()
        await expect(page.get_by_text("You may look, but not run.")).to_be_visible()
