"""Versions of configurations and orchestrations: get, compare, restore, copy."""

import base64
import json
from typing import Any

import pytest
from tests.integration.api.conftest import KEY, Client, RunningApi, orchestration

from orchestrator_shared.security import Encryption

PLACES = ("configurations/demo-extractor/one", "orchestrations/daily")


async def save(admin: Client, rows: int, **more: Any) -> dict[str, Any]:
    body = {"parameters": {"rows": rows, **more}, "note": f"rows {rows}"}
    found: dict[str, Any] = await admin.put(PLACES[0], body)
    return found


async def test_one_version_of_each(furnished: Client) -> None:
    await save(furnished, 2)
    first = await furnished.get(f"{PLACES[0]}/versions/1")
    assert (first["version"], first["parameters"], first["author"]) == (1, {"rows": 1}, "admin@example.com")
    second = await furnished.get(f"{PLACES[0]}/versions/2")
    assert (second["parameters"], second["note"]) == ({"rows": 2}, "rows 2")
    daily = await furnished.get("orchestrations/daily/versions/1")
    assert [phase["name"] for phase in daily["phases"]] == ["Phase one", "Phase two"]


@pytest.mark.parametrize("place", PLACES)
async def test_versions_that_do_not_exist(furnished: Client, place: str) -> None:
    ghost = place.replace("one", "ghost").replace("daily", "ghost")
    for path in (f"{place}/versions/9", f"{place}/versions/9/diff/1", f"{ghost}/versions/1"):
        detail = (await furnished.get(path, status=404))["detail"]
        assert ("'ghost'" in detail or "/ghost" in detail) if "ghost" in path else "no version 9" in detail
    await furnished.post(f"{place}/versions/9/restore", status=404)
    await furnished.post(f"{ghost}/versions/1/restore", status=404)
    await furnished.get(f"{place}/versions/0", status=422)
    await furnished.post(f"{ghost}/copies", {"id": "x"}, status=404)


async def test_differences_between_versions(furnished: Client) -> None:
    await save(furnished, 2, **{"#password": "swordfish"})
    await save(furnished, 2, **{"#password": "marlin"})
    first = await furnished.get(f"{PLACES[0]}/versions/1/diff/2")
    assert (first["before"]["version"], first["after"]["note"], first["truncated"]) == (1, "rows 2", False)
    assert [(each["path"], each["kind"], each["before"], each["after"]) for each in first["changes"]] == [
        ("parameters.rows", "changed", 1, 2),
        ("parameters.#password", "added", None, "***"),
    ]
    (secret,) = (await furnished.get(f"{PLACES[0]}/versions/2/diff/3"))["changes"]
    assert (secret["path"], secret["secret"], secret["after"]) == ("parameters.#password", True, "***")
    back = await furnished.get(f"{PLACES[0]}/versions/2/diff/1")
    assert [each["kind"] for each in back["changes"]] == ["changed", "removed"]


async def test_differences_between_orchestrations(furnished: Client) -> None:
    await furnished.put("orchestrations/daily", orchestration("one"))
    changes = (await furnished.get("orchestrations/daily/versions/1/diff/2"))["changes"]
    assert [(each["path"], each["kind"]) for each in changes] == [
        ("phases", "changed"),
        ("tasks.demo-extractor/two", "removed"),
    ]


async def test_restoring_a_version_saves_a_new_one(furnished: Client) -> None:
    await save(furnished, 1, **{"#password": "swordfish"})
    await save(furnished, 3)
    restored = await furnished.post(f"{PLACES[0]}/versions/2/restore")
    assert (restored["version"], restored["changed"], restored["note"]) == (4, True, "restored version 2")
    assert restored["parameters"] == {"rows": 1, "#password": "***"}
    assert (await furnished.get(f"{PLACES[0]}/versions/2/diff/4"))["changes"] == []
    again = await furnished.post(f"{PLACES[0]}/versions/4/restore", {"note": "why not"})
    assert (again["version"], again["changed"]) == (4, False)
    noted = await furnished.post(f"{PLACES[0]}/versions/3/restore", {"note": "as it was"})
    assert (noted["version"], noted["note"], noted["author"]) == (5, "as it was", "admin@example.com")
    latest = (await furnished.get("audit"))["items"][0]
    assert (latest["action"], latest["subject"]) == ("configuration.changed", "demo-extractor/one")


async def test_restoring_an_orchestration(furnished: Client) -> None:
    await furnished.put("orchestrations/daily", orchestration("one", name="Daily", enabled=False))
    restored = await furnished.post("orchestrations/daily/versions/1/restore")
    assert (restored["version"], restored["name"], restored["enabled"]) == (3, "Daily", False)
    assert [phase["name"] for phase in restored["phases"]] == ["Phase one", "Phase two"]
    assert (await furnished.get("orchestrations/daily/versions/1/diff/3"))["changes"] == []


