"""A component behind HTTP in a real run, by a real runner process."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.http_service import HttpService, Received, Reply, http_service
from tests.support.pipelines import ENCRYPTION_KEY, PROJECT, QUICKLY_LOST, Pipelines, task
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.definitions.models import ComponentDocument
from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption

TOKEN = "t0ken-of-theirs"


async def register(
    pipelines: Pipelines, url: str, *, after_crash: str = "fail", idempotent: bool = False
) -> None:
    """The component `remote` as the api stores it, and its configuration `remote`."""
    document = ComponentDocument.model_validate(
        {
            "component": "remote",
            "name": "Remote",
            "type": "application",
            "executor": "http",
            "after_crash": after_crash,
            "http": {
                "headers": {"Authorization": "Bearer {{ parameters.#token }}"},
                "start": {
                    "url": f"{url}/runs",
                    "body": {"why": "{{ project }}/{{ configuration }}"},
                    "idempotent": idempotent,
                },
                "id": "id",
                "poll": {"url": f"{url}/runs/{{{{ id }}}}", "every": 1, "state": "state"},
                "states": {"success": ["ok"], "running": ["going"]},
                "result": {"message": "said", "output_tables": "tables", "state": "keep"},
                "cancel": {"url": f"{url}/runs/{{{{ id }}}}/cancel"},
            },
        }
    )
    async with pipelines.database.connection() as connection:
        await prepare_connection(connection)
        await connection.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ('remote', 'Remote', 'application', 'http', $1, $2)""",
            after_crash,
            document.model_dump(mode="json"),
        )
    encryption = Encryption((base64.b64decode(ENCRYPTION_KEY),))
    parameters = encryption.encrypt_secrets({"#token": TOKEN}, of_parameters(PROJECT, "remote", "remote"))
    await pipelines.configuration("remote", parameters, component="remote")


class Runs:
    """Answers each start with a new id, and each question with `state`."""

    def __init__(self) -> None:
        self.state = "ok"
        self.cancelled = False

    def handle(self, request: Received) -> Reply:
        if request.target == "/runs":
            return Reply(201, {"id": "r1"})
        if request.target.endswith("/cancel"):
            self.cancelled = True
            return Reply(200, {})
        body: dict[str, Any] = {"said": f"used {TOKEN}", "tables": ["out.c-a.b"], "keep": {"n": 1}}
        return Reply(200, {"state": "stopped" if self.cancelled else self.state, **body})


def internal(service: HttpService) -> dict[str, str]:
    return {"ORCHESTRATOR_INTERNAL_HOSTS": f"127.0.0.1:{service.port}", **QUICKLY_LOST}


async def test_a_run_at_another_service(pipelines: Pipelines, start_runner: StartRunner) -> None:
    async with http_service(Runs().handle) as service:
        await register(pipelines, service.url)
        await pipelines.orchestration("outer", [task("remote", component="remote")])
        await start_runner(**internal(service)).ready()

        run = await pipelines.ended(await pipelines.run("outer"))

        job = (await pipelines.children(run["id"]))["remote"]
        assert (run["status"], job["status"], job["message"]) == ("success", "success", "used ***")
        start = service.received[0]
        assert start.headers["authorization"] == f"Bearer {TOKEN}"
        assert start.headers["idempotency-key"] == f"{job['id']}-1"
        assert start.json == {"why": f"{PROJECT}/remote"}
        log = await pipelines.log(job["id"])
        assert "state ok" in log
        assert TOKEN not in log


