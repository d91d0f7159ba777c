"""Configurations of components in a real browser: read, edited on both sides, compared, automated, run."""

import json

import pytest
from playwright.async_api import expect
from tests.integration.web.configured import ORDERS, PATH, configured, job
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
ORDERS_PATH = "configurations/csv-extractor/orders"
ONE = "configurations/demo-extractor/one"


async def test_they_are_found_by_component_and_lead_to_what_they_say(visit: Visit) -> None:
    await configured(visit)
    await job(visit, 1, "error")
    page = await visit.open("configurations")
    row = page.get_by_role("row").filter(has_text="Campaign recipient")
    await expect(row).to_contain_text("Error")
    await expect(row).to_contain_text("1 orchestration")
    await page.get_by_label("Filter configurations").fill("orders")
    await expect(page.locator("[data-live-key]")).to_have_count(1)
    await page.get_by_label("Filter configurations").fill("")
    await expect(page.locator("[data-live-key]")).to_have_count(4)
    await page.get_by_role("link", name="Transformations").click()
    await expect(page.locator("[data-live-key]")).to_have_count(1)
    assert await axe(page) == []
    await visit.tell(await job(visit, 2, "success"))
    await expect(row).to_contain_text("Success")
    await page.get_by_role("link", name="Campaign recipient").click()
    await expect(page).to_have_title(f"✔ Campaign recipient · {visit.project}")
    parameters = page.get_by_role("region", name="Parameters", exact=True)
    await expect(parameters).to_contain_text('CREATE INDEX ON "out.c-campaigns".recipient (email)')
    await expect(parameters.locator(".o-json")).to_contain_text('"#connection": "***"')
    assert "hunter2" not in await page.content()
    await expect(page.get_by_role("region", name="Used in")).to_contain_text("campaigns")
    assert await axe(page) == []
    await page.get_by_label("Configuration").get_by_role("link", name="Jobs").click()
    await expect(page.locator("#configuration tbody tr")).to_have_count(2)
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []


async def test_form_and_json_say_the_same_and_nothing_typed_is_lost(visit: Visit) -> None:
    await configured(visit)
    page = await visit.open(ORDERS_PATH)
    await page.get_by_role("link", name="Edit").click()
    shown = page.get_by_label("Parameters as JSON")
    await page.get_by_label("Source").fill("/exports/returns.csv")
    await expect(shown).to_have_value(json.dumps({**ORDERS, "source": "/exports/returns.csv"}, indent=2))
    await page.get_by_label("Columns").fill("{")
    await expect(page.locator("#problems")).to_contain_text("Columns: malformed JSON at line 1")
    async with page.expect_response("**/edit"):
        await page.get_by_role("button", name="JSON").click()
    await expect(page.locator("#as-json")).to_be_focused()
    await expect(page.locator("#edit[data-typed]").get_by_label("Columns")).to_have_value("{")
    await page.get_by_label("Columns").fill('{"id": "bigint"}')
    await page.get_by_label("Null values, 3").fill("NULL")
    await page.get_by_role("button", name="JSON").click()
    await expect(shown).to_be_editable()
    typed = json.loads(await shown.input_value())
    assert (typed["columns"], typed["null_values"]) == ({"id": "bigint"}, ["", "NA", "NULL"])
    wrong = json.dumps({**typed, "mode": "merge"}, indent=2)
    await shown.fill(wrong)
    await expect(page.locator("#problems")).to_contain_text(f"Line {len(wrong.splitlines()) - 1}: mode")
    assert await axe(page) == []
    await shown.press("Control+Enter")
    await expect(page.locator("#edit[data-typed] #problems")).to_contain_text("mode: does not match")
    await shown.fill(json.dumps({**typed, "mode": "append"}, indent=2))
    await page.get_by_label("Why it is changed").fill("Returns, too")
    await page.get_by_label("Why it is changed").press("Control+Enter")
    await expect(page.get_by_role("region", name="Used in")).to_be_visible()
    saved = await visit.client.get(ORDERS_PATH)
    assert (saved["version"], saved["note"], saved["parameters"]["mode"]) == (2, "Returns, too", "append")
    assert saved["parameters"]["source"] == "/exports/returns.csv"


