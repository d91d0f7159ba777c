"""Claims deliveries, writes their mails and hands them to the SMTP server."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from uuid import UUID

import asyncpg
import structlog

from orchestrator_notifier import metrics
from orchestrator_notifier.adapters.composing import Composer
from orchestrator_notifier.adapters.deliveries import ClaimedDelivery, DeliveryStore
from orchestrator_notifier.adapters.person_mails import PersonMailStore
from orchestrator_notifier.adapters.reports import ReportStore
from orchestrator_notifier.adapters.smtp import Connection, Refused, ServerUnusable, SmtpServer
from orchestrator_notifier.domain.addresses import BadAddress
from orchestrator_notifier.domain.content import Audience, Content, missed_content, run_content
from orchestrator_notifier.domain.facts import Reason
from orchestrator_notifier.domain.late_content import late_content
from orchestrator_notifier.domain.lateness import LATE_EVENTS
from orchestrator_notifier.domain.person_mail import Links, person_content
from orchestrator_notifier.domain.retrying import RetryRules, next_delay
from orchestrator_notifier.domain.trial_mail import TEST, trial_content
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime import failpoints
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.periodic import repeat
from orchestrator_shared.runtime.retry import retry_while_unavailable
from orchestrator_shared.settings import variable

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 30.0
"""Between tries while the SMTP server or the database is away."""

Letter = tuple[ClaimedDelivery, EmailMessage]


class NothingToTell(Exception):
    """What the mail would be about has been deleted, or is over."""


class CannotLink(Exception):
    """No one said where people reach the api; an administrator can mend that."""


class MailSender:
    """One per replica; sends one mail at a time over one connection per batch."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        composer: Composer,
        server: SmtpServer,
        *,
        rules: RetryRules,
        lease_seconds: float,
        batch: int,
        poll_seconds: float,
        links: Links,
    ) -> None:
        self._pool = pool
        self._lease_seconds = lease_seconds
        self._composer = composer
        self._server = server
        self._rules = rules
        self._batch = batch
        self._poll_seconds = poll_seconds
        self._links = links
        self._public_url = links.public_url
        self._woken = asyncio.Event()

    @asynccontextmanager
    async def _deliveries(self) -> AsyncIterator[DeliveryStore]:
        async with acquire(self._pool) as connection:
            yield DeliveryStore(connection)

    def wake(self) -> None:
        """There are new deliveries."""
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until asked to stop; a mail underway is finished then."""
        await repeat(
            partial(self.round, stopping),
            name="mail",
            every=self._poll_seconds,
            stopping=stopping,
            woken=self._woken,
            longest_pause=LONGEST_PAUSE_SECONDS,
        )

    async def round(self, stopping: asyncio.Event) -> bool:
        """Send one batch; returns whether there may be more. Raises ServerUnusable, Unavailable."""
        async with self._deliveries() as deliveries:
            claimed = await deliveries.claim(limit=self._batch, lease_seconds=self._lease_seconds)
        if claimed:
            failpoints.reach(failpoints.BEFORE_START)
        letters = [letter for delivery in claimed if (letter := await self._write(delivery))]
        if letters:
            await self._send_all(letters, stopping)
        return len(claimed) == self._batch

    async def _write(self, delivery: ClaimedDelivery) -> Letter | None:
        """The mail; a delivery for which none can be written fails or is postponed at once."""
        try:
            message = self._composer.compose(
                await self._content(delivery),
                recipient=delivery.recipient,
                message_id=delivery.message_id,
                thread=self._composer.thread(delivery.project, delivery.orchestration),
                at=datetime.now(UTC),
            )
        except (BadAddress, NothingToTell) as error:
            await self._fail(delivery, str(error))
            return None
        except Unavailable:
            raise
        except CannotLink as error:
            await self._put_off_all([delivery], str(error))
            return None
        except Exception as error:
            # One mail that cannot be composed must not hold up the others.
            log.exception("delivery.not_written", delivery=str(delivery.id))
            await self._put_off_all([delivery], f"the mail could not be written: {type(error).__name__}")
            return None
        return delivery, message

    async def _content(self, delivery: ClaimedDelivery) -> Content:
        if delivery.reason is Reason.PERSON:
            return await self._person_content(delivery)
        if delivery.event == TEST:
            asked_by = str(delivery.detail["requested_by"])
            return trial_content(delivery.project, delivery.orchestration, delivery.recipient, asked_by)
        audience = Audience(delivery.event, delivery.reason, delivery.recipient)
        async with acquire(self._pool) as connection:
            reports = ReportStore(connection)
            if delivery.job_id is None:
                missed = await reports.missed(
                    event=delivery.event,
                    project=delivery.project,
                    orchestration=delivery.orchestration,
                    detail=delivery.detail,
                )
                return missed_content(missed, audience, self._public_url)
            report = await reports.run(job_id=delivery.job_id)
        if report is None:
            raise NothingToTell("the run has been deleted")
        if delivery.event in LATE_EVENTS:
            return late_content(report, delivery.detail, audience, self._public_url)
        return run_content(report, audience, self._public_url)

    async def _person_content(self, delivery: ClaimedDelivery) -> Content:
        """The link is derived here, for this mail alone."""
        async with acquire(self._pool) as connection:
            mail = await PersonMailStore(connection).mail(link=UUID(delivery.detail["link_id"]))
        if mail is None:
            raise NothingToTell("the link is not kept any more")
        if why_not := mail.why_not(delivery.recipient, datetime.now(UTC)):
            raise NothingToTell(why_not)
        url = self._links.url(mail)
        if url is None:
            raise CannotLink(f"{variable('public_url')} is not set: there is no address for the link")
        return person_content(mail, url)

    async def _send_all(self, letters: Sequence[Letter], stopping: asyncio.Event) -> None:
        left = list(letters)
        try:
            async with self._server.connected() as connection:
                while left and not stopping.is_set():
                    delivery, message = left.pop(0)
                    await self._send(connection, delivery, message)
        except ServerUnusable as error:
            metrics.CONNECTIONS_FAILED.inc()
            if len(left) == len(letters):  # the connection failed, which counts as a try of each
                await self._put_off_all([delivery for delivery, _ in left], str(error))
                left = []
            raise
        finally:
            if left:
                async with self._deliveries() as deliveries:
                    await deliveries.release(deliveries=[delivery for delivery, _ in left])

    async def _send(self, connection: Connection, claimed: ClaimedDelivery, message: EmailMessage) -> None:
        delivery = await self._begin(claimed)
        if delivery is None:
            return  # another replica has it
        started = time.perf_counter()
        try:
            await connection.send(message, sender=self._composer.sender.addr_spec)
        except Refused as refusal:
            if refusal.permanent:
                await self._fail(delivery, str(refusal))
            else:
                await self._put_off(delivery, str(refusal))
            return
        except ServerUnusable as error:
            await self._put_off(delivery, str(error))
            raise
        finally:
            metrics.SEND_SECONDS.observe(time.perf_counter() - started)
        failpoints.reach(failpoints.BEFORE_MARK)
        await self._mark_sent(delivery)
        metrics.DELAY_SECONDS.observe(delivery.age + time.perf_counter() - started)

    async def _begin(self, delivery: ClaimedDelivery) -> ClaimedDelivery | None:
        async with self._deliveries() as deliveries:
            return await deliveries.begin(delivery=delivery, lease_seconds=self._lease_seconds)

    async def _mark_sent(self, delivery: ClaimedDelivery) -> None:
        """The mail was sent: retry until that is recorded."""

        async def record() -> None:
            async with self._deliveries() as deliveries:
                await deliveries.sent(delivery=delivery)

        await retry_while_unavailable(record, outage=OutageLog("record of a sent mail"))
        metrics.DELIVERIES.labels("sent").inc()
        log.info("delivery.sent", delivery=str(delivery.id), delivery_event=delivery.event)

    async def _put_off_all(self, deliveries: Sequence[ClaimedDelivery], why: str) -> None:
        for claimed in deliveries:
            if (delivery := await self._begin(claimed)) is not None:
                await self._put_off(delivery, why)

    async def _put_off(self, delivery: ClaimedDelivery, why: str) -> None:
        delay = next_delay(
            self._rules,
            attempts=delivery.attempts,
            age=delivery.age,
            jitter=random.random(),  # noqa: S311  spreads load, guards nothing
        )
        if delay is None:
            await self._fail(delivery, why)
            return
        async with self._deliveries() as deliveries:
            await deliveries.postpone(delivery=delivery, seconds=delay, error=why)
        metrics.DELIVERIES.labels("postponed").inc()
        log.warning("delivery.postponed", delivery=str(delivery.id), seconds=round(delay), reason=why)

    async def _fail(self, delivery: ClaimedDelivery, why: str) -> None:
        async with self._deliveries() as deliveries:
            await deliveries.fail(delivery=delivery, error=why)
        metrics.DELIVERIES.labels("failed").inc()
        log.error("delivery.failed", delivery=str(delivery.id), reason=why)
