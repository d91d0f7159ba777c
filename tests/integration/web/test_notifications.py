"""Who is notified, and the mails that were written, in a real browser."""

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
MAIL = """
WITH fact AS (INSERT INTO notifications.facts (key, project, orchestration, event)
              VALUES ($1, $2, 'campaigns', 'error') RETURNING key)
INSERT INTO notifications.deliveries (id, fact_key, project, orchestration, event, channel, recipient, reason,
                                      message_id, status, attempts, last_error)
SELECT gen_random_uuid(), key, $2, 'campaigns', 'error', 'email', 'ops@example.com', 'subscription', key, $3,
       3, 'the mail server does not know this address' FROM fact
"""


async def written(visit: Visit, status: str) -> None:
    """A mail as the notifier would have recorded it."""
    await visit.site.database.execute(MAIL, f"{visit.project}:{status}", visit.project, status)


async def test_who_is_notified_is_chosen_tested_and_taken_back(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    page = await visit.open("orchestrations/campaigns")
    await page.get_by_role("region", name="Notifications").get_by_role("link", name="Show all").click()
    await page.get_by_role("link", name="Notify an address…").click()
    dialog = page.get_by_role("dialog", name="Notify an address")
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_label("E-mail address").fill("ops")
    await dialog.get_by_label("Longer than usual").check()
    await dialog.get_by_label("By how many per cent").fill("half")
    await dialog.get_by_role("button", name="Notify").click()
    await expect(dialog.locator("#percent-error")).to_have_text("Write a whole number.")
    await dialog.get_by_label("By how many per cent").fill("50")
    await dialog.get_by_role("button", name="Notify").click()
    await expect(dialog.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    await expect(dialog.get_by_label("E-mail address")).to_have_value("ops")
    await dialog.get_by_label("E-mail address").fill("ops@example.com")
    await dialog.get_by_role("button", name="Notify").click()
    await expect(page.locator("#toasts")).to_contain_text(
        "ops@example.com is notified of error, longer than usual."
    )
    row = page.get_by_role("listitem").filter(has_text="ops@example.com")
    await expect(row).to_contain_text("Longer than usual (50 %)")
    await row.get_by_role("button", name="Send a test").click()
    await expect(page.locator("#toasts")).to_contain_text("A test e-mail to ops@example.com is on its way")
    await row.get_by_role("button", name="Remove").click()
    await expect(row).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(row).to_contain_text("Longer than usual (50 %)")
    saved = (await visit.client.get("orchestrations/campaigns/notifications"))["subscriptions"]
    events = [(each["event"], each["percent"]) for each in saved if each["address"] == "ops@example.com"]
    assert events == [("error", None), ("processing_long", 50)]
    assert await axe(page) == []
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []


async def test_a_change_of_someone_else_is_shown_and_nothing_typed_is_lost(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    path = "orchestrations/campaigns/notifications"
    given = [{"event": "error", "address": "ops@example.com"}]
    await visit.client.put(path, {"subscriptions": given}, status=200)
    page = await visit.open(path)
    await page.get_by_role("link", name="Edit ops@example.com").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Warning").check()
    given.append({"event": "success", "address": "ops@example.com"})
    await visit.client.put(path, {"subscriptions": given})
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("now it is Error, Success")
    await expect(dialog.get_by_label("Warning")).to_be_checked()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("notified of error, warning")


async def test_mails_that_were_given_up_say_why(site: Site) -> None:
    async with visiting(site, role="viewer") as visit:
        await visit.orchestration("campaigns")
        await visit.client.put("orchestrations/campaigns/notifications", {"subscriptions": []}, status=200)
        for status in ("failed", "pending"):
            await written(visit, status)
        page = await visit.open("orchestrations/campaigns/notifications")
        await expect(page.get_by_text("No one is notified")).to_be_visible()
        await expect(page.get_by_role("link", name="Notify an address…")).to_have_count(0)
        await page.get_by_role("link", name="All deliveries").click()
        rows = page.locator("#deliveries tbody tr")
        await expect(rows).to_have_count(2)
        assert await axe(page) == []
        await page.get_by_role("link", name="Given up").click()
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text("the mail server does not know this address")
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []
        answer = await page.goto(f"{site.url}/projects/{visit.project}/orchestrations/ghost/notifications")
        assert answer is not None
        assert answer.status == 404