async def test_what_is_restored_must_fit_the_present(furnished: Client) -> None:
    """A task whose configuration is gone, and parameters that the component no longer takes."""
    await furnished.put("orchestrations/daily", orchestration("one"))
    await furnished.delete("configurations/demo-extractor/two")
    gone = await furnished.post("orchestrations/daily/versions/1/restore", status=422)
    assert gone["errors"][0]["field"] == "phases.1.tasks.0.configuration"
    await save(furnished, 2)
    schema = {"type": "object", "properties": {"rows": {"type": "integer", "minimum": 2}}}
    component = {"type": "extractor", "command": ["x"], "parameters": schema}
    await furnished.put("/v1/components/demo-extractor", component)
    small = await furnished.post(f"{PLACES[0]}/versions/1/restore", status=422)
    assert small["errors"][0]["field"] == "parameters.rows"
    assert (await furnished.get(PLACES[0]))["version"] == 2


async def test_restoring_takes_the_right_to_configure(api: RunningApi, furnished: Client) -> None:
    made = await furnished.post(
        "tokens", {"name": "o", "scopes": ["configure"], "components": ["orchestrator"]}, status=201
    )
    async with api.http(made["token"]) as http:
        few = Client(http)
        for path in (*(f"{place}/versions/1/restore" for place in PLACES),):
            await few.post(path, status=403)
        for place in PLACES:
            await few.post(f"{place}/copies", {"id": "copy"}, status=403)


async def test_a_copy_keeps_the_secrets(furnished: Client, database: Any) -> None:
    await save(furnished, 5, **{"#password": "swordfish"})
    copy = await furnished.post(f"{PLACES[0]}/copies", {"id": "three"}, status=201)
    assert (copy["id"], copy["name"], copy["version"]) == ("three", "one (copy)", 1)
    assert (copy["parameters"], copy["note"]) == (
        {"rows": 5, "#password": "***"}, "copied from one, version 2"
    )  # fmt: skip
    async with database.connection() as connection:
        sealed = await connection.fetch(
            "SELECT parameters::text FROM catalog.configuration_versions WHERE parameters ? '#password'"
        )
    stored = [json.loads(row["parameters"]) for row in sealed]
    assert len({each["#password"] for each in stored}) == 2, "each is encrypted on its own"
    clear = [Encryption([base64.b64decode(KEY)]).read_secrets(each, "demo") for each in stored]
    assert [each["#password"] for each in clear] == ["swordfish"] * 2


async def test_a_copy_needs_a_free_id(furnished: Client) -> None:
    taken = await furnished.post(f"{PLACES[0]}/copies", {"id": "two"}, status=409)
    assert taken["detail"] == "demo-extractor/two exists already: choose another id"
    await furnished.post("orchestrations/daily/copies", {"id": "daily"}, status=409)
    await furnished.delete("orchestrations/daily")
    await furnished.delete("configurations/demo-extractor/two")
    trashed = await furnished.post(f"{PLACES[0]}/copies", {"id": "two"}, status=409)
    assert "is in the trash" in trashed["detail"]


async def furnish_daily(admin: Client) -> None:
    task = {
        "component": "demo-extractor",
        "configuration": "one",
        "parameters": {"parameters": {"#password": "x"}},
    }
    await admin.put("orchestrations/daily", {"name": "Daily", "phases": [{"tasks": [task]}]})
    await admin.put("orchestrations/daily/schedules/mornings", {"cron": "30 5 * * *"}, status=201)
    await admin.put("orchestrations/daily/triggers/loaded", {"tables": ["in.c-x.t"]}, status=201)
    wanted = [{"event": "warning", "address": "team@example.com"}]
    await admin.put("orchestrations/daily/notifications", {"subscriptions": wanted})


async def test_a_copied_orchestration_is_disabled_and_starts_by_nothing(furnished: Client) -> None:
    await furnish_daily(furnished)
    copy = await furnished.post("orchestrations/daily/copies", {"id": "weekly", "name": "Weekly"}, status=201)
    assert (copy["name"], copy["enabled"], copy["version"]) == ("Weekly", False, 1)
    assert (copy["schedules"], copy["triggers"]) == ([], [])
    assert [each["event"] for each in copy["notifications"]] == ["error"], "its creator"
    (task,) = copy["phases"][0]["tasks"]
    assert task["parameters"] == {"parameters": {"#password": "***"}}
    token = await furnished.get("orchestrations/weekly/token")
    assert token["name"] == "orchestration weekly"


async def test_a_copy_with_what_belongs_to_it(furnished: Client) -> None:
    await furnish_daily(furnished)
    include = ["schedules", "triggers", "notifications"]
    copy = await furnished.post(
        "orchestrations/daily/copies", {"id": "weekly", "include": include}, status=201
    )
    assert (copy["name"], copy["enabled"], copy["next_fire"]) == ("Daily (copy)", False, None)
    assert [each["name"] for each in copy["schedules"]] == ["mornings"]
    assert [(each["name"], each["tables"]) for each in copy["triggers"]] == [("loaded", ["in.c-x.t"])]
    told = {(each["event"], each["address"]) for each in copy["notifications"]}
    assert told == {("error", "admin@example.com"), ("warning", "team@example.com")}
