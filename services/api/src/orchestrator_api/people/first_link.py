"""`python -m orchestrator_api.people.first_link EMAIL`: the way in for the first administrator.

It makes the administrator and prints a link that works once; never in a log, and only while no administrator
can get in by a password or a token. Whoever can run it has the keys and the database of the api anyway.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg
from pydantic import Field

from orchestrator_api.access import audit
from orchestrator_api.access.audit import SYSTEM, About, Author
from orchestrator_api.people import links
from orchestrator_api.people.sign_in_settings import SignInSettings, ways_in
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.database.failover import WritableServer
from orchestrator_shared.database.faults import is_server_fault, reason
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.errors import Conflict, OrchestratorError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.domain.mail_addresses import check_mail_address
from orchestrator_shared.settings import EncryptionKeys, load_settings

USAGE = "usage: python -m orchestrator_api.people.first_link EMAIL"


class FirstLinkSettings(SignInSettings):
    """What of the api's settings it takes."""

    link_key: EncryptionKeys = Field(min_length=1, repr=False)


async def first_link(connection: asyncpg.Connection, settings: FirstLinkSettings, email: str) -> str:
    """Make this person the administrator; returns the link. Refuses where an administrator can get in."""
    async with connection.transaction():
        store = PeopleStore(connection)
        await store.lock_administrators()
        if await store.can_administer(ways_in(settings)):
            raise Conflict(
                "there is an administrator already, who can sign in or has a token: "
                "they invite others by `orchestrator people invite`"
            )
        await store.insert_person(person_id=new_id(), email=email, name=email)
        person = await store.person_by_email(email=email)
        assert person is not None
        await store.make_administrator(person_id=person.id)
        occasion = links.Occasion(LinkPurpose.FIRST, is_mailed=False)
        link = await links.issue(connection, person.id, occasion, datetime.now(UTC))
        await audit.record(
            connection,
            project=None,
            actor=Author("first link", SYSTEM),
            action="administrator.created",
            subject=person.email,
            detail={},
            about=About(id=str(person.id)),
        )
    return links.address_of(settings.link_key, settings.public_url, link)


async def connected(settings: FirstLinkSettings, email: str) -> str:
    """The same on a connection of its own."""
    server = WritableServer(settings.database_url, seconds=settings.database_connect_timeout_seconds)
    connection = await server.connect()
    try:
        await prepare_connection(connection)
        return await first_link(connection, settings, email)
    finally:
        await connection.close()


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 when the link was printed, 1 when refused, 2 for a wrong call."""
    if len(arguments) != 1:
        sys.stderr.write(f"{USAGE}\n")
        return 2
    try:
        email = check_mail_address(arguments[0])
        settings = load_settings(FirstLinkSettings)
        link = asyncio.run(connected(settings, email))
    except OrchestratorError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except Exception as error:
        if not is_server_fault(error):
            raise
        sys.stderr.write(f"error: the database does not answer: {reason(error)}\n")
        return 1
    sys.stdout.write(f"{link}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
