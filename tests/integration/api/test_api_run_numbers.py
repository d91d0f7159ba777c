"""Runs looked up by their numbers, as people name them."""

from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database


async def test_a_run_is_found_by_its_number(furnished: Client, database: Database) -> None:
    runner = Runner(database)
    run = await runner.job("daily", 42, "error", component="orchestrator", message="failed: two")
    await runner.job("daily", 43, "success", component="orchestrator")
    await runner.job("one", 7, "success")
    assert await furnished.get("orchestrations/daily/runs/42") == await furnished.get(f"jobs/{run}")
    for path in ("daily/runs/7", "another/runs/42", f"daily/runs/{2**53 - 1}"):
        refused = await furnished.get(f"orchestrations/{path}", status=404)
        assert refused["errors"][0]["field"] == "number"
    for number in ("0", "-1", "x", str(2**53)):
        await furnished.get(f"orchestrations/daily/runs/{number}", status=422)


async def test_a_token_that_may_only_run_finds_its_own_runs(
    furnished: Client, api: RunningApi, database: Database
) -> None:
    runner = Runner(database)
    await runner.job("daily", 1, "success", component="orchestrator")
    token = await furnished.post("tokens", {"name": "starter", "scopes": ["run"]}, status=201)
    async with api.http(token["token"]) as http:
        starter = Client(http)
        own = (await starter.post("orchestrations/daily/runs"))["job_id"]
        await runner.job("daily", 2, "success", component="orchestrator", id=own)
        assert (await starter.get("orchestrations/daily/runs/2"))["id"] == own
        others = await starter.get("orchestrations/daily/runs/1", status=404)
        missing = await starter.get("orchestrations/daily/runs/3", status=404)
    assert others["detail"].replace("run 1", "run 3") == missing["detail"]
