"""Who may do what in a project: its tokens, members, variables and audit log, by role."""

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_token_that_only_starts_a_run_is_made_and_its_secret_shown_once(site: Site) -> None:
    async with visiting(site, "admin") as visit:
        await visit.orchestration("campaigns")
        await visit.orchestration("other")
        page = await visit.open("tokens")
        await expect(page.get_by_role("heading", name="No token yet")).to_be_visible()
        await page.get_by_role("link", name="New token…").first.click()
        dialog = page.get_by_role("dialog", name="New token")
        await expect(dialog.get_by_label("Only starts runs")).to_be_checked()
        await expect(dialog.get_by_label("Components", exact=True)).to_be_hidden()
        await dialog.get_by_label("Name").fill("start-button")
        await dialog.get_by_role("button", name="Create the token").click()
        await expect(dialog.locator("#which-error")).to_have_text(
            "choose at least one orchestration, or every one"
        )
        assert await axe(page, "'dialog'") == []
        await expect(dialog.get_by_label("Name")).to_have_value("start-button")
        await dialog.get_by_label("campaigns").check()
        await dialog.get_by_role("button", name="Create the token").click()

        ready = page.get_by_role("dialog", name="start-button is ready")
        secret = await ready.get_by_label("Secret").input_value()
        await ready.get_by_role("button", name="Copy").click()
        await expect(ready.get_by_role("button", name="Copied")).to_be_visible()
        assert await axe(page, "'dialog'") == []
        await ready.get_by_role("link", name="I have copied it").click()
        row = page.get_by_role("row").filter(has_text="start-button")
        await expect(row).to_contain_text("Starts campaigns")
        assert secret not in await page.content()
        assert await axe(page) == []
        async with visit.site.api.http(secret) as http:
            runs = f"/v1/projects/{visit.project}/orchestrations"
            assert (await http.post(f"{runs}/campaigns/runs")).status_code == 202
            assert (await http.post(f"{runs}/other/runs")).status_code == 403

        await row.get_by_role("link", name="Revoke start-button…").click()
        confirm = page.get_by_role("dialog", name="Revoke start-button?")
        await expect(confirm).to_contain_text("Starts campaigns")
        await confirm.get_by_role("button", name="Revoke start-button").click()
        await expect(page.locator("#toasts")).to_contain_text("start-button is revoked.")
        await expect(page.get_by_role("heading", name="No token yet")).to_be_visible()
        await page.set_viewport_size(PHONE)
        await visit.open("tokens?show=revoked")
        assert await overflows(page) == []
