"""New passwords for people who have forgotten theirs: a mail, if there is an account."""

import time

import structlog

from orchestrator_api.access import audit
from orchestrator_api.access.audit import About, Author
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.people import links
from orchestrator_api.people.sign_in import NOBODY, SignIns
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.link_purposes import LinkPurpose

log = structlog.get_logger(__name__)


def accept(desk: SignIns, address: str) -> None:
    """Refuse an address that asks too often; says nothing of accounts."""
    desk.require_passwords()
    now = time.monotonic()
    wait = desk.attempts.seconds_to_wait(address, b"", now)
    if wait > 0:
        raise TooMany("too many requests for new passwords from your address", retry_after=wait)
    desk.attempts.record_failure(address, now)


async def send(desk: SignIns, email: str, address: str) -> None:
    """Ask for the mail. Runs after the answer, so that its time does not tell whether there is an account."""
    try:
        async with desk.sessions.units_of_work.work() as work:
            store = PeopleStore(work.connection)
            person = await store.person_by_email(email=email)
            if person is None or person.disabled_at is not None:
                return
            wait = await links.seconds_until_mail(work.connection, person.id)
            if wait > 0 or await store.is_reset_under_way(person_id=person.id):
                return
            occasion = links.Occasion(LinkPurpose.RESET)
            link = await links.issue(work.connection, person.id, occasion, desk.sessions.clock.now())
            work.publish(links.mail_of(link))
            await audit.record(
                work.connection,
                project=None,
                actor=Author(NOBODY, address=address),
                action="password.reset_requested",
                subject=person.email,
                detail={},
                about=About(id=str(person.id)),
            )
    except Unavailable as error:
        log.warning("password_reset.failed", reason=str(error))