async def test_a_conflict_is_seen_with_both_sides(visit: Visit) -> None:
    await configured(visit)
    page = await visit.open(f"{PATH}/edit")
    await page.get_by_label("#connection").fill("postgresql://another")
    await page.get_by_role("textbox", name="Output tables, 1").fill("out.c-campaigns.mine")
    stored = await visit.client.get(PATH)
    theirs = {**stored["parameters"], "output_tables": ["out.c-campaigns.theirs"]}
    await visit.client.put(PATH, {"name": stored["name"], "parameters": theirs})
    await page.get_by_role("button", name="Save", exact=True).click()
    banner = page.get_by_role("alert").filter(has_text="saved it while you were editing")
    await expect(banner).to_contain_text("admin@example.com")
    await expect(banner.get_by_role("link", name="Compare 2 with 3")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Output tables, 1")).to_have_value("out.c-campaigns.mine")
    await banner.get_by_role("button", name="Put mine on top").click()
    await page.get_by_role("link", name="Versions 4").click()
    await page.get_by_role("link", name="Changes of version 4").click()
    await expect(page.locator(".o-diff")).to_contain_text("\N{MINUS SIGN}out.c-campaigns.theirs")
    await expect(page.locator(".o-diff")).to_contain_text("+out.c-campaigns.mine")
    await expect(page.locator(".o-diff")).to_contain_text("Secret changed")
    assert "postgresql://another" not in await page.content()
    assert await axe(page) == []
    await page.get_by_role("link", name="All versions").click()
    await page.get_by_role("button", name="Restore version 3").click()
    await expect(page.locator("#toasts")).to_contain_text("Version 3 is restored as version 5.")
    await page.locator("#toasts").get_by_role("button", name="Undo").click()
    await expect(page.locator("#toasts")).to_contain_text("Version 4 is restored as version 6.")


async def test_a_new_one_is_made_copied_trashed_and_restored(visit: Visit) -> None:
    await configured(visit)
    page = await visit.open("configurations")
    await page.get_by_role("link", name="New configuration…").click()
    dialog = page.get_by_role("dialog", name="New configuration")
    await dialog.get_by_role("button", name="Next").click()
    await expect(dialog.locator("#component-error")).to_have_text("Choose a component.")
    await dialog.get_by_label("Find a component").fill("sql")
    await dialog.get_by_label("SQL transformation").check()
    await dialog.get_by_label("Name").fill("Přehled objednávek")
    await dialog.get_by_role("button", name="Next").click()
    await expect(page.get_by_label("Id")).to_have_value("prehled-objednavek")
    await page.get_by_role("button", name="Create").click()
    await expect(page.locator("#problems")).to_contain_text("Statements is missing")
    await page.get_by_label("Statements").fill("SELECT 1")
    await page.get_by_label("#connection").fill("postgresql://warehouse/shop")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("link", name="Automate…")).to_be_visible()
    await page.locator("button[popovertarget=more-menu]").click()
    await page.get_by_role("link", name="Copy…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("heading", name="Přehled objednávek (copy)")).to_be_visible()
    await page.locator("button[popovertarget=more-menu]").click()
    await page.get_by_role("button", name="Move to trash").click()
    await expect(page.locator("#configuration")).to_contain_text("is in the trash")
    await page.locator("#toasts").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Automate…")).to_be_visible()


async def test_a_single_configuration_is_automated_as_the_seed_has_it(visit: Visit) -> None:
    """In case you want to automate a single configuration, the quickest option is Automate on its page."""
    await configured(visit)
    page = await visit.open(ORDERS_PATH)
    await page.get_by_role("link", name="Automate…").click()
    # Specify the orchestration name and schedule.
    dialog = page.get_by_role("dialog", name="Automate Orders of the shop")
    await dialog.get_by_label("Name (optional)").fill("Orders, every morning")
    await dialog.get_by_label("Schedule").select_option("Weekly")
    await dialog.get_by_label("On", exact=True).select_option("Monday")
    await dialog.get_by_label("At", exact=True).fill("07:15")
    await expect(dialog.locator("#automate-preview")).to_contain_text("Mondays at 07:15, Europe/Prague")
    # If none of the predefined options fits, Custom schedule sets up an individual one.
    await dialog.get_by_label("Schedule").select_option("Custom schedule")
    await dialog.get_by_label("Cron").fill("30 25 * * 1-5")
    await expect(dialog.locator("#automate-preview")).to_contain_text("hour")
    await dialog.get_by_role("button", name="Automate").click()
    await expect(dialog.locator("#cron-error")).to_be_visible()
    await dialog.get_by_label("Cron").fill("30 5 * * 1-5")
    await expect(dialog.locator("#automate-preview")).to_contain_text("Mondays to Fridays at 05:30")
    assert await axe(page) == []
    # Automate creates an orchestration with the configuration as its only task.
    await dialog.get_by_role("button", name="Automate").click()
    await expect(page.get_by_role("heading", name="Orders, every morning")).to_be_visible()
    await expect(page.get_by_role("region", name="Tasks")).to_contain_text("Orders of the shop")
    await expect(page.get_by_role("region", name="Starts")).to_contain_text("Mondays to Fridays at 05:30")
    # It can be modified as any other orchestration; who made it hears of its errors.
    (told,) = (await visit.client.get("orchestrations/orders"))["notifications"]
    assert (told["event"], told["address"].startswith("editor-")) == ("error", True)
    await visit.open(f"{ORDERS_PATH}/automation")
    await expect(page.get_by_text("Orders, every morning runs it, too.")).to_be_visible()


async def test_one_is_run_by_itself_with_other_parameters(visit: Visit) -> None:
    await configured(visit)
    page = await visit.open(ORDERS_PATH)
    await page.get_by_role("link", name="Run…").click()
    dialog = page.get_by_role("dialog", name="Run Orders of the shop")
    await dialog.get_by_label("Parameters for this job only").fill('{"mode": "merge"}')
    await dialog.get_by_role("button", name="Run").click()
    await expect(dialog.locator("#parameters-error")).to_contain_text("Does not match the component's schema")
    await dialog.get_by_label("Parameters for this job only").fill('{"mode": "append"}')
    await dialog.get_by_role("button", name="Run").click()
    await expect(dialog).to_have_count(0)
    (started,) = (await visit.client.get("jobs?component=csv-extractor"))["items"]
    assert (started["status"], started["parameters"]) == ("created", {"mode": "append"})
    await page.get_by_role("link", name="Configuration", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Orders of the shop")


async def test_who_may_only_look_sees_why_nothing_can_be_changed(site: Site) -> None:
    async with visiting(site, role="viewer") as visit:
        page = await visit.open(ONE)
        for name in ("Edit", "Run…", "Automate…"):
            await expect(page.get_by_role("button", name=name)).to_be_disabled()
        await expect(page.locator("main").get_by_text("You may look, but not change. Ed")).to_be_visible()
        answer = await page.goto(
            f"{site.url}/projects/{visit.project}/configurations/demo-extractor/one/edit"
        )
        assert answer is not None
        assert answer.status == 403
