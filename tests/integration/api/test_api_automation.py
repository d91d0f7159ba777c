"""Automate: an orchestration around one configuration; and where configurations are used."""

from tests.integration.api.conftest import COMPONENT, Client, RunningApi, orchestration
from tests.support.databases import Database

ONE = "configurations/demo-extractor/one"


async def test_one_step_to_an_orchestration(furnished: Client) -> None:
    await furnished.put(ONE, {"name": "Orders", "description": "All orders", "parameters": {"rows": 1}})
    made = await furnished.post(f"{ONE}/automation", status=201)
    assert (made["id"], made["name"], made["description"]) == ("one", "Orders", "All orders")
    assert (made["enabled"], made["note"]) == (True, "automates demo-extractor/one")
    (phase,) = made["phases"]
    (task,) = phase["tasks"]
    assert (task["component"], task["configuration"], task["name"]) == ("demo-extractor", "one", "Orders")
    assert (made["schedules"], made["errors"]) == ([], [])
    assert made["warnings"] == [], "its creator is told of errors"
    again = await furnished.post(f"{ONE}/automation", status=201)
    assert (again["id"], again["name"]) == ("one-2", "Orders (2)")
    named = await furnished.post(f"{ONE}/automation", {"id": "hourly"}, status=201)
    assert named["name"] == "Orders (3)"
    chosen = await furnished.post(f"{ONE}/automation", {"id": "daily-2", "name": "ORDERS"}, status=201)
    assert chosen["name"] == "ORDERS", "a name that is given is kept, whoever has it"
    await furnished.put("orchestrations/one", {**orchestration("two")}, status=200)


async def test_with_a_schedule(furnished: Client) -> None:
    schedule = {"cron": "30 5 * * *", "timezone": "Europe/Prague"}
    wish = {"id": "nightly", "name": "Nightly", "schedule": schedule}
    made = await furnished.post(f"{ONE}/automation", wish, status=201)
    (kept,) = made["schedules"]
    assert (kept["name"], kept["cron"], kept["timezone"]) == ("main", "30 5 * * *", "Europe/Prague")
    assert made["warnings"] == ["it has never been run: run it by hand before it runs unattended"]
    await furnished.post(f"{ONE}/automation", {"id": "nightly"}, status=409)
    wrong = await furnished.post(f"{ONE}/automation", {"schedule": {"cron": "x"}}, status=422)
    assert wrong["errors"][0]["field"].endswith("cron")
    assert len((await furnished.get("orchestrations"))["items"]) == 2, "nothing is half made"


async def test_no_one_would_hear_of_it(api: RunningApi, furnished: Client) -> None:
    """A token belongs to no person, so no one is subscribed."""
    made = await furnished.post(
        "tokens", {"name": "ci", "scopes": ["configure"], "components": ["*"]}, status=201
    )
    async with api.http(made["token"]) as http:
        client = Client(http)
        for wish in ({}, {"schedule": {"every_seconds": 3600}}):
            found = await client.post(f"{ONE}/automation", wish, status=201)
            told = [each for each in found["warnings"] if each.startswith("no one is notified")]
            assert len(told) == 1


async def test_a_table_gets_a_trigger_instead(furnished: Client, database: Database) -> None:
    for name in ("in.c-sales.orders", "uploads.prices"):
        if name == "uploads.prices":
            await furnished.post(f"configurations/demo-extractor/{name}/automation", status=404)
            await database.execute("INSERT INTO triggers.tables (project, name) VALUES ('demo', $1)", name)
        refused = await furnished.post(f"configurations/demo-extractor/{name}/automation", status=422)
        assert f"{name} is a table, not a configuration" in refused["detail"]
        assert "save a trigger with this table" in refused["detail"]


async def test_an_orchestration_gets_a_schedule_instead(furnished: Client) -> None:
    refused = await furnished.post("configurations/orchestrator/daily/automation", status=422)
    assert "a schedule or a trigger of its own" in refused["detail"]


