"""The dialog of a schedule in a real browser, and what became of its fires."""

from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.recorded_fires import recorded_fires
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def chosen(dialog: Locator, label: str) -> None:
    """Choose a chip as people do, by what it says."""
    await dialog.locator("label").filter(has_text=label).first.click()


async def opened(visit: Visit) -> tuple[Page, Locator]:
    """The dialog of a new schedule, over the page of campaigns."""
    await visit.orchestration("campaigns")
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("link", name="New schedule…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", level=2)).to_have_text("New schedule for campaigns")
    return page, dialog


async def test_when_you_are_content_you_automate_it_with_a_custom_schedule_in_your_time_zone(
    visit: Visit,
) -> None:
    """Seed 003: in UTC by default; what is predefined is not useful, so a custom one in a custom zone."""
    page, dialog = await opened(visit)
    await expect(dialog.get_by_role("radio", name="UTC")).to_be_checked()
    await expect(dialog.get_by_role("radio", name="Europe/Prague (mine)")).to_be_visible()
    await chosen(dialog, "Custom")
    await dialog.get_by_label("Cron").fill("30 5,17 * * mon-fri")
    await expect(dialog.locator("#cron-said")).to_have_text(
        "Mondays to Fridays at 05:30 and 17:30. Follows local time."
    )
    await chosen(dialog, "Another…")
    await dialog.get_by_label("Name of the zone").fill("America/New_York")
    preview = dialog.locator("#preview")
    await expect(preview.get_by_role("columnheader", name="America/New_York")).to_be_visible()
    await expect(preview.get_by_role("columnheader", name="Europe/Prague")).to_be_visible()
    await expect(preview.locator("table").first.locator("tbody tr")).to_have_count(5)
    await expect(dialog.get_by_role("radio", name="Custom")).to_be_checked()
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_label("Name", exact=True).fill("mornings")
    await dialog.get_by_role("button", name="Save schedule").click()
    await expect(page.locator("[data-toast]")).to_contain_text("The schedule mornings is saved.")
    starts = page.get_by_role("region", name="Starts")
    await expect(starts).to_contain_text("Mondays to Fridays at 05:30 and 17:30 America/New_York")
    await expect(starts).to_contain_text("Next: ")
    saved = await visit.client.get("orchestrations/campaigns/schedules/mornings")
    assert (saved["cron"], saved["timezone"], saved["overlap"]) == (
        "30 5,17 * * mon-fri",
        "America/New_York",
        "one_waiting",
    )
    await starts.get_by_role("link", name="mornings").click()
    await dialog.get_by_role("button", name="Remove").click()
    await expect(starts).not_to_contain_text("mornings")
    await page.get_by_role("button", name="Undo").click()
    await expect(starts).to_contain_text("America/New_York")
    restored = await visit.client.get("orchestrations/campaigns/schedules/mornings")
    assert restored["id"] == saved["id"], "with the record of its fires"


async def test_clock_changes_are_told_before_they_come(visit: Visit) -> None:
    """Moment 8: moved, first of two, none that night, twice."""
    page, dialog = await opened(visit)
    await chosen(dialog, "Europe/Prague (mine)")
    await dialog.get_by_label("At", exact=True).fill("02:30")
    changes = dialog.locator(".o-changes tr[data-moved]")
    await expect(changes).to_have_count(2)
    nights = [await changes.nth(place).inner_text() for place in range(2)]
    assert ["03:00" in nights[0], "moved" in nights[0]] == [True, True]
    assert ["02:30" in nights[1], "first of two" in nights[1]] == [True, True]
    await expect(dialog.locator("#preview")).to_contain_text("2 nights differ")
    await expect(dialog.get_by_label("Cron")).to_have_value("30 2 * * *")
    await dialog.get_by_label("Cron").fill("*/30 2 * * *")
    await expect(changes.first).to_contain_text("none that night")
    await expect(changes.last).to_contain_text("twice")
    await expect(dialog.get_by_role("radio", name="Custom")).to_be_checked()
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
    assert await axe(page, "'dialog'") == []


async def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(visit: Visit) -> None:
    page, dialog = await opened(visit)
    cron = dialog.get_by_label("Cron")
    await cron.fill("0 24 * * *")
    refusal = "Hour (field 2, character 3): hours go from 0 to 23, you wrote 24; for midnight write 0."
    await expect(dialog.locator("#cron-said")).to_have_text(refusal)
    await dialog.get_by_label("Name", exact=True).fill("nightly")
    await dialog.get_by_role("button", name="Save schedule").click()
    await expect(cron).to_have_attribute("aria-invalid", "true")
    await expect(cron).to_have_value("0 24 * * *")
    await expect(cron).to_be_focused()
    await expect(dialog.get_by_label("Name", exact=True)).to_have_value("nightly")
    await expect(dialog.locator("#cron-said")).to_have_text(refusal)
    await cron.fill("*/45 * * * *")
    await expect(dialog.locator("#preview")).to_contain_text("not a steady interval of 45m")
    await dialog.get_by_role("button", name="Use every: 45m").click()
    await expect(dialog.get_by_role("radio", name="Interval")).to_be_checked()
    await expect(dialog.get_by_label("Name", exact=True)).to_have_value("nightly")
    await dialog.get_by_role("button", name="Save schedule").click()
    await expect(page.get_by_role("region", name="Starts")).to_contain_text("Every 45 min")
    await page.get_by_role("switch", name="Schedule nightly is enabled").click()
    await expect(page.get_by_role("region", name="Starts")).to_contain_text("Paused")


async def test_a_conflict_keeps_both_sides_and_the_fires_say_what_became_of_each(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.orchestration("campaigns")
        path = "orchestrations/campaigns/schedules/main"
        await visit.client.put(path, {"cron": "0 5 * * *"}, status=201)
        for number in range(1, 7):
            await visit.ran("campaigns", number, "success", ago=timedelta(hours=8 - number), took=5400)
        await recorded_fires(visit, "campaigns", "main")
        page = await visit.open("orchestrations/campaigns")
        await page.get_by_role("link", name="main", exact=True).click()
        dialog = page.get_by_role("dialog")
        await chosen(dialog, "Hourly")
        await expect(dialog.locator("#preview")).to_contain_text("Runs usually take 1 h 30 min, longer than")
        await visit.client.put(path, {"cron": "0 4 * * *"})
        await dialog.get_by_role("button", name="Save schedule").click()
        await expect(dialog.get_by_role("alert").last).to_contain_text("Now it is: Every day at 04:00, UTC.")
        await expect(dialog.get_by_role("radio", name="Hourly")).to_be_checked()
        await dialog.get_by_role("button", name="Put mine on top").click()
        await expect(page.get_by_role("region", name="Starts")).to_contain_text("Every hour")
        await visit.open(f"{path}/fires")
        rows = page.locator("#fires tbody tr")
        await expect(rows.nth(0)).to_contain_text("Missed")
        await expect(rows.nth(1)).to_contain_text("Joined run #6")
        await expect(rows.nth(3).get_by_role("link", name="#5")).to_be_visible()
        assert await axe(page) == []
        await rows.nth(1).get_by_role("link", name="Why").click()
        await expect(page.get_by_role("region", name="It joined another run")).to_contain_text(
            "run #6 had not started yet, and the fire joined it"
        )
        assert await axe(page) == []
        await page.get_by_role("link", name="run #6").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("campaigns #6")
