"""One token's requests cannot hold every connection to the database: others are served meanwhile."""

import asyncio

from tests.integration.api.conftest import Client, RunningApi
from tests.support.databases import Database
from tests.support.waiting import eventually

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
MOST_OF_TEN = 6


async def test_others_are_served_while_one_token_waits_for_a_lock(
    api: RunningApi, furnished: Client, database: Database
) -> None:
    token = await furnished.post("tokens", {"name": "other", "scopes": ["read"]}, status=201)
    async with database.connection() as held, held.transaction():
        await held.execute("LOCK TABLE catalog.variables IN ACCESS EXCLUSIVE MODE")
        many = [asyncio.ensure_future(furnished.put(f"variables/v{n}", {"value": "1"})) for n in range(20)]

        async def waits() -> bool:
            return bool(await database.fetchval(WAITING) == MOST_OF_TEN)

        await eventually(waits)
        async with api.http(token["token"]) as http:
            answers = await asyncio.gather(*(Client(http).get("orchestrations") for _ in range(20)))
        assert len(answers) == 20
    await asyncio.gather(*many)
