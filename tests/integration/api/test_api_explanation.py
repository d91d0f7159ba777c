"""Why a trigger did or did not start its orchestration, from what the trigger-watcher recorded."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.integration.api.conftest import Client, orchestration
from tests.integration.api.test_api_jobs import Runner
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
    run = await Runner(database).job("daily", 7, "success", component="orchestrator")
    await database.execute("UPDATE triggers.dispositions SET job_id = $1 WHERE seq = 3", run)
    part = await furnished.get(f"triggers/{made['id']}/dispositions?limit=2")
    rest = await furnished.get(f"triggers/{made['id']}/dispositions?limit=2&cursor={part['next']}")
    assert [each["number"] for each in part["items"]] == [7, None]
    assert [item["seq"] for item in [*part["items"], *rest["items"]]] == [3, 2, 1]
    tables = (await furnished.get("tables"))["items"]
    assert [(table["name"], table["updates"]) for table in tables] == [("in.c-a.x", 3), ("in.c-a.y", 1)]
    await furnished.get(f"triggers/{uuid4()}/explanation", status=404)
    await furnished.get(f"schedules/{uuid4()}/fires", status=404)


async def heard(database: Database, table: str, times: list[datetime]) -> None:
    """Recorded updates, oldest first."""
    await database.execute(
        "INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)"
        " SELECT 'demo', 'test', $1 || n, $1, n, at"
        " FROM unnest($2::timestamptz[]) WITH ORDINALITY AS t (at, n)",
        table,
        times,
    )
    await database.execute(
        "INSERT INTO triggers.tables (project, name, last_seq, last_heard_at) VALUES ('demo', $1, $2, $3)"
        " ON CONFLICT (project, name) DO UPDATE SET last_seq = excluded.last_seq,"
        " last_heard_at = excluded.last_heard_at",
        table,
        len(times),
        times[-1],
    )


async def test_readiness_tells_the_rhythm_and_how_late_a_table_is(
    furnished: Client, database: Database
) -> None:
    wish = {"tables": TABLES, "cool_down_seconds": 3000}
    made = await furnished.put("orchestrations/daily/triggers/ab", wish)
    assert made["tables_ready"] == 0
    now = datetime.now(UTC)
    for table, minutes in zip(TABLES, (10, 60), strict=True):
        times = [now - timedelta(minutes=40 + minutes * n) for n in range(19, -1, -1)]
        await heard(database, table, times)
    await recorded(database, made["id"], (20, 1))
    await database.execute("UPDATE triggers.tables SET last_heard_at = $1", now - timedelta(minutes=40))
    await database.execute(
        "INSERT INTO triggers.dispositions SELECT $1, 'demo', 'in.c-a.x', n, 'counted', $2::timestamptz"
        " + n * interval '1 minute' FROM generate_series(1, 3) AS n",
        made["id"],
        now,
    )
    shown = await furnished.get(f"triggers/{made['id']}/explanation?timezone=Europe/Prague")
    ready, missing = shown["tables"]
    assert shown["tables_ready"] == 1
    assert datetime.fromisoformat(ready["ready_since"]) == now + timedelta(minutes=2)
    assert (ready["rhythm"]["words"], ready["late_seconds"]) == ("every 10 min", None)
    assert (missing["rhythm"]["interval_seconds"], missing["late_seconds"]) == (3600, 0)
    assert missing["missing_since"] is not None
    assert [each["updates"] for each in shown["starvation"]["tables"]] == [20, 20]
    assert (await furnished.get("orchestrations/daily/triggers/ab"))["tables_ready"] == 1
    (listed, _) = (await furnished.get("tables?rhythm=true"))["items"]
    assert (listed["rhythm"]["words"], listed["late_seconds"] > 0) == ("every 10 min", True)
    assert (await furnished.get("tables"))["items"][0]["rhythm"] is None
    await furnished.get("tables?rhythm=true&timezone=Nowhere", status=422)
    assert [each["kind"] for each in (await furnished.get("attention"))["items"]] == []
    await database.execute("UPDATE triggers.counts SET counted = 1")
    (late,) = (await furnished.get("attention"))["items"]
    assert (late["kind"], late["table"], late["trigger"]) == ("table_late", "in.c-a.x", "ab")
    assert late["summary"] == "daily waits for in.c-a.x, 30 min late (every 10 min)"


async def test_a_trigger_is_previewed_with_what_its_cool_down_would_cost(
    furnished: Client, database: Database
) -> None:
    now = datetime.now(UTC)
    await heard(database, TABLES[0], [now - timedelta(minutes=10 * n) for n in range(100, 0, -1)])
    wish = {"tables": TABLES[:1], "cool_down_seconds": 3000}
    preview = await furnished.post("trigger-previews", wish)
    (table,) = preview["tables"]
    assert (table["table"], table["rhythm"]["words"]) == (TABLES[0], "every 10 min")
    assert preview["starvation"]["tables"][0]["dropped"] == 80
    assert "would have been dropped" in preview["starvation"]["warning"]
    assert preview["ignore"] != preview["defer"]
    free = await furnished.post("trigger-previews", {**wish, "cool_down_seconds": 0})
    assert free["starvation"]["warning"] is None
    foreign = await furnished.post("trigger-previews", {"tables": ["other/in.c-a.x"]}, status=422)
    assert foreign["errors"][0]["field"] == "tables.0"
    assert "is not shared with you" in foreign["errors"][0]["detail"]
