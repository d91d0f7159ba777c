"""Triggers on tables that their own orchestration is known to write (issue 8, number 21)."""

from tests.integration.api.conftest import Client, orchestration
from tests.support.databases import Database

WRITER = {
    "type": "transformation",
    "command": ["/bin/true"],
    "writes": ["output_tables"],
}
TRIGGER = "orchestrations/daily/triggers/itself"


async def write(client: Client, *tables: str) -> None:
    await client.put("/v1/components/writer", WRITER)
    await client.put("configurations/writer/w", {"parameters": {"output_tables": list(tables)}})
    await client.put(
        "orchestrations/inner", {"phases": [{"tasks": [{"component": "writer", "configuration": "w"}]}]}
    )


async def test_a_trigger_on_a_table_that_its_orchestration_writes_is_refused_unless_allowed(
    furnished: Client,
) -> None:
    await write(furnished, "out.c-a.x")
    inner = {"component": "orchestrator", "configuration": "inner"}
    await furnished.put("orchestrations/daily", {"phases": [{"tasks": [inner]}]})
    wish = {"tables": ["in.c-a.x", "out.c-a.x"]}
    refused = await furnished.put(TRIGGER, wish, status=422)
    assert refused["errors"] == [
        {
            "field": "tables",
            "detail": "out.c-a.x is written by 'daily' itself, so each run would start the next one; "
            "remove the table, or save the trigger with allow_self_trigger: true",
        }
    ]
    await furnished.put("orchestrations/inner/triggers/itself", wish, status=422)
    saved = await furnished.put(TRIGGER, {**wish, "allow_self_trigger": True}, status=201)
    assert saved["allow_self_trigger"] is True
    assert (await furnished.get("definitions"))["documents"] is not None
    await furnished.put(TRIGGER, wish, status=422)
    await furnished.put(TRIGGER, {"tables": ["in.c-a.x"]}, status=200)


async def test_tables_that_past_jobs_reported_are_known(furnished: Client, database: Database) -> None:
    await database.execute(
        "INSERT INTO jobs.lanes (project, component, configuration) VALUES ('demo', 'demo-extractor', 'one')"
    )
    await database.execute(
        "INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin,"
        " root_id, scheduled_for, requested_at, started_at, finished_at, attempt, output_tables)"
        " SELECT gen_random_uuid(), id, 1, project, component, configuration, 'component', 'success', 'api',"
        ' gen_random_uuid(), now(), now(), now(), now(), 1, \'[{"table": "in.c-a.x"}]\' FROM jobs.lanes'
    )
    await furnished.put("orchestrations/daily", orchestration("one"))
    await furnished.put(TRIGGER, {"tables": ["in.c-a.x"]}, status=422)
    await furnished.put(TRIGGER, {"tables": ["in.c-a.y"]}, status=201)
