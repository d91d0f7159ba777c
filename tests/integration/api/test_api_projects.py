"""Projects: their limit of parallel jobs is the administrator's to change."""

from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_api_tokens import bearer
from tests.support.databases import Database


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
