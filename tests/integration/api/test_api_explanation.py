"""Why a trigger did or did not start its orchestration, from what the trigger-watcher recorded."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.integration.api.conftest import Client, orchestration
from tests.support.databases import Database

from orchestrator_shared.clock import stamp

TABLES = ["in.c-a.x", "in.c-a.y"]
NOW = datetime.now(UTC)


async def recorded(database: Database, trigger: UUID, counted: tuple[int, int]) -> None:
    """The state as the watcher writes it."""
    await database.execute(
        "UPDATE triggers.states SET version = 1, enabled = true, generation = 1 WHERE trigger_id = $1",
        trigger,
    )
    for table, number in zip(TABLES, counted, strict=True):
        await database.execute(
            "UPDATE triggers.tables SET last_seq = $2, last_heard_at = $3 WHERE name = $1", table, number, NOW
        )
        await database.execute(
            "INSERT INTO triggers.counts (trigger_id, table_project, table_name, counted, counted_at, used) "
            "VALUES ($1, 'demo', $2, $3, $4, 1)",
            trigger,
            table,
            number,
            NOW,
        )


async def test_new_trigger_misses_everything(furnished: Client) -> None:
    made = await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES})
    shown = await furnished.get(f"triggers/{made['id']}/explanation")
    assert (shown["ready"], shown["missing"], shown["last_fire"]) == (False, TABLES, None)
    assert shown["reasons"][0] == "0 of 2 tables were updated."
    assert [table["missing_because"] for table in shown["tables"]] == ["the trigger was created"] * 2


async def test_explanation_names_what_is_missing_and_the_cool_down(
    furnished: Client, database: Database
) -> None:
    wish = {"tables": TABLES, "cool_down_seconds": 3600}
    made = await furnished.put("orchestrations/daily/triggers/ab", wish)
    await recorded(database, made["id"], (2, 1))
    job = uuid4()
    fired = [{"project": "demo", "table": name, "seq": 1, "heard_at": NOW.isoformat()} for name in TABLES]
    async with database.connection() as connection:
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=str)
        import json

        insert = (
            "INSERT INTO triggers.fires (trigger_id, generation, job_id, at, tables, started_at) "
            "VALUES ($1, 1, $2, $3, $4, $3)"
        )
        await connection.execute(insert, made["id"], job, NOW, json.dumps(fired))
    await database.execute("UPDATE triggers.states SET last_started_at = $1", NOW)
    shown = await furnished.get(f"triggers/{made['id']}/explanation")
    assert shown["missing"] == ["in.c-a.y"]
    assert [table["updated_since_last_run"] for table in shown["tables"]] == [True, False]
    end = datetime.fromisoformat(shown["cool_down_until"])
    assert end == NOW + timedelta(seconds=3600)
    assert shown["last_fire"]["job_id"] == str(job)
    assert shown["summary"].startswith("started because 2 of 2 tables were updated (in.c-a.x at ")
    assert "Missing: in.c-a.y, since " in shown["summary"]
    assert "It cools down until" in shown["summary"]
    assert " ".join(shown["reasons"]) == shown["summary"]


async def test_a_disabled_trigger_shows_since_when_and_by_whom(furnished: Client, database: Database) -> None:
    made = await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES})
    await furnished.put("orchestrations/daily", {**orchestration("one"), "enabled": False})
    (reason,) = (await furnished.get(f"triggers/{made['id']}/explanation"))["reasons"]
    at = await database.fetchval("SELECT min(at) FROM triggers.saved_versions WHERE NOT enabled")
    end = ", by admin@example.com; updates are recorded and do not count."
    assert reason == f"The orchestration daily is disabled since {stamp(at)}{end}"
    await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES, "enabled": False})
    (reason,) = (await furnished.get(f"triggers/{made['id']}/explanation"))["reasons"]
    assert reason.startswith("The trigger is disabled since ")
    await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES})
    await furnished.call("DELETE", "orchestrations/daily", status=204)
    (reason,) = (await furnished.get(f"triggers/{made['id']}/explanation"))["reasons"]
    assert reason.startswith("The orchestration daily is in the trash since ")


async def test_what_is_missing_since_a_reset_or_an_edit(furnished: Client) -> None:
    made = await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES[:1]})
    await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES})
    shown = await furnished.get(f"triggers/{made['id']}/explanation")
    because = [table["missing_because"] for table in shown["tables"]]
    assert because == ["the trigger was created", "the table was added to the trigger"]
    await furnished.post(f"triggers/{made['id']}/reset")
    shown = await furnished.get(f"triggers/{made['id']}/explanation")
    assert [table["missing_because"] for table in shown["tables"]] == ["the trigger was reset"] * 2


async def test_dispositions_and_tables_come_in_parts(furnished: Client, database: Database) -> None:
    made = await furnished.put("orchestrations/daily/triggers/ab", {"tables": TABLES})
    await recorded(database, made["id"], (3, 1))
    for seq in (1, 2, 3):
        await database.execute(
            "INSERT INTO triggers.dispositions VALUES ($1, 'demo', 'in.c-a.x', $2, 'counted', $3)",
            made["id"],
            seq,
            NOW,
        )
    part = await furnished.get(f"triggers/{made['id']}/dispositions?limit=2")
    rest = await furnished.get(f"triggers/{made['id']}/dispositions?limit=2&cursor={part['next']}")
    assert [item["seq"] for item in [*part["items"], *rest["items"]]] == [3, 2, 1]
    tables = (await furnished.get("tables"))["items"]
    assert [(table["name"], table["updates"]) for table in tables] == [("in.c-a.x", 3), ("in.c-a.y", 1)]
    await furnished.get(f"triggers/{uuid4()}/explanation", status=404)
    await furnished.get(f"schedules/{uuid4()}/fires", status=404)
