"""Seed 002, the tutorial: from the empty project to a pipeline that runs by itself and tells people."""

import pytest
from playwright.async_api import Locator, Page, expect
from tests.end_to_end.people import Desk, Person
from tests.support.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]
STEPS = {
    "load/drive": "Google Drive sheet",
    "load/database": "Sales database",
    "shape/tableau": "Sales for Tableau",
    "write/tableau": "Tableau Server",
}
"""What the previous parts of the tutorial have configured."""


async def order(desk: Desk) -> list[list[str]]:
    """The saved phases."""
    phases = (await desk.call("GET", "orchestrations/sales"))["phases"]
    return [[task["name"] for task in phase["tasks"]] for phase in phases]


async def dragged(page: Page, what: Locator, to: Locator) -> None:
    """With the mouse to the middle, whatever lies there."""
    await to.scroll_into_view_if_needed()
    for each, then in ((what, page.mouse.down), (to, page.mouse.up)):
        box = await each.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        await then()


async def test_from_the_empty_project_to_schedule_and_notification(told: Stack, jana: Person) -> None:
    async with jana.looking("tutorial") as desk:
        for target, name in STEPS.items():
            await desk.call("PUT", f"configurations/{target}", {"name": name, "parameters": {}}, status=201)
        page = desk.page

        # To create your first orchestration, go to the section Orchestrations, and assign it a name.
        await page.goto(f"{told.url}/projects/tutorial")
        await page.get_by_role("link", name="New orchestration").first.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Sales")
        await dialog.get_by_role("button", name="Create it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Tasks of Sales")

        # You should first add some tasks to it: you will see the tasks that are available, and select all.
        await page.get_by_role("main").get_by_role("link", name="Add task").last.click()
        await expect(dialog.get_by_role("checkbox", disabled=False)).to_have_count(len(STEPS))
        for name in STEPS.values():
            await dialog.get_by_role("checkbox", name=name).check()
        await dialog.get_by_role("button", name="Add").click()
        await expect(page.locator("[data-phase]")).to_have_count(1)

        # The order of the tasks is important, so you can drag them around to the correct order.
        for target, phases in (("shape/tableau", 2), ("write/tableau", 3)):
            grip = page.locator(f"[data-task='{target}'] .o-grip")
            await dragged(page, grip, page.get_by_role("list", name="New phase", exact=True))
            await expect(page.locator("[data-phase]")).to_have_count(phases)
        await page.get_by_role("button", name="Save version 2").click()
        await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
        extract = [STEPS["load/database"], STEPS["load/drive"]]
        assert await order(desk) == [extract, [STEPS["shape/tableau"]], [STEPS["write/tableau"]]]

        # Go back to the orchestration; run it by hand with the play button in the top right corner.
        await page.get_by_label("Breadcrumb").get_by_role("link", name="Sales").click()
        await expect(page.get_by_role("region", name="Tasks")).to_contain_text("4 in 3 phases")
        await page.get_by_role("link", name="Run…").click()
        await expect(dialog).to_contain_text(f"Only you: {jana.email}.")
        await dialog.get_by_role("button", name="Run 4 tasks").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("sales #1")
        await page.get_by_role("link", name="All runs").click()

        # You can continue meanwhile: schedule it.
        starts = page.get_by_role("region", name="Starts")
        await page.get_by_role("link", name="New schedule…").click()
        await dialog.locator("label").filter(has_text="Daily").click()
        await dialog.get_by_label("At", exact=True).fill("06:15")
        await dialog.get_by_label("Name", exact=True).fill("mornings")
        await dialog.get_by_role("button", name="Save schedule").click()
        await expect(starts).to_contain_text("Every day at 06:15 UTC")

        # Notifications: at least on error conditions. Whoever created it is notified of errors already.
        notified = page.get_by_role("region", name="Notifications")
        await expect(notified).to_contain_text(jana.email)
        await notified.get_by_role("link", name="Show all").click()
        await page.get_by_role("link", name="Notify an address…").click()
        await dialog.get_by_label("E-mail address").fill("data-team@example.com")
        await expect(dialog.get_by_role("checkbox", name="Error")).to_be_checked()
        await dialog.get_by_role("button", name="Notify").click()
        await expect(page.get_by_role("listitem").filter(has_text="data-team@example.com")).to_be_visible()

        # If everything went well, you should see your job finished by now and notifications set.
        await page.get_by_label("Breadcrumb").get_by_role("link", name="Sales").click()
        runs = page.get_by_role("region", name="Last runs")
        await expect(runs.get_by_role("row").filter(has_text="#1")).to_contain_text("Success")
        await expect(notified).to_contain_text("data-team@example.com")
        (mail,) = await desk.mails("sales #1")
        assert mail.recipients == (jana.email,)
