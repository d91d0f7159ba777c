"""One's own account: what one chose follows to every browser; password, sessions and logins."""

import pytest
from playwright.async_api import Page, expect
from tests.integration.api.people import PASSWORD, sign_in
from tests.integration.web.conftest import Visit
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
NEW = "another sentence that only Jana knows"


async def other_browser(visit: Visit) -> Page:
    """Where the same person signs in, too; nothing was chosen there."""
    email = (await visit.client.get("members"))["items"][-1]["email"]
    async with visit.site.api.http(None) as http:
        cookies = (await sign_in(http, email)).cookies
    context = await visit.site.browser.new_context(timezone_id="America/New_York")
    await context.add_cookies(
        [{"name": name, "value": value, "url": visit.site.url} for name, value in cookies.items()]
    )
    return await context.new_page()


async def test_what_one_chose_follows_to_another_browser(visit: Visit) -> None:
    page = await visit.open("/account")
    assert await axe(page) == []
    await page.get_by_label("Dark").check()
    await page.get_by_label("Time zone").fill("Europe/Prag")
    await page.get_by_label("Single letters are shortcuts").uncheck()
    await page.get_by_label("Rows per page").select_option("20")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#zone-error")).to_contain_text("'Europe/Prag' is not a time zone")
    await page.get_by_label("Time zone").fill("Asia/Tokyo")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    assert await axe(page) == []

    other = await other_browser(visit)
    await other.goto(visit.site.url + f"/projects/{visit.project}/orchestrations")
    html = other.locator("html")
    await expect(html).to_have_attribute("data-bs-theme", "dark")
    await expect(html).to_have_attribute("data-zone", "Asia/Tokyo")
    await expect(html).to_have_attribute("data-single-keys", "off")
    await expect(other.locator("time[data-tick=clock]")).to_contain_text("Tokyo")
    await other.context.close()


async def test_password_and_sessions(visit: Visit) -> None:
    page = await visit.open("/account")
    other = await other_browser(visit)
    await page.reload()
    await expect(page.get_by_text("This browser")).to_have_count(1)
    await page.get_by_role("button", name="Sign out python-httpx at 127.0.0.1").click()
    await expect(page.locator("#toasts")).to_contain_text("That browser is signed out.")
    await other.goto(visit.site.url + "/account")
    await expect(other).to_have_title("Sign in · Orchestrator")
    await other.context.close()

    await page.get_by_role("link", name="Change…").click()
    dialog = page.get_by_role("dialog", name="Change your password")
    await dialog.get_by_label("Current password").fill("not the password")
    await dialog.get_by_label("New password", exact=True).fill(NEW)
    await dialog.get_by_label("New password again").fill(NEW)
    await dialog.get_by_role("button", name="Change the password").click()
    await expect(dialog.locator("#current_password-error")).to_have_text("This is not your current password.")
    assert await axe(page, "'dialog'") == []
    await dialog.get_by_label("Current password").fill(PASSWORD)
    await dialog.get_by_label("New password", exact=True).fill(NEW)
    await dialog.get_by_label("New password again").fill(NEW)
    await dialog.get_by_role("button", name="Change the password").click()
    await expect(page.locator("#toasts")).to_contain_text("Your password is changed.")
    await page.set_viewport_size(PHONE)
    assert await overflows(page) == []
