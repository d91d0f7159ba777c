"""A bucket that is no longer shared: nothing new of it is seen or recorded (issue 8, number 5)."""

import asyncio
from typing import Any

import pytest
from tests.integration.api.conftest import Client
from tests.integration.trigger_watcher.stage import table, update, watcher_on
from tests.support.databases import Database

DAILY = "orchestrations/daily"
PATH = f"{DAILY}/triggers/rates"
RATES = "finance/in.c-rates.daily"
SHARE = "buckets/in.c-rates/shares/demo"
WISH = {"tables": ["in.c-a.x", RATES]}


@pytest.fixture
async def finance(furnished: Client) -> Client:
    await furnished.post("/v1/projects", {"id": "finance"})
    finance = Client(furnished.http, "finance")
    await finance.put(SHARE, None, status=204)
    await finance.put("buckets/in.c-other/shares/demo", None, status=204)
    return finance


async def told(client: Client, name: str = "rates") -> dict[str, Any]:
    """What the explanation shows for the other project's table."""
    trigger = await client.get(f"{DAILY}/triggers/{name}")
    explanation = await client.get(f"triggers/{trigger['id']}/explanation")
    (found,) = [each for each in explanation["tables"] if each["table"] == RATES]
    return {key: found[key] for key in ("counted", "used", "updated_since_last_run", "last_heard_at")}


async def dispositions(client: Client, name: str = "rates") -> list[str]:
    """Of the other project's table, oldest first."""
    trigger = await client.get(f"{DAILY}/triggers/{name}")
    found = (await client.get(f"triggers/{trigger['id']}/dispositions"))["items"]
    return [each["disposition"] for each in reversed(found) if each["table"] == RATES]


async def test_events_of_an_unshared_bucket_are_neither_shown_nor_recorded(
    furnished: Client, finance: Client, database: Database
) -> None:
    await furnished.put(PATH, WISH, status=201)
    await furnished.put(f"{DAILY}/triggers/off", {"tables": [RATES], "enabled": False}, status=201)
    rates = table(RATES)
    async with watcher_on(database) as watcher:
        await watcher.ingestion.ingest([update(rates, "1")])
        assert (await told(furnished))["updated_since_last_run"]
        assert (await dispositions(furnished), await dispositions(furnished, "off")) == (
            ["counted"],
            ["trigger_disabled"],
        )

        await finance.delete(SHARE, status=204)
        nothing = {"counted": None, "used": None, "updated_since_last_run": False, "last_heard_at": None}
        for number in ("2", "3"):
            await watcher.ingestion.ingest([update(rates, number)])
            assert [await told(furnished, name) for name in ("rates", "off")] == [nothing, nothing]
        assert (await dispositions(furnished), await dispositions(furnished, "off")) == (
            ["counted"],
            ["trigger_disabled"],
        )
        shown = await furnished.get(PATH)
        assert (shown["enabled"], shown["tables"]) == (False, WISH["tables"])
        problem = await furnished.put(PATH, WISH, status=422)
        assert problem["errors"][0]["field"] == "tables.1"

        await finance.put(SHARE, None, status=204)
        await furnished.put(PATH, WISH, status=200)
        await watcher.ingestion.ingest([update(table("in.c-a.x"), "1")])
        found = await told(furnished)
        assert (found["counted"], found["used"], found["updated_since_last_run"]) == (3, 3, False)
        await watcher.ingestion.ingest([update(rates, "4")])
        assert await dispositions(furnished) == ["counted", "completed"]
        assert await dispositions(furnished, "off") == ["trigger_disabled", "trigger_disabled"]


async def test_what_listens_to_other_buckets_goes_on(furnished: Client, finance: Client) -> None:
    await furnished.put(PATH, {"tables": ["finance/in.c-other.x"]}, status=201)
    await finance.delete(SHARE, status=204)
    assert (await furnished.get(PATH))["enabled"] is True


async def test_a_trigger_saved_without_the_table_does_not_get_it_back(
    furnished: Client, finance: Client
) -> None:
    await furnished.put(PATH, WISH, status=201)
    await finance.delete(SHARE, status=204)
    await furnished.put(PATH, {"tables": ["in.c-a.x"]}, status=200)
    await finance.put(SHARE, None, status=204)
    assert (await furnished.get(PATH))["tables"] == ["in.c-a.x"]


async def test_a_trigger_saved_while_its_bucket_is_unshared_counts_nothing(
    furnished: Client, finance: Client, database: Database
) -> None:
    """The second transaction sees what the first has done, in either order."""
    left = (
        "SELECT count(*) FROM catalog.trigger_tables x JOIN catalog.triggers t ON t.id = x.trigger_id"
        " WHERE x.table_project <> t.project AND NOT EXISTS (SELECT FROM catalog.shares s"
        " WHERE (s.project, s.shared_with, s.bucket) = (x.table_project, t.project, 'in.c-rates'))"
    )
    for number in range(10):
        await finance.http.put(f"/v1/projects/finance/{SHARE}")
        path = f"/v1/projects/demo/{DAILY}/triggers/t{number}"
        await asyncio.gather(
            furnished.http.put(path, json={"tables": [RATES]}),
            finance.http.delete(f"/v1/projects/finance/{SHARE}"),
        )
        assert await database.fetchval(left) == 0
