"""Nothing is lost and nothing is told twice: outages, crashes, replicas, lost events."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.integration.notifier.conftest import IMPATIENT, Stage, StartNotifier, mails, told
from tests.support.scraping import Scraped
from tests.support.smtp_sink import ReceivedMail, SmtpSink
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.runtime import failpoints


def message_ids(received: list[ReceivedMail]) -> list[str]:
    return [str(mail.message["Message-ID"]) for mail in received]


async def tried(stage: Stage, attempts: int = 1) -> str:
    """Wait until a delivery was tried so often; its last error."""

    async def look() -> str:
        rows = await stage.deliveries()
        assert rows, "no delivery"
        assert rows[0]["attempts"] >= attempts, rows[0]["attempts"]
        return str(rows[0]["last_error"] or "")

    return await eventually(look, 30)


async def test_an_outage_of_the_mail_server_loses_nothing(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com b@example.com")
    smtp_sink.stop()
    notifier = start_notifier()
    await notifier.ready()

    for _ in range(3):
        await stage.end("campaigns")
    assert str(smtp_sink.port) in await tried(stage, 2)
    smtp_sink.start()

    rows = await stage.all_settled(6)
    assert {row["status"] for row in rows} == {"sent"}
    assert Counter(told(smtp_sink)) == Counter(
        (address, f"[demo] campaigns #{number} failed")
        for address in ("a@example.com", "b@example.com")
        for number in (1, 2, 3)
    )
    measured = await Scraped.of(notifier.url)
    assert measured("orchestrator_notifier_delivery_delay_seconds_count") == 6
    assert measured("orchestrator_notifier_deliveries_total", outcome="sent") == 6
    assert measured("orchestrator_notifier_deliveries_total", outcome="failed") == 0
    assert (measured("orchestrator_notifier_smtp_connections_failed_total") or 0) > 0
    notifier.terminate()
    assert await notifier.ended() == 0


async def test_a_mail_server_that_hangs_is_waited_for_within_bounds(
    stage: Stage,
    start_notifier: StartNotifier,
    smtp_sink: SmtpSink,
    tcp_proxy: Callable[[str, int], "asyncio.Future[TcpProxy]"],
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    proxy = await tcp_proxy(smtp_sink.host, smtp_sink.port)
    proxy.stall()
    await start_notifier(ORCHESTRATOR_SMTP_PORT=str(proxy.port), **IMPATIENT).ready()

    await stage.end("campaigns")
    assert "no answer in time" in await tried(stage, 1) or await tried(stage, 2)
    await proxy.resume()

    rows = await stage.all_settled(1)
    assert [row["status"] for row in rows] == ["sent"]
    assert len(smtp_sink.messages) == 1


async def test_killed_between_fact_and_mail_it_sends_one_mail_later(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    crashing = start_notifier(ORCHESTRATOR_CRASH_AT=failpoints.BEFORE_START, **IMPATIENT)
    await crashing.ready()
    await stage.end("campaigns")
    assert await crashing.ended() == failpoints.CRASH_EXIT_CODE
    assert [row["status"] for row in await stage.deliveries()] == ["pending"]

    await start_notifier().ready()
    await stage.all_settled(1)
    await stage.end("campaigns", "terminated")
    await stage.facts(2)

    assert len(smtp_sink.messages) == 1


async def test_killed_with_kill_nine_during_an_outage_it_sends_one_mail_later(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    smtp_sink.stop()
    notifier = start_notifier()
    await notifier.ready()
    await stage.end("campaigns")
    await tried(stage, 1)
    notifier.kill()
    smtp_sink.start()

    notifier.start()
    await stage.all_settled(1)

    assert len(smtp_sink.messages) == 1


async def test_a_crash_before_the_fact_is_kept_leaves_the_message_with_the_broker(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    crashing = start_notifier(ORCHESTRATOR_CRASH_AT=failpoints.BEFORE_COMMIT)
    await crashing.ready()
    await stage.end("campaigns")
    assert await crashing.ended() == failpoints.CRASH_EXIT_CODE
    assert await stage.deliveries() == []

    await start_notifier().ready()
    await stage.all_settled(1)

    assert len(smtp_sink.messages) == 1


async def test_a_crash_at_the_moment_of_sending_repeats_the_mail_with_its_message_id(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    crashing = start_notifier(ORCHESTRATOR_CRASH_AT=failpoints.BEFORE_MARK, **IMPATIENT)
    await crashing.ready()
    await stage.end("campaigns")
    assert await crashing.ended() == failpoints.CRASH_EXIT_CODE
    assert len(smtp_sink.messages) == 1

    await start_notifier().ready()
    rows = await stage.all_settled(1)

    assert message_ids(smtp_sink.messages) == [rows[0]["message_id"]] * 2
    assert rows[0]["attempts"] == 2


async def test_two_replicas_and_doubled_events_make_one_mail_each_and_keep_the_order(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com b@example.com")
    fast = {
        "ORCHESTRATOR_SCAN_SECONDS": "0.2",
        "ORCHESTRATOR_DELIVERY_BATCH": "1",
    }
    replicas = [start_notifier(**fast), start_notifier(**fast)]
    for replica in replicas:
        await replica.ready()

    for number in range(1, 9):
        run = await stage.ended_run("campaigns")
        await asyncio.gather(*(stage.announce(run) for _ in range(3)))
        await stage.facts(number)
    await stage.all_settled(16)

    numbers: dict[str, list[str]] = {}
    for address, subject in told(smtp_sink):
        numbers.setdefault(address, []).append(subject)
    expected = [f"[demo] campaigns #{number} failed" for number in range(1, 9)]
    assert numbers == {"a@example.com": expected, "b@example.com": expected}
    assert len(set(message_ids(smtp_sink.messages))) == 16


async def test_a_run_whose_event_was_lost_is_found_by_the_scan(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    long_ago = datetime.now(UTC) - timedelta(days=2)
    await stage.ended_run("campaigns", finished_at=long_ago, message="before anybody wanted to know")
    await stage.ended_run("campaigns")
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.3").ready()

    await mails(smtp_sink, 1)
    mark = await stage.database.fetchval("SELECT finished_at FROM notifications.progress")
    await stage.ended_run("campaigns")
    await mails(smtp_sink, 2)

    assert [subject for _, subject in told(smtp_sink)] == [
        "[demo] campaigns #2 failed",
        "[demo] campaigns #3 failed",
    ]

    async def moved() -> bool:
        return bool(
            await stage.database.fetchval("SELECT finished_at > $1 FROM notifications.progress", mark)
        )

    await eventually(moved)


async def test_a_refused_recipient_fails_at_once_and_a_postponed_one_blocks_no_other(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="busy@example.com gone@example.com fine@example.com")
    answers = {"gone@example.com": "550 no such user", "busy@example.com": "451 try later"}

    async def receive(
        server: object, session: object, envelope: object, address: str, options: object
    ) -> str:
        if address in answers:
            return answers[address]
        envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return "250 fine"

    smtp_sink.handle_RCPT = receive  # type: ignore[attr-defined]
    await start_notifier().ready()

    await stage.end("campaigns")
    await mails(smtp_sink, 1)
    await tried(stage, 1)
    await stage.end("campaigns")
    await mails(smtp_sink, 2)
    del answers["busy@example.com"]
    rows = await stage.all_settled(6)

    by_recipient = {
        (row["recipient"], row["status"], row["attempts"] > 1) for row in rows if row["recipient"] != "fine"
    }
    assert ("gone@example.com", "failed", False) in by_recipient
    assert ("fine@example.com", "sent", False) in by_recipient
    assert ("busy@example.com", "sent", True) in by_recipient
    gone = next(row for row in rows if row["recipient"] == "gone@example.com")
    assert gone["last_error"] == "550 no such user"
    assert told(smtp_sink)[:2] == [
        ("fine@example.com", "[demo] campaigns #1 failed"),
        ("fine@example.com", "[demo] campaigns #2 failed"),
    ]


async def test_an_address_that_is_none_fails_without_a_word_to_the_server(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="fine@example.com")
    evil = "evil@example.com\r\nBcc: other@example.com"
    # It cannot be saved: as if it came from before there was a rule for it.
    await stage.database.execute(
        "ALTER TABLE catalog.subscriptions DROP CONSTRAINT subscriptions_have_mail_addresses"
    )
    await stage.database.execute("UPDATE catalog.subscriptions SET address = $1", evil)
    await stage.subscribe("campaigns", error="fine@example.com")
    await start_notifier().ready()

    await stage.end("campaigns", message="a\r\nBcc: x@example.com\r\n\x1b[31mred\x00".replace("\0", ""))
    rows = await stage.all_settled(2)

    assert {(row["recipient"], row["status"]) for row in rows} == {
        (evil, "failed"),
        ("fine@example.com", "sent"),
    }
    (mail,) = smtp_sink.messages
    assert mail.message["Bcc"] is None
    assert "\x1b" not in mail.text


async def test_after_the_time_to_give_up_a_delivery_fails(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    smtp_sink.refusal = "451 not now"
    await start_notifier(
        ORCHESTRATOR_DELIVERY_GIVE_UP_SECONDS="0", ORCHESTRATOR_DELIVERY_RETRY_MOST_SECONDS="0.2"
    ).ready()

    await stage.end("campaigns")
    rows = await stage.all_settled(1)

    assert (rows[0]["status"], rows[0]["attempts"], rows[0]["last_error"]) == ("failed", 6, "451 not now")
