"""Projects: their limit of parallel jobs is the administrator's to change."""

import asyncpg
import pytest
from tests.integration.api.conftest import Client, RunningApi, running
from tests.integration.api.test_api_tokens import bearer
from tests.support.databases import Database

from orchestrator_api.settings import ApiSettings


async def test_limit_and_name_are_changed_one_by_one(admin: Client, database: Database) -> None:
    path = "/v1/projects/demo"
    changed = await admin.call("PATCH", path, {"parallel_limit": 3})
    assert (changed["parallel_limit"], changed["name"]) == (3, "Demo")
    renamed = await admin.call("PATCH", path, {"name": "Show"})
    assert (renamed["parallel_limit"], renamed["name"]) == (3, "Show")
    assert await admin.get(path) == renamed
    assert (await admin.call("PATCH", path, {"parallel_limit": None}))["parallel_limit"] is None
    await admin.call("PATCH", path, {})
    count = await database.fetchval("SELECT count(*) FROM catalog.audit WHERE action = 'project.changed'")
    assert count == 3
    for wrong in ({"parallel_limit": 0}, {"name": None}, {"id": "other"}):
        await admin.call("PATCH", path, wrong, status=422)
    await admin.call("PATCH", "/v1/projects/ghost", {"parallel_limit": 1}, status=404)


async def test_only_the_administrator_changes_it(api: RunningApi, admin: Client) -> None:
    async with bearer(api, admin, scopes=["configure", "run"], components=["*"]) as client:
        await client.call("PATCH", "/v1/projects/demo", {"parallel_limit": 1}, status=403)


async def test_6_names_of_new_projects_have_no_dots(admin: Client, database: Database) -> None:
    """Issue 8: the permission for the keys of `tena` also let through those of `tena.x`."""
    for name in ("tena.x", ".x", "x.", "a\n", "-a", "A", "é", "x" * 65, ""):
        problem = await admin.post("/v1/projects", {"id": name}, status=422)
        assert problem["errors"][0]["field"] == "id"
    assert "routing keys" in (await admin.post("/v1/projects", {"id": "tena.x"}, status=422))["detail"]
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute("INSERT INTO catalog.projects (id, name) VALUES ('tena.x', 'x')")
    for name in ("tena_x", "tena-x", "t", "x" * 64):
        await admin.post("/v1/projects", {"id": name}, status=201)


async def test_6_a_project_that_has_dots_keeps_working_and_is_named(
    settings: ApiSettings, admin: Client, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    await database.execute(
        "INSERT INTO catalog.projects (id, name, may_have_dots) VALUES ('tena.x', 'x', true)"
    )
    await admin.call("PATCH", "/v1/projects/tena.x", {"parallel_limit": 3}, status=200)
    old = Client(admin.http, "tena.x")
    await old.put("variables/limit", {"value": "1"}, status=201)
    await old.post("table-updates", {"table": "in.c-x.t"}, status=202)
    capsys.readouterr()
    async with running(settings):
        pass
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "project.has_dots" in line]
    assert "tena.x" in line


async def test_nothing_is_found_in_a_project_that_is_not_there(admin: Client) -> None:
    """The administrator's token is valid for every project, so only the look-up rejects it."""
    problem = await admin.get("/v1/projects/nowhere/jobs", status=404)
    assert (problem["detail"], problem["errors"][0]["field"]) == (
        "there is no project 'nowhere'",
        "project",
    )


async def test_a_secret_variable_is_shown_masked(furnished: Client) -> None:
    saved = await furnished.put("variables/key", {"value": "hunter2", "secret": True}, status=201)
    listed = {each["name"]: each["value"] for each in (await furnished.get("variables"))["items"]}
    shown = await furnished.get("variables/key")
    assert (saved["value"], listed["key"], shown["value"]) == ("***", "***", "***")
