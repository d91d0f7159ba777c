"""How an empty project gets orchestrations, in a real browser: the demo, a file, one by one."""

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.test_run_dialog import requested
from tests.support.chromium import PHONE, axe, overflows

from orchestrator_api.web.runs import landing
from orchestrator_local.stack.welcome import builtin_components

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def empty(visit: Visit) -> None:
    """As a new project is, on a stack with the built-in components."""
    for each in builtin_components():
        await visit.client.put(f"/v1/components/{each['component']}", each)
    await visit.client.delete("configurations/demo-extractor/one")


async def test_three_clicks_lead_from_the_empty_project_to_a_run(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "LOOKS", 1)
    await empty(visit)
    page = await visit.open()
    assert await axe(page) == []
    await page.get_by_role("button", name="Load the flights demo").click()
    dialog = page.get_by_role("dialog", name="Load the flights demo")
    await expect(dialog.locator("#warehouse-error")).to_contain_text("Enter the URL of a PostgreSQL database")
    assert await axe(page, "'dialog'") == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Discard", exact=True).click()
    url = {"value": "postgresql://u:p@127.0.0.1:1/w", "secret": True}
    await visit.client.put("variables/warehouse", url, status=201)
    await page.get_by_role("button", name="Load the flights demo").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("flights")
    await page.get_by_role("link", name="Run…").click()
    await page.get_by_role("button", name="Run 7 tasks").click()
    await expect(page.locator("#toasts")).to_contain_text("A run of flights was requested.")
    (asked,) = await requested(visit)
    assert asked["tasks"] is None
    await expect(page).to_have_url(f"{visit.site.url}/projects/{visit.project}/orchestrations/flights")
    page = await visit.open()
    await expect(page.locator("tbody tr")).to_have_count(3)


async def test_a_file_is_seen_as_a_plan_before_it_is_applied(visit: Visit) -> None:
    page = await visit.open()
    await page.get_by_role("link", name="Import YAML").click()
    dialog = page.get_by_role("dialog", name="Import YAML")
    await dialog.get_by_label("YAML").fill(
        "orchestration: campaigns\nphases:\n  - name: Load\n    tassk: []\n"
    )
    await dialog.get_by_role("button", name="Show what would change").click()
    await expect(dialog.get_by_role("alert").first).to_contain_text("4:5: phases[0].tassk")
    text = "orchestration: campaigns\nphases:\n  - {name: Load, tasks: [{run: demo-extractor/one}]}\n"
    await dialog.get_by_label("YAML").fill(text)
    await dialog.get_by_role("button", name="Show what would change").click()
    await expect(dialog.get_by_role("status")).to_contain_text("orchestration")
    await expect(dialog.get_by_role("status")).to_contain_text("campaigns")
    assert (await visit.client.get("orchestrations"))["items"] == []
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_role("button", name="Apply 1 change").click()
    await expect(page.locator("#row-campaigns")).to_be_visible()


async def test_a_new_one_has_a_name_and_an_id_like_it(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.page.set_viewport_size(PHONE)
        await visit.orchestration("nacteni-dat")
        page = await visit.open()
        await page.get_by_role("link", name="New orchestration").click()
        dialog = page.get_by_role("dialog", name="New orchestration")
        await dialog.get_by_role("button", name="Create it").click()
        await expect(dialog.locator("#name-error")).to_contain_text("Must have at least 1 character")
        await dialog.get_by_label("Name").fill("Načtení dat")
        await dialog.get_by_label("Description").fill("Everything from the shop")
        assert await overflows(page) == []
        await dialog.get_by_role("button", name="Create it").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Načtení dat")
        made = await visit.client.get("orchestrations/nacteni-dat-2")
        assert (made["name"], made["description"]) == ("Načtení dat", "Everything from the shop")
