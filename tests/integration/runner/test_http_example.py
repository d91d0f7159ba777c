"""The template of a component behind HTTP does what its document says, by a real runner."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import Pipelines
from tests.support.waiting import eventually

from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.definitions.loader import load_text

TEMPLATE = Path(__file__).parents[3] / "examples" / "http-component-template"


@pytest.fixture
async def service() -> AsyncIterator[str]:
    process = subprocess.Popen(
        [sys.executable, TEMPLATE / "service.py", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 30)
        yield line.decode().split()[-1]
    finally:
        process.kill()
        process.communicate()


async def test_the_template_counts_keeps_its_state_and_stops(
    pipelines: Pipelines, start_runner: StartRunner, service: str
) -> None:
    text = (TEMPLATE / "component.yaml").read_text()
    # Nobody can call back here: the end is found by asking, as when a report is lost.
    document = load_text(text.replace("every: 30s", "every: 1s")).require()[0].definition
    async with pipelines.database.connection() as connection:
        await prepare_connection(connection)
        await connection.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ('counter', 'Counter', 'application', 'http', 'rerun', $1)""",
            document.model_dump(mode="json"),
        )
    await pipelines.configuration("one", {"service": service, "to": 1}, component="counter")
    await pipelines.configuration("far", {"service": service, "to": 1000}, component="counter")
    await pipelines.configuration("wrong", {"service": service, "to": "x"}, component="counter")
    settings = {"ORCHESTRATOR_INTERNAL_HOSTS": service.removeprefix("http://")}
    await start_runner(**settings, ORCHESTRATOR_API_URL="http://127.0.0.1:9").ready()

    jobs = [await pipelines.run("one", component="counter") for _ in range(2)]
    far, wrong = [await pipelines.run(name, component="counter") for name in ("far", "wrong")]
    ended = [await pipelines.ended(job) for job in jobs]
    assert [job["message"] for job in ended] == ["counted to 1, 1 in all", "counted to 1, 2 in all"]
    refused = await pipelines.ended(wrong)
    assert (refused["error_kind"], refused["message"]) == (
        "user",
        "parameters.to: say how far to count, with a whole number",
    )

    async def counts() -> bool:
        return "of 1000" in await pipelines.log(far)

    await eventually(counts, 30)
    await pipelines.terminate(far)
    assert (await pipelines.ended(far))["status"] == "terminated"
    assert "state stopped" in await pipelines.log(far)
