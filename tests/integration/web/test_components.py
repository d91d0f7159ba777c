"""The components of the installation: everyone reads them, administrators register and change them."""

import json

import pytest
from playwright.async_api import expect
from tests.integration.web.configured import registered
from tests.integration.web.conftest import Site, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
OWN = {
    "component": "own-writer",
    "name": "Our writer",
    "type": "writer",
    "command": ["{python}", "-m", "own_writer"],
    "parameters": {"properties": {"path": {"type": "string", "description": "The file to write"}}},
}


async def test_they_are_read_by_all_and_registered_by_administrators(site: Site) -> None:
    async with visiting(site) as visit:
        await registered(visit)
        page = await visit.open("/components")
        await page.get_by_role("link", name="CSV extractor").click()
        await expect(page.get_by_role("region", name="Parameters", exact=True)).to_contain_text("delimiter")
        assert "orchestrator_components" not in await page.content(), "how it is run"
        await expect(page.get_by_role("button", name="Edit")).to_be_disabled()
        await visit.open("/components/-/new")
        await expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")
        await site.database.execute(
            "UPDATE catalog.people SET is_administrator = true WHERE id = "
            "(SELECT person_id FROM catalog.members WHERE project = $1 LIMIT 1)",
            visit.project,
        )
        await visit.open("/components")
        await page.get_by_role("link", name="Register a component").click()
        document = page.get_by_label("Component as JSON")
        await document.fill(json.dumps({**OWN, "type": "reader"}, indent=2))
        await expect(page.locator("#problems")).to_contain_text("Line 4: type")
        assert await axe(page) == []
        await document.fill(json.dumps(OWN, indent=2))
        await expect(page.locator("#problems")).to_be_hidden()
        await document.press("Control+Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Our writer")
        how = page.get_by_role("complementary", name="How it is run")
        await expect(how).to_contain_text("own_writer")
        assert await axe(page) == []
        await page.get_by_role("link", name="Edit").click()
        await visit.client.put("/v1/components/own-writer", {**OWN, "name": "Theirs"})
        await document.fill(json.dumps({**OWN, "name": "Mine"}, indent=2))
        await page.get_by_role("button", name="Save").click()
        banner = page.get_by_role("alert").filter(has_text="changed it while you were editing")
        await expect(banner.locator("pre")).to_contain_text('"Theirs"')
        await banner.get_by_role("button", name="Put mine on top").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Mine")
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []
        await visit.open("/components")
        assert await overflows(page) == []
