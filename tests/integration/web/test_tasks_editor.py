"""The tasks editor in a real browser: the board argues back, by mouse and by keyboard; nothing is lost."""

import pytest
from playwright.async_api import Page, expect
from tests.integration.api.people import PASSWORD
from tests.integration.web.campaign_data import campaigns, with_lengths
from tests.integration.web.conftest import Site, Visit, visiting
from tests.integration.web.test_session_that_ends import END
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
RECIPIENT = "sql-transformation/campaign-recipient"


async def layout(page: Page) -> list[tuple[str, list[str]]]:
    """What the board shows: phases with the names of their tasks."""
    return list(
        map(
            tuple,
            await page.evaluate(
                """() => [...document.querySelectorAll("[data-phase]")].map((phase) => [
                  phase.querySelector("summary, .o-phase-name .o-strong").textContent.trim(),
                  [...phase.querySelectorAll(".o-task-name")].map((each) => each.textContent)])"""
            ),
        )
    )


async def saved(visit: Visit) -> list[tuple[str, list[str]]]:
    """The same of the saved version."""
    found = await visit.client.get("orchestrations/campaigns")
    return [(phase["name"], [task["name"] for task in phase["tasks"]]) for phase in found["phases"]]


AS_SAVED = [
    ("Extract", ["Campaigns", "Email recipient index"]),
    ("Transform", ["Campaign performance"]),
    ("Second transformation", ["Campaign recipient"]),
    ("Write", ["New recipients"]),
]
TOGETHER = [
    AS_SAVED[0],
    ("Transform", ["Campaign performance", "Campaign recipient"]),
    AS_SAVED[3],
]
MENDED = [
    AS_SAVED[0],
    ("Transform", ["Campaign performance"]),
    ("Transformations", ["Campaign recipient"]),
    AS_SAVED[3],
]


async def test_the_board_argues_back(visit: Visit) -> None:
    """Moment 1: dropped where its order is not promised, mended, taken back; a reload loses nothing."""
    await campaigns(visit)
    await with_lengths(visit)
    page = await visit.open("orchestrations/campaigns/tasks")
    assert await layout(page) == AS_SAVED
    assert await axe(page) == []
    card = page.locator(f"[data-task='{RECIPIENT}']")
    transform = page.get_by_role("list", name="Tasks of Transform")
    await page.route("**/tasks/change", lambda route: route.fulfill(status=503))
    async with page.expect_response("**/tasks/change"):
        await card.locator(".o-grip").drag_to(transform)
    assert await layout(page) == AS_SAVED, "what the server has not done is not shown"
    await page.unroute("**/tasks/change")
    await expect(page.locator("[data-sent]")).to_have_count(0)
    await card.locator(".o-grip").drag_to(transform)
    await expect(card).to_have_attribute("data-tone", "warning")
    await expect(card).to_contain_text("writes in this same phase")
    assert await layout(page) == TOGETHER
    await expect(page).to_have_title(f"• Tasks of campaigns (unsaved) · {visit.project}")
    assert await axe(page) == []
    await card.get_by_role("button", name="Move to a phase after it").click()
    await expect(card).not_to_have_attribute("data-tone", "warning")
    assert await layout(page) == MENDED
    await page.keyboard.press("Control+z")
    await expect(card).to_have_attribute("data-tone", "warning")
    await page.reload()
    assert await layout(page) == TOGETHER
    assert await saved(visit) == AS_SAVED


