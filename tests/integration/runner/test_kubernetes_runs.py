"""Components as Kubernetes Jobs in real runs: real runner processes, the database, and the fake cluster."""

import base64
import sys
from pathlib import Path
from uuid import UUID

from tests.integration.runner.conftest import StartRunner
from tests.support.kubernetes.api import NAMESPACE, TOKEN, KubernetesApi, kubernetes_api
from tests.support.kubernetes_harness import IMAGE, PROGRAM
from tests.support.pipelines import ENCRYPTION_KEY, PROJECT, QUICKLY_LOST, Pipelines
from tests.support.waiting import eventually

from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.definitions.models import ComponentDocument
from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption

COUNT = 400
SECRET = "k3y-of-the-shop"


async def register(pipelines: Pipelines, released: Path) -> None:
    """The component `job` as the api stores it, and a configuration that writes lines until released."""
    section = {
        "image": IMAGE,
        "command": [sys.executable, PROGRAM],
        "environment": {"RELEASED": str(released)},
    }
    document = ComponentDocument.model_validate(
        {
            "component": "job",
            "name": "Job",
            "type": "application",
            "executor": "kubernetes",
            "kubernetes": section,
        }
    )
    async with pipelines.database.connection() as connection:
        await prepare_connection(connection)
        await connection.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ('job', 'Job', 'application', 'kubernetes', 'fail', $1)""",
            document.model_dump(mode="json"),
        )
    parameters = {"behaviour": "lines", "count": COUNT, "pause": 0.012, "#key": SECRET, "say": SECRET}
    encryption = Encryption((base64.b64decode(ENCRYPTION_KEY),))
    sealed = encryption.encrypt_secrets(parameters, of_parameters(PROJECT, "job", "job"))
    await pipelines.configuration("job", sealed, component="job")


def settings(api: KubernetesApi, folder: Path) -> dict[str, str]:
    token = folder / "token"
    token.write_text(TOKEN)
    return {
        "ORCHESTRATOR_KUBERNETES_NAMESPACE": NAMESPACE,
        "ORCHESTRATOR_KUBERNETES_URL": api.url,
        "ORCHESTRATOR_KUBERNETES_TOKEN_FILE": str(token),
        "ORCHESTRATOR_ALLOWED_IMAGES": f'["{IMAGE}"]',
        **QUICKLY_LOST,
    }


async def test_a_job_outlives_two_runners_and_its_log_is_whole(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    """The first is killed, the second is asked to stop: one Job is created, and each line is there once."""
    async with kubernetes_api() as api:
        given = settings(api, tmp_path)
        await register(pipelines, tmp_path / "released")
        first = start_runner(**given)
        await first.ready()
        job = await pipelines.run("job", component="job")
        await has_said(pipelines, job, 20)
        first.kill()
        second = start_runner(**given)
        await second.ready()
        await has_said(pipelines, job, 150)
        second.terminate()
        third = start_runner(**given)
        await third.ready()

        ended = await pipelines.ended(job)

        said = [line for line in (await pipelines.log(job)).splitlines() if line.startswith("line ")]
        assert (ended["status"], ended["attempt"], ended["message"]) == ("success", 1, "")
        assert said == [f"line {number}" for number in range(COUNT)]
        assert list(api.pods) == [f"task-{job}-1"]
        await eventually(lambda: api.store.get("secrets", f"task-{job}-1") is None)
        stored = [(verb, resource) for verb, resource, _ in api.asked]
        assert stored.count(("create", "jobs")) == 1


async def test_without_the_setting_the_message_names_it(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    await register(pipelines, tmp_path / "released")
    await start_runner().ready()
    job = await pipelines.ended(await pipelines.run("job", component="job"))
    assert "turn it on with ORCHESTRATOR_KUBERNETES_NAMESPACE" in job["message"]


async def has_said(pipelines: Pipelines, job: UUID, number: int) -> None:
    async def is_there() -> bool:
        return f"line {number}\n" in await pipelines.log(job)

    await eventually(is_there, 30)