async def test_automating_takes_both_components(api: RunningApi, furnished: Client) -> None:
    for component in ("orchestrator", "demo-extractor"):
        wish = {"name": component, "scopes": ["configure"], "components": [component]}
        made = await furnished.post("tokens", wish, status=201)
        async with api.http(made["token"]) as http:
            await Client(http).post(f"{ONE}/automation", status=403)


async def test_where_a_configuration_is_used(furnished: Client) -> None:
    await furnished.put("/v1/components/other", COMPONENT, status=201)
    await furnished.put("configurations/other/one", {}, status=201)
    tasks = [
        {"component": "demo-extractor", "configuration": "one", "id": "pinned", "parameters": {"version": 1}},
        {"component": "demo-extractor", "configuration": "one", "id": "off", "enabled": False},
        {"component": "other", "configuration": "one"},
        {"component": "orchestrator", "configuration": "daily", "name": "Nested"},
    ]
    await furnished.put(
        "orchestrations/weekly",
        {"name": "Weekly", "enabled": False, "phases": [{"name": "All", "tasks": tasks}]},
        status=201,
    )
    items = (await furnished.get(f"{ONE}/usages"))["items"]
    assert items == [
        {
            "orchestration": "daily", "orchestration_name": "daily", "orchestration_enabled": True,
            "phase": "Phase one", "task": "demo-extractor/one", "task_enabled": True, "version": None,
        },
        {
            "orchestration": "weekly", "orchestration_name": "Weekly", "orchestration_enabled": False,
            "phase": "All", "task": "off", "task_enabled": False, "version": None,
        },
        {
            "orchestration": "weekly", "orchestration_name": "Weekly", "orchestration_enabled": False,
            "phase": "All", "task": "pinned", "task_enabled": True, "version": 1,
        },
    ]  # fmt: skip
    first = await furnished.get(f"{ONE}/usages?limit=2")
    rest = await furnished.get(f"{ONE}/usages?limit=2&cursor={first['next']}")
    assert first["items"] + rest["items"] == items
    (nested,) = (await furnished.get("orchestrations/daily/usages"))["items"]
    assert (nested["orchestration"], nested["task"]) == ("weekly", "orchestrator/daily")
    await furnished.put("orchestrations/daily", orchestration("two"))
    await furnished.delete("orchestrations/weekly")
    assert (await furnished.get(f"{ONE}/usages"))["items"] == [], "old versions and the trash do not count"
    await furnished.get("configurations/demo-extractor/ghost/usages", status=404)


async def test_where_a_variable_is_used(furnished: Client) -> None:
    """In parameters and in secrets, in Task Parameters, and in a version that a task pins."""
    await furnished.put("/v1/components/open", {"type": "extractor", "command": ["x"]}, status=201)
    await furnished.put("variables/region", {"value": "eu"}, status=201)
    await furnished.put("variables/regional", {"value": "no"}, status=201)
    bodies = {
        "plain": {"place": "{{ vars.region }}"},
        "secret": {"#place": "https://{{ vars.region }}"},
        "other": {"place": "{{ vars.regional }}", "#x": "y"},
        "pinned": {"place": "{{ vars.region }}"},
        "tasked": {},
    }
    for name, parameters in bodies.items():
        await furnished.put(f"configurations/open/{name}", {"parameters": parameters}, status=201)
    await furnished.put("configurations/open/pinned", {"parameters": {}})
    tasks = [
        {"component": "open", "configuration": "pinned", "parameters": {"version": 1}},
        {
            "component": "open",
            "configuration": "tasked",
            "parameters": {"parameters": {"#p": "{{ vars.region }}"}},
        },
    ]
    await furnished.put("orchestrations/weekly", {"phases": [{"tasks": tasks}]}, status=201)
    items = (await furnished.get("variables/region/usages"))["items"]
    names = ("configuration", "orchestration", "task", "version")
    assert [tuple(each[name] for name in names) for each in items] == [
        ("pinned", None, None, 1), ("plain", None, None, 1), ("secret", None, None, 1),
        ("tasked", "weekly", "open/tasked", 1),
    ]  # fmt: skip
    await furnished.get("variables/ghost/usages", status=404)
