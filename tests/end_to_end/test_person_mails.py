"""An invitation from the api through RabbitMQ to a mail: its link opens, and is nowhere else."""

from pathlib import Path

import aio_pika
from tests.support.browser import browsing
from tests.support.databases import everything
from tests.support.stack import open_stack
from tests.support.waiting import eventually

EMAIL, PASSWORD = "eva@example.com", "correct horse battery"


async def test_the_link_of_an_invitation_opens_and_is_only_in_the_mail(tmp_path: Path) -> None:
    async with open_stack(tmp_path, settings={"all": {"ORCHESTRATOR_LOG_LEVEL": "debug"}}) as stack:
        messages: list[bytes] = []

        async def overhear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            messages.append(message.body)

        async with await aio_pika.connect(stack.broker.url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind("orchestrator.events", "person.#")
            await queue.consume(overhear, no_ack=True)
            await stack.person.post("members", {"email": EMAIL, "role": "viewer"})

            async def mailed() -> str:
                assert stack.mails.messages
                assert messages
                return stack.mails.messages[0].text

            text = await eventually(mailed, 30)
        link = text.partition(f"{stack.url}/links/")[2].split()[0]
        async with browsing(stack["api"].url) as browser:
            page = await browser.get(f"/links/{link}")
            assert page.fields["email"] == EMAIL
            assert (await browser.send(page, password=PASSWORD, repeated=PASSWORD)).status == 303
            assert (await browser.get(f"/links/{link}")).status == 404
        await stack.at_rest()
        logs = [service.log.read_text() for service in stack.services.values()]
        for kept in (await everything(stack.database), *map(bytes.decode, messages), *logs):
            assert not [part for part in link.split(".")[1:] if part in kept]
