"""Who sees which pages: each role its sections, and administrators those of the instance."""

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

from orchestrator_api.web.sections import SECTIONS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
OF_ADMINS = {"Tokens", "Members", "Audit"}


async def status_of(visit: Visit, path: str) -> int:
    return (await visit.page.context.request.get(visit.site.url + path)).status


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
async def test_each_role_is_offered_what_it_may_open(site: Site, role: str) -> None:
    async with visiting(site, role) as visit:
        await visit.open()
        links = visit.page.locator(".o-side a.o-nav")
        hrefs = [await link.get_attribute("href") for link in await links.all()]
        assert [await status_of(visit, str(href)) for href in hrefs] == [200] * len(hrefs)
        of_project = [each.label for each in SECTIONS if not each.is_of_instance]
        hidden = set() if role == "admin" else OF_ADMINS
        shown = [text.strip().split("\n")[0] for text in await links.all_inner_texts()]
        assert sorted(shown) == sorted(label for label in of_project if label not in hidden)
        base = f"/projects/{visit.project}"
        for name in ("tokens", "members", "audit", "tokens/new", "members/new"):
            assert await status_of(visit, f"{base}/{name}") == (200 if role == "admin" else 403), name
        for path in ("/people", "/people/new", "/audit", "/all-projects/new"):
            assert await status_of(visit, path) == 403, path
        await visit.open("variables")
        button = visit.page.get_by_text("New variable…").first
        await (expect(button).to_be_disabled() if role == "viewer" else expect(button).to_be_enabled())
        await visit.open("settings")
        save = visit.page.get_by_role("button", name="Save")
        await (expect(save).to_be_enabled() if role == "admin" else expect(save).to_be_disabled())
        assert await axe(visit.page) == []


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
