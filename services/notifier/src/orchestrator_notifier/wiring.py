"""Wires the notifier: the only place where its parts are made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg

from orchestrator_notifier.adapters.composing import Composer
from orchestrator_notifier.adapters.facts import FactStore
from orchestrator_notifier.adapters.smtp import SmtpServer
from orchestrator_notifier.domain.person_mail import Links
from orchestrator_notifier.domain.retrying import RetryRules
from orchestrator_notifier.engine.mail_sender import MailSender
from orchestrator_notifier.engine.scan import Scan
from orchestrator_notifier.engine.timers import Timers
from orchestrator_notifier.handlers.facts import FactMaker
from orchestrator_notifier.settings import NotifierSettings
from orchestrator_shared.contracts.events import (
    PersonMailRequested,
    RunFinished,
    RunStarted,
    ScheduleMissed,
    TestMailRequested,
    TriggerDeadlineMissed,
)
from orchestrator_shared.contracts.routing import NOTIFIER_FACTS
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.retention import Retention
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import open_skeleton

RETENTION_SECONDS = 3600.0
RETENTION_BATCH = 500


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one replica."""

    consumer: Consumer
    mail_sender: MailSender
    scan: Scan
    timers: Timers
    retention: Retention


@asynccontextmanager
async def start(settings: NotifierSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything, work until asked to stop, finish the mail underway, close.

    The SMTP server is left out of readiness: while it is down, facts must still be received and stored.
    """
    async with open_skeleton(settings, lifecycle) as skeleton:
        parts = build(settings, skeleton.pool, skeleton.broker)
        skeleton.consume("facts", parts.consumer)
        skeleton.run("mail", parts.mail_sender.run(lifecycle.stopping))
        skeleton.repeat("scan", parts.scan.round, every=settings.scan_seconds)
        skeleton.repeat("timers", parts.timers.once, every=settings.poll_seconds)
        skeleton.repeat("retention", parts.retention.once, every=RETENTION_SECONDS)
        yield


def build(settings: NotifierSettings, pool: asyncpg.Pool, broker: Broker) -> Parts:
    """Join the parts of a replica."""
    sender = settings.sender
    overlap_seconds = settings.scan_overlap_seconds
    mail_sender = MailSender(
        pool,
        Composer(sender),
        _smtp_server(settings),
        rules=RetryRules(
            first=settings.delivery_retry_first_seconds,
            most=settings.delivery_retry_most_seconds,
            give_up_after=settings.delivery_give_up_seconds,
        ),
        lease_seconds=settings.delivery_lease_seconds,
        batch=settings.delivery_batch,
        poll_seconds=settings.poll_seconds,
        links=Links(settings.public_url, settings.link_key[0]),
    )
    timers = Timers(pool, mail_sender.wake, message_domain=sender.domain, overlap_seconds=overlap_seconds)
    maker = FactMaker(
        pool, timers, mail_sender.wake, message_domain=sender.domain, overlap_seconds=overlap_seconds
    )
    return Parts(
        consumer=Consumer(
            broker,
            NOTIFIER_FACTS,
            {
                RunStarted: maker.run_started,
                RunFinished: maker.run_finished,
                ScheduleMissed: maker.schedule_missed,
                TriggerDeadlineMissed: maker.deadline_missed,
                PersonMailRequested: maker.person_mail_requested,
                TestMailRequested: maker.test_mail_requested,
            },
        ),
        mail_sender=mail_sender,
        scan=Scan(pool, maker, timers, overlap_seconds=overlap_seconds),
        timers=timers,
        retention=retention(pool, days=settings.retention_days),
    )


def retention(pool: asyncpg.Pool, *, days: int) -> Retention:
    """Deletes old facts with their deliveries; unsent ones are kept, however old."""
    return Retention(
        partial(acquire, pool), FactStore.queries, {"forget": {"days": days}}, batch=RETENTION_BATCH
    )


def _smtp_server(settings: NotifierSettings) -> SmtpServer:
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        username=settings.smtp_username,
        password=settings.smtp_password,
        ca_file=settings.smtp_ca_file,
        connect_seconds=settings.smtp_connect_timeout_seconds,
        send_seconds=settings.smtp_send_timeout_seconds,
    )
