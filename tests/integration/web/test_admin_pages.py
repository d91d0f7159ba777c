"""Who may do what in a project: its tokens, members, variables and audit log, by role."""

import re

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
            "Choose at least one orchestration, or every one."
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


async def test_members_are_invited_changed_and_removed_but_the_last_admin_stays(site: Site) -> None:
    async with visiting(site, "admin") as visit:
        page = await visit.open("members")
        await expect(page.get_by_text("The last admin stays")).to_be_visible()
        await page.get_by_role("link", name="Jana Nováková").click()
        dialog = page.get_by_role("dialog", name="Role of Jana Nováková")
        await expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
        await expect(dialog).to_contain_text("make another member an admin first")
        assert await axe(page, "'dialog'") == []
        await dialog.get_by_role("link", name="Cancel").click()

        await page.get_by_role("link", name="Invite…").click()
        dialog = page.get_by_role("dialog", name="Invite a person")
        await dialog.get_by_label("E-mail address").fill("tomas")
        await dialog.get_by_label("Editor").check()
        await dialog.get_by_role("button", name="Invite").click()
        await expect(dialog.locator("#email-error")).to_contain_text("address")
        await expect(dialog.get_by_label("Editor")).to_be_checked()
        email = f"tomas.{visit.project}@example.com"
        await dialog.get_by_label("E-mail address").fill(email)
        await dialog.get_by_role("button", name="Invite").click()
        row = page.get_by_role("row").filter(has_text=email)
        await expect(row).to_contain_text("Editor")

        await row.get_by_role("link").click()
        dialog = page.get_by_role("dialog", name=f"Role of {email}")
        member = next(m for m in (await visit.client.get("members"))["items"] if m["email"] == email)
        await visit.client.put(f"members/{member['person_id']}", {"role": "viewer"})
        await dialog.get_by_label("Admin", exact=False).last.check()
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("changed this")
        await dialog.get_by_role("button", name="Save").click()
        await expect(row).to_contain_text("Admin")

        await page.get_by_role("button", name=f"Remove {email}").click()
        await expect(row).to_have_count(0)
        await page.get_by_role("button", name="Undo").click()
        await expect(row).to_contain_text("Admin")
        assert await axe(page) == []
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []


async def test_a_secret_variable_is_kept_without_being_shown(site: Site) -> None:
    async with visiting(site) as visit:
        body = {"parameters": {"rows": 1, "#password": "{{ vars.export_url }}"}}
        await visit.client.put("configurations/demo-extractor/two", body, status=201)
        page = await visit.open("variables")
        await page.get_by_role("link", name="New variable…").first.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Export")
        await dialog.get_by_label("Value").fill("https://one.example.com")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.locator("#name-error")).to_contain_text("lower-case letters")
        await dialog.get_by_label("Name").fill("export_url")
        await dialog.get_by_label("It is a secret").check()
        await dialog.get_by_role("button", name="Save").click()
        await expect(page.locator("#variable-export_url")).to_contain_text("Secret")
        await page.get_by_role("link", name="export_url", exact=True).click()
        await expect(dialog.get_by_label("Value")).to_have_value("")
        await expect(dialog).to_contain_text("demo-extractor/two")
        assert "one.example.com" not in await page.content()
        assert await axe(page, "'dialog'") == []
        await dialog.get_by_role("button", name="Save").click()
        await expect(page.locator("#toasts")).to_contain_text("export_url is saved.")
        await page.get_by_role("link", name="Remove export_url…").click()
        await expect(dialog).to_contain_text("fails from its next run on")
        await dialog.get_by_role("button", name="Remove export_url").click()
        await expect(page.get_by_role("heading", name="No variable yet")).to_be_visible()
        assert await axe(page) == []


async def test_the_audit_log_shows_what_was_different(site: Site) -> None:
    async with visiting(site, "admin") as visit:
        body = {"parameters": {"rows": 2, "#password": "hunter two"}}
        await visit.client.put("configurations/demo-extractor/one", body)
        page = await visit.open("audit")
        await page.get_by_label("What", exact=True).select_option("Configuration changed")
        await page.get_by_role("button", name="Show").click()
        await expect(page).to_have_url(re.compile(r"/audit\?action=configuration\.changed$"))
        row = page.locator("li[id^=audit-]")
        await expect(row).to_have_count(1)
        await row.locator("summary").click()
        await expect(row.locator("del")).to_contain_text("1")
        await expect(row.locator("ins").first).to_contain_text("2")
        assert "hunter two" not in await page.content()
        assert await axe(page) == []
        await page.get_by_role("link", name="All about demo-extractor/one").click()
        await expect(page.locator("li[id^=audit-]")).to_have_count(1)
        await page.get_by_role("link", name="Clear").click()
        await expect(page.locator("li[id^=audit-]")).not_to_have_count(1)
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []


async def test_an_administrator_makes_projects_and_accounts(site: Site) -> None:
    async with visiting(site) as visit:
        page = await visit.open("/projects")
        await expect(page).to_have_title(f"Orchestrations · {visit.project}")
        await visit.site.database.execute(
            "UPDATE catalog.people SET is_administrator = true WHERE id = (SELECT person_id "
            "FROM catalog.members WHERE project = $1)",
            visit.project,
        )
        await visit.open("/all-projects")
        assert await axe(page) == []
        await page.get_by_role("link", name="New project…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Id").fill("Has.Dots")
        await dialog.get_by_role("button", name="Create the project").click()
        await expect(dialog.locator("#id-error")).to_contain_text("lower-case letters")
        await dialog.get_by_label("Id").fill(f"{visit.project}-new")
        await dialog.get_by_role("button", name="Create the project").click()
        await expect(page).to_have_title(f"Orchestrations · {visit.project}-new")

        await page.get_by_role("link", name="People").click()
        assert await axe(page) == []
        await page.get_by_role("link", name="Invite…").click()
        email = f"eva.{visit.project}@example.com"
        await dialog.get_by_label("E-mail address").fill(email)
        await dialog.get_by_label("Show it to me").check()
        await dialog.get_by_role("button", name="Invite").click()
        link = page.get_by_role("dialog", name=f"Link for {email}")
        address = await link.get_by_label("Link").input_value()
        assert "/links/" in address
        assert await axe(page, "'dialog'") == []
        await link.get_by_role("link", name="I have copied it").click()
        row = page.get_by_role("row").filter(has_text=email)
        await row.get_by_role("link", name=email, exact=True).click()
        await dialog.get_by_label("May sign in").uncheck()
        await dialog.get_by_role("button", name="Save").click()
        await expect(row).to_contain_text("Disabled")
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []
