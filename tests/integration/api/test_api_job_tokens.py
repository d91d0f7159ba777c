"""Job tokens: what the program of a job may do, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.api.conftest import KEY, Client, RunningApi, said
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.job_tokens import JOB_SCOPES, JobToken, job_token_keys, sign_job_token
from orchestrator_shared.settings import parse_keys

(SIGNING_KEY,) = job_token_keys(parse_keys(KEY))
UPDATE = {"table": "out.c-a.x"}


class World:
    """A run of `daily` whose job is processing its second attempt."""

    def __init__(self, api: RunningApi, admin: Client, database: Database) -> None:
        self.api, self.admin, self.database = api, admin, database
        self.runner = Runner(database)

    async def begin(self) -> None:
        await self.runner.connect()
        self.run = await self.runner.job("daily", 1, "processing", component="orchestrator")
        self.job = await self.runner.job("one", 1, "processing", parent=self.run)
        self.other = await self.runner.job("two", 1, "processing")
        await self.database.execute(
            "UPDATE jobs.jobs SET attempt = 2, chain_length = 3, root_id = $2, parameters = '{\"rows\": 5}',"
            " token_id = (SELECT id FROM catalog.tokens WHERE name = 'orchestration daily') WHERE id = $1",
            self.job,
            self.run,
        )

    @property
    def token(self) -> JobToken:
        return JobToken(self.job, 2, "demo", JOB_SCOPES, datetime.now(UTC) + timedelta(hours=1))

    async def call(
        self, method: str, path: str, body: Any = None, *, text: str | None = None, **changed: Any
    ) -> tuple[int, Any]:
        token = text or sign_job_token(SIGNING_KEY, replace(self.token, **changed))
        async with self.api.http(token) as http:
            response = await http.request(method, f"/v1/projects/demo/{path}", json=body)
        return response.status_code, response.json() if response.content else None

    async def status(self, **changed: Any) -> int:
        return (await self.call("POST", "table-updates", UPDATE, **changed))[0]


@pytest.fixture
async def world(api: RunningApi, furnished: Client, database: Database) -> World:
    made = World(api, furnished, database)
    await made.begin()
    return made


async def test_an_update_of_a_job_belongs_to_its_chain(world: World, broker: BrokerVhost) -> None:
    assert await world.status() == 202
    assert (await world.admin.post("table-updates", UPDATE, status=202))["accepted"] == 1
    own, outside = [each["data"] for each in await said(broker, "trigger-watcher.updates", 2)]
    assert (own["table"], own["job_id"], own["chain_length"]) == ("out.c-a.x", str(world.job), 3)
    assert (outside.get("job_id"), outside["chain_length"]) == (None, 0)


async def test_it_ends_with_its_attempt(world: World, database: Database) -> None:
    assert await world.status() == 202
    assert await world.status(attempt=1) == 401
    assert await world.status(attempt=3) == 401
    assert await world.status(job_id=uuid4()) == 401
    assert await world.status(project="other") == 401, "the claims name another project than the job's"
    assert await world.status(expires_at=datetime.now(UTC) - timedelta(seconds=1)) == 401
    foreign = sign_job_token(job_token_keys([bytes(32)])[0], world.token)
    assert await world.status(text=foreign) == 401
    await database.execute("UPDATE jobs.jobs SET status = 'terminating' WHERE id = $1", world.job)
    code, problem = await world.call("POST", "table-updates", UPDATE)
    assert (code, problem["detail"][:24]) == (401, "this job token has ended")


async def test_it_ends_with_the_token_of_its_orchestration(world: World, database: Database) -> None:
    revoke = "UPDATE catalog.tokens SET revoked_at = now() WHERE name = 'orchestration daily'"
    assert await world.status() == 202
    await database.execute(revoke)
    assert await world.status() == 401


async def test_it_publishes_what_its_orchestration_may(world: World, database: Database) -> None:
    await database.execute(
        "UPDATE catalog.tokens SET buckets = '{in.c-a}' WHERE name = 'orchestration daily'"
    )
    code, problem = await world.call("POST", "table-updates", UPDATE)
    assert code == 403
    assert "'out.c-a'" in problem["detail"]
    assert (await world.call("POST", "table-updates", {"table": "in.c-a.x"}))[0] == 202


async def test_it_reads_its_job_and_its_run_without_their_secrets(world: World) -> None:
    code, own = await world.call("GET", f"jobs/{world.job}")
    assert (code, own["status"], own["parameters"]) == (200, "processing", {})
    code, run = await world.call("GET", f"jobs/{world.run}")
    assert (code, run["id"]) == (200, str(world.run))
    assert (await world.call("GET", f"jobs/{world.run}/tasks"))[0] == 200
    assert (await world.call("GET", f"jobs/{world.other}"))[0] == 404
    assert (await world.call("GET", f"jobs/{world.other}/tasks"))[0] == 404
    assert (await world.call("GET", f"jobs/{world.job}/log"))[0] == 403
    assert (await world.call("GET", "jobs"))[0] == 403
    async with world.api.http(sign_job_token(SIGNING_KEY, world.token)) as http:
        assert (await http.get(f"/v1/projects/other/jobs/{world.job}")).status_code == 404


async def test_it_reads_variables_that_are_not_secret(world: World) -> None:
    await world.admin.put("variables/region", {"value": "eu"}, status=201)
    await world.admin.put("variables/password", {"value": "hunter2", "secret": True}, status=201)
    code, listed = await world.call("GET", "variables")
    assert (code, [each["name"] for each in listed["items"]]) == (200, ["region"])
    assert (await world.call("GET", "variables/region"))[1]["value"] == "eu"
    code, secret = await world.call("GET", "variables/password")
    missing, absent = await world.call("GET", "variables/nothing")
    assert (code, missing) == (404, 404)
    for answer in (secret, absent):
        answer.pop("request_id")
    assert str(secret).replace("password", "nothing") == str(absent)


async def test_scopes_are_those_that_were_signed(world: World) -> None:
    assert await world.status(scopes=("job",)) == 403
    assert (await world.call("GET", "variables", scopes=("publish",)))[0] == 403
    assert (await world.call("GET", "orchestrations", scopes=("admin", "job")))[0] == 403


async def test_a_job_by_itself_keeps_its_token_when_its_starter_loses_theirs(
    world: World, database: Database
) -> None:
    made = await world.admin.post("tokens", {"name": "starter", "scopes": ["run"]}, status=201)
    await database.execute("UPDATE jobs.jobs SET token_id = $2 WHERE id = $1", world.other, UUID(made["id"]))
    await world.admin.delete(f"tokens/{made['id']}", status=204)
    assert await world.status(job_id=world.other, attempt=1) == 202
