"""What no service could handle, in an administrator's browser."""

from typing import Any

import aio_pika
import pytest
from playwright.async_api import expect
from tests.integration.web.conftest import Site, visiting
from tests.support.chromium import PHONE, axe, overflows

from orchestrator_shared.contracts.message import DEAD_LETTERS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def given_up(site: Site, number: int) -> None:
    """A message as a consumer puts it aside."""
    headers: dict[str, Any] = {
        "x-reason": f"run {number} names no project",
        "x-queue": "runner.commands",
        "x-exchange": "orchestrator.commands",
        "x-routing-key": "run.requested",
        "x-message-id": f"m-{number}",
        "x-bytes": 14,
    }
    async with await aio_pika.connect(site.broker.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(DEAD_LETTERS, ensure=False)
        message = aio_pika.Message(
            b'{"project": 1}', headers=headers, message_id=f"letter-{number}", delivery_mode=2
        )
        await exchange.publish(message, "runner.commands")


async def test_dead_letters_say_why_and_are_sent_again_or_dropped(site: Site) -> None:
    async with visiting(site) as visit:
        await visit.open("/dead-letters")
        await expect(visit.page.get_by_role("heading", level=1)).to_have_text("You may not do this")
        await site.database.execute(
            "UPDATE catalog.people SET is_administrator = true WHERE id = "
            "(SELECT person_id FROM catalog.members WHERE project = $1 LIMIT 1)",
            visit.project,
        )
        for number in (1, 2):
            await given_up(site, number)
        page = await visit.open("/dead-letters")
        letters = page.locator("#letters li")
        await expect(letters).to_have_count(2)
        await expect(letters.first).to_contain_text("run 1 names no project")
        await letters.first.get_by_text("Message m-1").click()
        await expect(letters.first.locator("pre")).to_have_text('{"project": 1}')
        assert await axe(page) == []
        await letters.first.get_by_role("link", name="Drop…").click()
        ask = page.get_by_role("dialog", name="Drop this message?")
        await expect(ask.get_by_role("link", name="Keep it")).to_be_focused()
        await ask.get_by_role("button", name="Drop the message").click()
        await expect(page.locator("#toasts")).to_contain_text("The message was dropped.")
        await expect(letters).to_have_count(1)
        await page.set_viewport_size(PHONE)
        assert await overflows(page) == []
        await letters.get_by_role("button", name="Send again").click()
        await expect(page.locator("#toasts")).to_contain_text("The message was sent again.")
        await expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()
