"""Mails with links for people, by a real notifier: sent once, and the link is nowhere else."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aio_pika
import pytest
from tests.integration.notifier.conftest import Stage, StartNotifier, mails, told
from tests.support.brokers import BrokerVhost
from tests.support.databases import everything
from tests.support.service_process import ServiceProcess
from tests.support.smtp_sink import SmtpSink
from tests.support.stack_settings import LINK_KEY
from tests.support.waiting import eventually

from orchestrator_shared.contracts.events import PersonMailRequested
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import sign_link, verify_link

KEY = base64.b64decode(LINK_KEY)
BASE = "https://orchestrator.example.com/links/"
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Link:
    id: UUID
    person: UUID
    email: str
    purpose: LinkPurpose
    expires_at: datetime

    @property
    def text(self) -> str:
        return sign_link(KEY, self.id, self.purpose, self.expires_at)


async def make_link(stage: Stage, email: str, *, after: timedelta = WEEK, asked: bool = True) -> Link:
    """As the api writes it, without the message."""
    link = Link(
        new_id(), new_id(), email, LinkPurpose.INVITE, (datetime.now(UTC) + after).replace(microsecond=0)
    )
    database = stage.database
    await database.execute(
        "INSERT INTO catalog.people (id, email, name) VALUES ($1, $2, 'Eva')", link.person, email
    )
    await database.execute(
        """INSERT INTO catalog.person_links (id, person_id, purpose, project, expires_at, mail_requested_at)
           VALUES ($1, $2, $3, 'demo', $4, CASE WHEN $5 THEN clock_timestamp() END)""",
        link.id,
        link.person,
        link.purpose,
        link.expires_at,
        asked,
    )
    return link


async def ask(stage: Stage, link: Link) -> None:
    await stage.pipelines.publish(
        PersonMailRequested(
            link_id=link.id, person_id=link.person, purpose=link.purpose, expires_at=link.expires_at
        )
    )


async def test_a_person_gets_one_mail_and_the_link_is_nowhere_else(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink, broker: BrokerVhost
) -> None:
    notifier = start_notifier(ORCHESTRATOR_LOG_LEVEL="debug")
    await notifier.ready()
    link = await make_link(stage, "eva@example.com")
    overheard: list[bytes] = []
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("orchestrator.events", "#")

        async def overhear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            overheard.append(message.body)

        await queue.consume(overhear, no_ack=True)

        await ask(stage, link)
        (mail,) = await mails(smtp_sink, 1)
        assert mail.recipients == ("eva@example.com",)
        assert mail.subject == "You are invited to the project Demo"
        for part in ("plain", "html"):
            body = mail.message.get_body((part,))
            assert body is not None
            assert f"{BASE}{link.text}" in body.get_content()
        found = verify_link([KEY], mail.text.partition(BASE)[2].split()[0], datetime.now(UTC))
        assert found is not None
        assert found.link_id == link.id

        await ask(stage, link)
        last = await make_link(stage, "last@example.com")
        await ask(stage, last)
        await mails(smtp_sink, 2)
        await stage.all_settled(2)
        await eventually(_heard(overheard, 3), 30)

    assert [address for address, _ in told(smtp_sink)] == ["eva@example.com", "last@example.com"]
    kept = [await everything(stage.database), notifier.log.read_text(), *map(bytes.decode, overheard)]
    assert str(link.id) in kept[0]
    for text in kept:
        for part in link.text.split(".")[1:]:
            assert part not in text


def _heard(messages: list[bytes], count: int) -> Callable[[], Any]:
    async def look() -> bool:
        return len(messages) >= count

    return look


@pytest.mark.parametrize("over", ["used", "disabled", "expired", "unasked", "unknown"])
async def test_a_link_that_is_over_is_not_sent(
    over: str, stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    after = timedelta(seconds=-1) if over == "expired" else WEEK
    link = await make_link(stage, "eva@example.com", after=after, asked=over != "unasked")
    if over == "used":
        await use(stage, link)
    if over == "disabled":
        await stage.database.execute("UPDATE catalog.people SET disabled_at = clock_timestamp()")
    if over == "unknown":
        await stage.database.execute("DELETE FROM catalog.person_links")
    good = await make_link(stage, "good@example.com")
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()

    await ask(stage, link)
    await ask(stage, good)

    await stage.all_settled(1)
    await stage.facts(1)
    assert [address for address, _ in told(smtp_sink)] == ["good@example.com"]


async def use(stage: Stage, link: Link) -> None:
    await stage.database.execute(
        "UPDATE catalog.person_links SET used_at = clock_timestamp() WHERE id = $1", link.id
    )


async def test_a_link_that_was_used_while_the_mail_server_was_away_is_not_sent(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    smtp_sink.stop()
    await start_notifier().ready()
    link, good = await make_link(stage, "eva@example.com"), await make_link(stage, "good@example.com")
    await ask(stage, link)
    await ask(stage, good)
    await stage.facts(2)

    await use(stage, link)

    async def look() -> bool:
        assert await _error_of(stage, "eva@example.com")() == "the link was used or withdrawn already"
        return True

    await eventually(look, 30)  # before the server is back: a mail may have been written just before
    smtp_sink.start()
    await stage.all_settled(2)
    assert [address for address, _ in told(smtp_sink)] == ["good@example.com"]


def _error_of(stage: Stage, recipient: str) -> Callable[[], Any]:
    async def look() -> str | None:
        found = {row["recipient"]: row["last_error"] for row in await stage.deliveries()}
        return found.get(recipient)

    return look


async def test_a_link_whose_message_was_lost_is_found(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await make_link(stage, "unasked@example.com", asked=False)
    await make_link(stage, "eva@example.com")
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    await mails(smtp_sink, 1)
    await make_link(stage, "adam@example.com")
    await mails(smtp_sink, 2)
    await stage.all_settled(2)
    assert [address for address, _ in told(smtp_sink)] == ["eva@example.com", "adam@example.com"]


async def test_a_server_that_quotes_the_link_in_its_refusal_gets_it_into_no_row_and_no_log(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    notifier = start_notifier()
    await notifier.ready()
    link = await make_link(stage, "eva@example.com")
    smtp_sink.refusal = f"550 blocked: {BASE}{link.text}"

    await ask(stage, link)

    (row,) = await stage.all_settled(1)
    assert row["status"] == "failed"
    assert f"blocked: {BASE}***" in row["last_error"]
    await eventually(_logged(notifier, "delivery.failed"), 30)
    assert link.text not in notifier.log.read_text()


def _logged(service: ServiceProcess, event: str) -> Callable[[], Any]:
    async def look() -> bool:
        return event in service.log.read_text()

    return look


async def test_without_a_public_address_the_mail_waits_and_says_so(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await start_notifier(ORCHESTRATOR_PUBLIC_URL="").ready()
    await ask(stage, await make_link(stage, "eva@example.com"))

    why = await eventually(_error_of(stage, "eva@example.com"), 30)
    assert why == "ORCHESTRATOR_PUBLIC_URL is not set: there is no address for the link"
    assert not smtp_sink.messages
