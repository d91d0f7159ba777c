"""`jobs logs --follow` on a real api, over a network that breaks: every line comes once."""

import asyncio
from collections.abc import Callable, Mapping
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import ADMIN_TOKEN, Client, environment_on, furnish
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_cli.main import main


async def write(database: Database, job: UUID, first: int, last: int) -> None:
    await database.execute(
        "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text)"
        " SELECT $1, 1, n, 'stdout', clock_timestamp(), 'line ' || n || E'\\n'"
        " FROM generate_series($2::int, $3) n",
        job,
        first,
        last,
    )


@pytest.fixture
async def url(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
) -> str:
    """Of an api with a project."""
    service = service_process("orchestrator_api", environment_on(database, broker))
    await service.ready()
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers, trust_env=False, timeout=30) as http:
        await http.post("/v1/projects", json={"id": "demo"})
        await furnish(Client(http))
    return service.url


async def test_a_followed_log_goes_on_after_an_outage(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = Runner(database)
    await runner.connect()
    job = await runner.job("one", 1, "processing")
    await write(database, job, 1, 3)
    address = httpx.URL(url)
    async with TcpProxy(address.host, address.port or 80) as proxy:
        monkeypatch.setenv("ORCHESTRATOR_URL", proxy.url(url))
        monkeypatch.setenv("ORCHESTRATOR_TOKEN", ADMIN_TOKEN)
        following = asyncio.create_task(
            asyncio.to_thread(main, ["jobs", "logs", str(job), "--follow", "--project", "demo"])
        )
        out: list[str] = []

        def has(line: int) -> bool:
            out.append(capsys.readouterr().out)
            return f"line {line}\n" in "".join(out)

        await eventually(lambda: has(3))
        await write(database, job, 4, 5)
        await eventually(lambda: has(5))
        proxy.cut()
        await write(database, job, 6, 7)
        await proxy.resume()
        await eventually(lambda: has(7))
        await write(database, job, 8, 8)
        await database.execute(
            "UPDATE jobs.jobs SET status = 'success', finished_at = clock_timestamp(), replica_id = NULL"
            " WHERE id = $1",
            job,
        )
        assert await asyncio.wait_for(following, 60) == 0
        out.append(capsys.readouterr().out)
    assert "".join(out) == "".join(f"line {number}\n" for number in range(1, 9))
