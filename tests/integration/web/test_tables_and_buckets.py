"""Tables with their rhythm, and sharing a bucket from both sides, in a real browser."""

import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, Visit, visiting
from tests.support.chromium import PHONE, axe, overflows

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
HEARD = """
WITH known AS (INSERT INTO triggers.tables (project, name, last_seq, last_heard_at)
               VALUES ($1, $2, 8, clock_timestamp() - interval '3 hours')
               ON CONFLICT (project, name) DO NOTHING)
INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)
SELECT $1, '/test', $2 || n, $2, n, clock_timestamp() - interval '3 hours' - make_interval(hours => 8 - n)
FROM generate_series(1, 8) AS n
"""
CONTACTS, DEALS = "in.c-crm.contacts", "in.c-crm.deals"


async def heard(visit: Visit, table: str) -> None:
    """Eight updates, one an hour; the last one three hours ago."""
    await visit.site.database.execute(HEARD, visit.project, table)


async def test_a_bucket_is_shared_used_and_taken_back(site: Site) -> None:
    async with visiting(site, role="admin") as owner, visiting(site) as other:
        for table in (CONTACTS, DEALS):
            await heard(owner, table)
        page = await owner.open("tables")
        row = page.get_by_role("row").filter(has_text=CONTACTS)
        await expect(row).to_contain_text("2 h late")
        assert await axe(page) == []
        await page.get_by_role("link", name="Buckets", exact=True).click()
        await page.get_by_role("link", name="in.c-crm").click()
        await page.get_by_role("link", name="Share…").click()
        dialog = page.get_by_role("dialog", name="Share in.c-crm")
        await dialog.get_by_label("Project").fill("Not An Id")
        await dialog.get_by_role("button", name="Share").click()
        await expect(dialog.locator("#shared_with-error")).to_contain_text("Write the id of a project")
        await dialog.get_by_label("Project").fill(other.project)
        await dialog.get_by_role("button", name="Share").click()
        shares = page.get_by_role("region", name="Shared with")
        await expect(shares).to_contain_text("no trigger on it yet")
        await other.orchestration("flights")
        trigger = {"tables": [f"{owner.project}/{CONTACTS}"]}
        await other.client.put("orchestrations/flights/triggers/crm", trigger, status=201)
        theirs = await other.open(f"tables/{CONTACTS}?owner={owner.project}")
        await expect(theirs.get_by_role("region", name="Triggers on it")).to_contain_text("flights")
        await page.reload()
        await shares.get_by_role("link", name="Stop sharing").click()
        ask = page.get_by_role("dialog", name="Stop sharing in.c-crm")
        await expect(ask).to_contain_text(f"{other.project} has 1 trigger on its tables. It is disabled")
        assert await axe(page, "'dialog'") == []
        await ask.get_by_role("button", name="Stop sharing").click()
        await expect(shares).to_contain_text("No other project.")
        answer = await theirs.reload()
        assert answer is not None
        assert answer.status == 404


async def test_tables_are_searched_and_read_by_viewers(site: Site) -> None:
    async with visiting(site, role="viewer") as visit:
        page = await visit.open("tables")
        await expect(page.get_by_role("heading", name="No updates yet")).to_be_visible()
        for table in (CONTACTS, DEALS):
            await heard(visit, table)
        await page.reload()
        await page.get_by_label("Filter tables").fill("deals")
        await expect(page.locator("#tables tbody tr")).to_have_count(1)
        await expect(page).to_have_url(f"{site.url}/projects/{visit.project}/tables?q=deals")
        await page.get_by_role("link", name=DEALS).click()
        await expect(page.get_by_role("region", name="About")).to_contain_text("Every hour")
        await page.get_by_role("link", name="in.c-crm").click()
        await expect(page.get_by_role("link", name="Share…")).to_have_count(0)
        await page.set_viewport_size(PHONE)
        for path in ("tables", f"tables/{DEALS}", "buckets/in.c-crm"):
            await visit.open(path)
            assert (await axe(page), await overflows(page)) == ([], []), path