async def test_the_board_argues_back_by_keyboard_alone(visit: Visit) -> None:
    await campaigns(visit)
    page = await visit.open("orchestrations/campaigns/tasks")
    card = page.locator(f"[data-task='{RECIPIENT}']")
    grip, said = card.locator(".o-grip"), page.locator("#said")
    while not await grip.evaluate("(element) => element === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Alt+ArrowUp")
    await expect(said).to_have_text("Campaign recipient moved to phase 2, Transform, 2 of 2. 1 to review.")
    await expect(grip).to_be_focused()
    await expect(card).to_contain_text("writes in this same phase")
    while not await page.evaluate("document.activeElement.textContent.includes('Move to a phase after it')"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(said).to_have_text("Campaign recipient moved to phase 3, Transformations, 1 of 1.")
    await expect(grip).to_be_focused()
    assert await layout(page) == MENDED
    await page.keyboard.press("Control+z")
    await expect(said).to_have_text("Undone: Campaign recipient moved from Transform to Transformations.")
    assert await layout(page) == TOGETHER
    await page.keyboard.press("Control+Shift+z")
    await expect(said).to_have_text("Done again: Campaign recipient moved from Transform to Transformations.")
    await expect(grip).to_be_focused()
    await page.keyboard.press("Alt+Shift+ArrowDown")
    await expect(said).to_have_text("Nothing to move it to: the board ends here.")
    await page.keyboard.press("Alt+ArrowDown")
    await expect(said).to_have_text("Campaign recipient moved to phase 3, Write, 2 of 2. 1 to review.")
    await page.keyboard.press("Delete")
    await expect(said).to_have_text("Campaign recipient removed.")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
    assert await saved(visit) == [AS_SAVED[0], AS_SAVED[1], AS_SAVED[3]]


async def test_seed_004_from_nothing_to_phases_in_the_right_order(visit: Visit) -> None:
    """Tasks are added, grouped by type, moved to a phase typed by name, which is moved; then it is nested."""
    await campaigns(visit, phases=())
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("link", name="Edit tasks").click()
    await page.get_by_role("main").get_by_role("link", name="Add task").last.click()
    dialog = page.get_by_role("dialog")
    for name in ("Campaign performance", "Campaign recipient", "New recipients"):
        await dialog.get_by_role("checkbox", name=name).check()
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog).to_have_count(0)
    for name in ("Campaigns", "Email recipient index"):
        await page.get_by_role("link", name="Add task…", exact=True).click()
        await expect(dialog.get_by_text("in use 1").first).to_be_visible()
        await dialog.get_by_role("searchbox").fill(name[:8])
        await expect(dialog.get_by_role("checkbox")).to_have_count(4 if name == "Campaigns" else 1)
        await dialog.get_by_role("checkbox", name=f"{name} ").first.check()
        await dialog.get_by_role("button", name="Add").click()
        await expect(dialog).to_have_count(0)
    transformations, writers = ["Campaign performance", "Campaign recipient"], ["New recipients"]
    assert await layout(page) == [
        ("New phase", [*transformations, *writers]),
        ("Campaigns", ["Campaigns"]),
        ("Email recipient index", ["Email recipient index"]),
    ]
    await page.get_by_role("link", name="Group by type…").click()
    await expect(dialog.get_by_role("group", name="Proposed")).to_contain_text("Extractors")
    await expect(dialog).to_contain_text("2 tasks move.")
    await expect(dialog.locator("[data-moved]")).to_have_text(["Email recipient index", "New recipients"])
    await expect(dialog).to_contain_text("One thing to review afterwards")
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_text("Put it into a phase of its own").click()
    await dialog.get_by_role("button", name="Use this grouping").click()
    await expect(dialog).to_have_count(0)
    extractors = ("Extractors", ["Campaigns", "Email recipient index"])
    assert await layout(page) == [extractors, ("Transformations", transformations), ("Writers", writers)]
    await expect(page).to_have_url(
        f"{visit.site.url}/projects/{visit.project}/orchestrations/campaigns/tasks"
    )
    await page.get_by_role("link", name="Select", exact=True).click()
    await page.get_by_role("checkbox", name="Select Campaign recipient").check()
    await page.get_by_label("Name of a new phase").fill("Second Transformation Phase")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-phase]")).to_have_count(4)
    await page.get_by_role("link", name="Done selecting").click()
    await page.get_by_role("button", name="Move phase Second Transformation Phase").focus()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#said")).to_have_text("Phase Second Transformation Phase moved, 3 of 4.")
    await page.get_by_label("Note for version 2").fill("In the right order")
    await page.get_by_role("button", name="Save version 2").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
    assert await saved(visit) == [
        extractors,
        ("Transformations", transformations[:1]),
        ("Second Transformation Phase", transformations[1:]),
        ("Writers", writers),
    ]
    await visit.client.put("orchestrations/morning", {"phases": []}, status=201)
    await visit.open("orchestrations/morning/tasks/add")
    await page.get_by_role("group", name="Orchestrations").get_by_role("checkbox", name="campaigns").check()
    await page.get_by_role("button", name="Add").click()
    await page.get_by_role("button", name="Save version 2").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
    await visit.open("orchestrations/campaigns/tasks/add?type=orchestrator")
    await expect(page.get_by_role("checkbox", name="morning")).to_be_disabled()
    await expect(page.get_by_text("Would run itself: campaigns → morning → campaigns")).to_be_visible()