async def test_an_internal_service_that_is_not_allowed_is_refused(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    async with http_service(Runs().handle) as service:
        await register(pipelines, service.url)
        await start_runner().ready()

        job = await pipelines.ended(await pipelines.run("remote", component="remote"))

        assert (job["status"], job["error_kind"]) == ("error", "user")
        assert "127.0.0.1 is an internal address" in job["message"]
        assert "ORCHESTRATOR_INTERNAL_HOSTS" in job["message"]
        assert service.received == []


@dataclass(frozen=True)
class Story:
    """A runner, and its job whose run at the service is underway and known to whoever takes it over."""

    pipelines: Pipelines
    service: HttpService
    runs: Runs
    runner: ServiceProcess
    start_runner: StartRunner
    job: UUID

    async def another_runner(self) -> ServiceProcess:
        runner: ServiceProcess = self.start_runner(**internal(self.service))
        await runner.ready()
        return runner

    async def ended(self, state: str | None = None) -> Any:
        """The job at its end, to which the service's run comes first."""
        self.runs.state = state or self.runs.state
        return await self.pipelines.ended(self.job)


Tell = Callable[..., AbstractAsyncContextManager[Story]]


@pytest.fixture
def story(pipelines: Pipelines, start_runner: StartRunner) -> Tell:
    @asynccontextmanager
    async def tell(after_crash: str = "fail") -> AsyncIterator[Story]:
        runs = Runs()
        runs.state = "going"
        async with http_service(runs.handle) as service:
            await register(pipelines, service.url, after_crash=after_crash)
            runner = start_runner(**internal(service))
            await runner.ready()
            job = await pipelines.run("remote", component="remote")

            async def is_followed() -> bool:
                return "state going" in await pipelines.log(job)

            await eventually(is_followed, 30)
            yield Story(pipelines, service, runs, runner, start_runner, job)

    return tell


async def test_terminating_cancels_at_the_service(story: Tell) -> None:
    async with story() as told:
        await told.pipelines.terminate(told.job)

        assert (await told.ended())["status"] == "terminated"
        assert told.runs.cancelled


@pytest.mark.parametrize("after_crash", ["fail", "rerun"])
async def test_a_killed_runners_run_is_followed_by_another(story: Tell, after_crash: str) -> None:
    async with story(after_crash) as told:
        told.runner.kill()
        asked = len(told.service.asked("GET"))
        await told.another_runner()
        await eventually(lambda: len(told.service.asked("GET")) > asked, 30)
        ended = await told.ended("ok")

        assert (ended["status"], ended["attempt"], ended["free_attempts"]) == ("success", 1, 0)
        assert len(told.service.asked("POST", "/runs")) == 1
        assert not told.runs.cancelled
        log = await told.pipelines.log(told.job)
        assert log.count("state going") == 2
        assert "following the run that another runner started" in log
        assert TOKEN not in log


@pytest.mark.parametrize("after_crash", ["fail", "rerun"])
async def test_a_start_whose_runner_is_lost_is_sent_again_with_its_key(
    pipelines: Pipelines, start_runner: StartRunner, after_crash: str
) -> None:
    """The service has taken it, and its answer reaches nobody: nobody knows of the run then."""
    runs = Runs()
    async with http_service(lambda _: Reply(hang=True)) as service:
        await register(pipelines, service.url, after_crash=after_crash, idempotent=True)
        first = start_runner(**internal(service))
        await first.ready()
        job = await pipelines.run("remote", component="remote")
        await eventually(lambda: service.asked("POST", "/runs"), 30)

        first.kill()
        service.handle = runs.handle
        await start_runner(**internal(service)).ready()
        ended = await pipelines.ended(job)

        assert (ended["status"], ended["attempt"], ended["free_attempts"]) == ("success", 1, 0)
        keys = [request.headers["idempotency-key"] for request in service.asked("POST", "/runs")]
        assert keys == [f"{job}-1"] * 2
        assert "sending it again with the same key" in await pipelines.log(job)


async def test_what_is_kept_of_a_run_is_encrypted(story: Tell) -> None:
    async with story() as told:
        async with told.pipelines.database.connection() as connection:
            stored = await connection.fetchval("SELECT handle FROM jobs.attempts WHERE job_id = $1", told.job)
        await told.ended("ok")
    assert stored.startswith('{"#run": "enc:v2:')


async def test_a_frozen_runner_does_not_cancel_what_another_follows(story: Tell) -> None:
    async with story() as told:
        second = await told.another_runner()

        told.runner.suspend()
        await eventually(lambda: "recovery.jobs_adopted" in second.log_tail(1000), 30)
        told.runner.resume()
        assert await told.runner.ended() == 1
        assert not told.runs.cancelled

        assert (await told.ended("ok"))["status"] == "success"
        assert len(told.service.asked("POST", "/runs")) == 1


async def test_a_runner_that_stops_leaves_its_run_to_another(story: Tell) -> None:
    async with story() as told:
        told.runner.terminate()
        assert await told.runner.ended() == 0
        assert await told.pipelines.status(told.job) == "processing"
        await told.another_runner()

        assert (await told.ended("ok"))["status"] == "success"
        assert len(told.service.asked("POST", "/runs")) == 1
        assert not told.runs.cancelled


async def test_a_job_that_is_terminated_without_a_runner_is_cancelled_by_the_next_one(story: Tell) -> None:
    async with story() as told:
        told.runner.kill()
        await told.pipelines.terminate(told.job)
        await told.another_runner()

        assert (await told.ended())["status"] == "terminated"
        assert told.runs.cancelled
        assert [one.target for one in told.service.asked("POST")] == ["/runs", "/runs/r1/cancel"]


async def test_time_spent_with_a_lost_runner_counts(pipelines: Pipelines, start_runner: StartRunner) -> None:
    runs = Runs()
    runs.state = "going"
    async with http_service(runs.handle) as service:
        await register(pipelines, service.url)
        limited = task("remote", component="remote", timeout_seconds=60)
        await pipelines.orchestration("outer", [limited])
        first = start_runner(**internal(service))
        await first.ready()
        run = await pipelines.run("outer")
        await eventually(lambda: service.asked("GET", "/runs/r1"), 30)
        first.kill()
        async with pipelines.database.connection() as connection:
            await connection.execute("UPDATE jobs.attempts SET started_at = started_at - interval '1 hour'")
        await start_runner(**internal(service)).ready()

        await pipelines.ended(run)

        assert (await pipelines.children(run))["remote"]["message"] == "timed out after 1m"
        assert runs.cancelled


async def test_a_job_that_was_adopted_without_an_answer_is_found(story: Tell) -> None:
    """The COMMIT of an adoption whose answer is lost: the job is the replica's, and nobody works on it."""
    async with story() as told:
        await told.another_runner()
        told.runner.kill()
        async with told.pipelines.database.connection() as connection:
            await connection.execute(
                """UPDATE jobs.jobs j SET epoch = epoch + 1,
                       replica_id = (SELECT r.id FROM jobs.replicas r WHERE r.id <> j.replica_id)
                   WHERE j.id = $1""",
                told.job,
            )

        ended = await told.ended("ok")

        assert (ended["status"], ended["attempt"]) == ("success", 1)
        assert [one.target for one in told.service.asked("POST")] == ["/runs"]
