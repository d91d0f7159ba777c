"""A session that ends while someone works: nothing typed is lost."""

import pytest
from playwright.async_api import expect
from tests.integration.api.people import PASSWORD, person_with_password, sign_in
from tests.integration.web.conftest import Visit
from tests.support.chromium import axe

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

END = "UPDATE catalog.sessions SET created_at = created_at - interval '30 days'"


async def test_a_form_is_sent_again_after_signing_in_over_it(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    page = await visit.open("orchestrations/campaigns")
    await page.locator("a[href$='/orchestrations/campaigns/edit']").first.click()
    edited = page.get_by_role("dialog", name="Edit campaigns")
    await edited.get_by_label("Name").fill("Autumn campaigns")
    await visit.site.database.execute(END)
    save = edited.get_by_role("button", name="Save")
    await save.click()
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await expect(dialog.get_by_label("Password")).to_be_focused()
    assert await axe(page, "document.querySelector('#again')") == []

    await dialog.get_by_label("Password").fill("not the password")
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(dialog.locator("#again-problem")).to_have_text("The address or the password is wrong.")
    await dialog.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(save).to_be_focused()
    await expect(edited.get_by_label("Name")).to_have_value("Autumn campaigns")
    await page.keyboard.press("Escape")
    await expect(edited).to_contain_text("Discard what you typed?")
    await edited.get_by_role("button", name="Keep editing").click()
    await save.click()
    await expect(edited).to_have_count(0)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Autumn campaigns")


async def test_a_stream_without_a_session_asks_to_sign_in_again(visit: Visit) -> None:
    page = await visit.open()
    await expect(page.locator("#live")).to_have_text("Live")
    await visit.site.database.execute(END)
    await page.evaluate("document.querySelector('#stream')._htmx.sse?.reader?.cancel()")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await dialog.get_by_role("button", name="Not now").click()
    await expect(page.locator("#live")).to_have_text("Signed out")
    await expect(dialog).to_have_count(0)


async def test_a_page_of_someone_else_is_loaded_again(visit: Visit) -> None:
    """Another person has signed in, in another tab of the same browser."""
    await visit.orchestration("campaigns")
    page = await visit.open()
    viewer = f"viewer-{visit.project}@example.com"
    await person_with_password(visit.client, visit.site.database, viewer, role="viewer")
    async with visit.site.api.http(None) as http:
        for name, value in (await sign_in(http, viewer)).cookies.items():
            await page.context.add_cookies([{"name": name, "value": value, "url": visit.site.url}])
    await page.get_by_role("switch", name="campaigns is enabled").click()
    await expect(page.get_by_text("You may look, but not change.")).to_be_visible()
    await expect(page.get_by_role("switch", name="campaigns is enabled")).to_be_disabled()