async def test_settings_names_and_menus_change_the_draft_only(visit: Visit) -> None:
    await campaigns(visit)
    page = await visit.open("orchestrations/campaigns/tasks")
    await page.get_by_role("switch", name="Campaigns is active").click()
    await expect(page.locator("#said")).to_have_text("Campaigns is inactive.")
    await expect(page.get_by_role("switch", name="Campaigns is active")).to_be_focused()
    more = page.get_by_role("button", name="More about New recipients")
    await more.click()
    await page.get_by_role("link", name="Settings…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Tries").fill("3")
    await dialog.get_by_label("Parameters (JSON)").fill('{"parameters": }')
    await dialog.get_by_role("button", name="Use these settings").click()
    await expect(dialog.locator("#parameters-error")).to_have_text("Line 1, column 16: expecting value.")
    await expect(dialog.get_by_label("Tries")).to_have_value("3")
    await dialog.get_by_label("Parameters (JSON)").fill('{"parameters": {"rows": 2}}')
    await dialog.get_by_role("button", name="Use these settings").click()
    await expect(dialog).to_have_count(0)
    await expect(more).to_be_focused()
    await expect(page.locator("[data-task='mailchimp/new-recipients']")).to_contain_text("3 tries")
    await page.locator("#p-1").get_by_text("Transform", exact=True).click()
    await expect(page.get_by_label("Name of phase 2")).to_be_focused()
    await page.keyboard.type("Model")
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text("Phase 2 is called Model.")
    await page.get_by_role("button", name="More about phase Model").click()
    await page.get_by_role("button", name="Merge with the next").click()
    await expect(page.locator("#said")).to_contain_text("Phases merged into Model: 2 tasks.")
    await page.get_by_role("button", name="Keep it").click()
    await expect(page.locator("#checks")).to_contain_text("1 warning kept")
    grip = page.locator(f"[data-task='{RECIPIENT}'] .o-grip")
    await grip.focus()
    await page.keyboard.press("Enter")
    await dialog.get_by_label("Or into a new phase").fill("Later")
    await dialog.get_by_role("button", name="Move").click()
    await expect(page.locator("#said")).to_have_text("Campaign recipient moved to phase 4, Later, 1 of 1.")
    await expect(grip).to_be_focused()
    assert await saved(visit) == AS_SAVED
    await page.get_by_role("link", name="Discard…").click()
    await dialog.get_by_role("button", name="Discard the draft").click()
    await expect(page.locator("#toasts")).to_contain_text("The draft is discarded.")
    assert await layout(page) == AS_SAVED


async def test_who_saves_second_sees_both_sides_and_loses_nothing(visit: Visit) -> None:
    await campaigns(visit)
    page = await visit.open("orchestrations/campaigns/tasks")
    await page.locator(f"[data-task='{RECIPIENT}'] .o-grip").focus()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#said")).to_contain_text("moved to phase 2")
    other = await page.context.new_page()
    await other.goto(page.url)
    await other.get_by_role("switch", name="Campaigns is active").click()
    await expect(other.locator("#said")).to_contain_text("Campaigns is inactive.")
    await other.close()
    await page.get_by_role("switch", name="New recipients is active").click()
    await expect(page.get_by_text("The draft was changed in another tab")).to_be_visible()
    await expect(page.get_by_role("switch", name="Campaigns is active")).not_to_be_checked()
    await visit.client.put("orchestrations/campaigns", {"phases": [], "note": "Paused"})
    await page.get_by_label("Note for version 2").fill("Recipients earlier")
    await page.get_by_role("button", name="Save version 2").click()
    conflict = page.locator("#conflict")
    await expect(conflict).to_contain_text("saved version 2")
    await expect(page.get_by_label("Note for version 3")).to_have_value("Recipients earlier")
    await conflict.get_by_text("Compare").click()
    await expect(conflict).to_contain_text("New recipients is gone from Write")
    assert await axe(page) == []
    await conflict.get_by_role("button", name="Put mine on top").click()
    await expect(conflict).to_have_count(0)
    await page.get_by_role("button", name="Save version 3").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved as version 3.")
    assert await saved(visit) == TOGETHER


async def test_a_session_that_ends_in_the_middle_of_an_edit_loses_nothing(visit: Visit) -> None:
    await campaigns(visit)
    page = await visit.open("orchestrations/campaigns/tasks")
    grip = page.locator(f"[data-task='{RECIPIENT}'] .o-grip")
    await grip.focus()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#said")).to_contain_text("moved to phase 2")
    await page.get_by_label("Note for version 2").fill("Recipients earlier")
    await visit.site.database.execute(END)
    await page.get_by_role("button", name="Save version 2").click()
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await dialog.get_by_role("button", name="Not now").click()
    assert await layout(page) == TOGETHER
    await page.get_by_role("button", name="Save version 2").click()
    await dialog.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name="Save version 2").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved as version 2.")
    found = await visit.client.get("orchestrations/campaigns")
    assert (found["note"], await saved(visit)) == ("Recipients earlier", TOGETHER)


async def test_an_old_draft_is_mentioned(visit: Visit) -> None:
    await campaigns(visit)
    page = await visit.open("orchestrations/campaigns/tasks")
    await page.get_by_role("switch", name="Campaigns is active").click()
    await expect(page.locator("#said")).to_contain_text("Campaigns is inactive.")
    older = "UPDATE catalog.drafts SET updated_at = updated_at - interval '1 hour' WHERE project = $1"
    await visit.site.database.execute(older, visit.project)
    await page.reload()
    await expect(page.get_by_text("You have a draft of 1 change from")).to_be_visible()


async def test_a_viewer_sees_the_board_and_its_checks_and_moves_nothing(site: Site) -> None:
    async with visiting(site, "viewer") as visit:
        await campaigns(visit)
        await visit.page.set_viewport_size(PHONE)
        page = await visit.open("orchestrations/campaigns/tasks")
        await expect(page.get_by_text("You may look, but not change.")).to_be_visible()
        await expect(page.get_by_role("switch", name="Campaigns is active")).to_be_disabled()
        await expect(page.get_by_role("button", name="Save")).to_have_count(0)
        assert await page.locator("main .o-grip").count() == 0
        assert (await axe(page), await overflows(page)) == ([], [])


async def test_without_scripts_and_on_a_phone_menus_do_what_dragging_does(site: Site) -> None:
    async with visiting(site, java_script_enabled=False) as visit:
        await campaigns(visit)
        await visit.page.set_viewport_size(PHONE)
        page = await visit.open("orchestrations/campaigns/tasks")
        await page.get_by_role("button", name="More about Campaign recipient").click()
        await page.get_by_role("link", name="Move to…").click()
        await page.get_by_role("radio", name="Transform 1 task").check()
        await page.get_by_role("button", name="Move", exact=True).click()
        card = page.locator(f"[data-task='{RECIPIENT}']")
        await expect(card).to_contain_text("writes in this same phase")
        await card.get_by_role("button", name="Move to a phase after it").click()
        await expect(card).not_to_contain_text("writes in this same phase")
        await page.get_by_role("button", name="Save version 2").click()
        await expect(page.get_by_text("Nothing to save")).to_be_visible()
        assert await saved(visit) == MENDED
