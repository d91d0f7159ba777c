"""Unavailable servers, racing replicas, and the service as a process."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from tests.integration.api.conftest import (
    ADMIN_TOKEN,
    Client,
    RunningApi,
    environment_on,
    orchestration,
    running,
    said,
)
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_api.settings import ApiSettings
from orchestrator_local.servers.processes import free_port

TcpProxies = Callable[[str, int], "asyncio.Future[TcpProxy]"]


async def test_a_database_outage_is_reported_quickly_and_passes(
    settings: ApiSettings, tcp_proxy: TcpProxies
) -> None:
    from urllib.parse import urlsplit

    address = urlsplit(settings.database_url)
    proxy = await tcp_proxy(address.hostname or "", address.port or 5432)
    through = settings.model_copy(
        update={
            "database_url": proxy.url(settings.database_url),
            "database_acquire_timeout_seconds": 1.0,
            "database_connect_timeout_seconds": 1.0,
            "database_command_timeout_seconds": 2.0,
        }
    )
    async with running(through) as api, api.http(ADMIN_TOKEN) as http:
        client = Client(http)
        await client.get("/v1/projects")
        for outage in (proxy.cut, proxy.stall):
            outage()
            started = time.monotonic()
            response = await http.get("/v1/projects")
            assert time.monotonic() - started < 25
            assert response.status_code == 503
            assert response.headers["content-type"] == "application/problem+json"
            assert int(response.headers["retry-after"]) > 0
            assert (await http.get("/livez")).status_code == 200
            await proxy.resume()

            async def answers() -> bool:
                return (await http.get("/v1/projects")).status_code == 200

            await eventually(answers, timeout=30)


async def test_broker_outage_delays_but_loses_nothing(
    settings: ApiSettings, broker: BrokerVhost, tcp_proxy: TcpProxies
) -> None:
    proxy = await tcp_proxy(broker.host, broker.port)
    through = settings.model_copy(update={"amqp_url": proxy.url(settings.amqp_url)})
    async with running(through) as api, api.http(ADMIN_TOKEN) as http:
        client = Client(http)
        await client.post("/v1/projects", {"id": "demo"})
        proxy.cut()
        ids = [f"load-{number}" for number in range(5)]
        for event_id in ids:
            await client.post("table-updates", {"table": "in.c-a.x", "id": event_id}, status=202)
        await proxy.resume()
        envelopes = await said(broker, "trigger-watcher.updates", 5)
        assert {envelope["id"] for envelope in envelopes} == set(ids)


async def test_racing_requests_with_one_key_are_one(furnished: Client, database: Database) -> None:
    asking = (furnished.post("orchestrations/daily/runs", key="race") for _ in range(8))
    answers = await asyncio.gather(*asking)
    assert len({answer["job_id"] for answer in answers}) == 1
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 1
    assert await database.fetchval("SELECT count(*) FROM catalog.audit WHERE action = 'run.requested'") == 1


async def test_racing_saves_number_their_versions(furnished: Client) -> None:
    path = "configurations/demo-extractor/raced"
    saves = [furnished.put(path, {"parameters": {"rows": number}}) for number in range(8)]
    answers = await asyncio.gather(*saves)
    assert sorted(answer["version"] for answer in answers) == list(range(1, 9))
    versions = (await furnished.get(f"{path}/versions"))["items"]
    assert [version["version"] for version in versions] == list(range(8, 0, -1))


async def test_racing_saves_close_no_cycle(furnished: Client) -> None:
    await furnished.put("orchestrations/a", orchestration())
    await furnished.put("orchestrations/b", orchestration())

    async def nest(parent: str, child: str) -> int:
        task = {"component": "orchestrator", "configuration": child}
        url = f"/v1/projects/demo/orchestrations/{parent}"
        response = await furnished.http.put(
            url, json={"phases": [{"tasks": [task]}]}, headers={"If-Match": "*"}
        )
        return response.status_code

    assert sorted(await asyncio.gather(nest("a", "b"), nest("b", "a"))) == [200, 422]


async def test_dead_letters_are_listed_replayed_and_discarded(
    furnished: Client, api: RunningApi, broker: BrokerVhost
) -> None:
    import aio_pika

    connection = await aio_pika.connect(broker.url, timeout=30)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("orchestrator.dead-letters")
        for number in range(2):
            headers: dict[str, Any] = {
                "x-reason": "no CloudEvent",
                "x-exchange": "orchestrator.commands",
                "x-routing-key": "run.requested",
                "x-queue": "runner.commands",
            }
            message = aio_pika.Message(b"{}", message_id=f"letter-{number}", headers=headers)
            await exchange.publish(message, routing_key="runner.commands", timeout=30)

    async def both() -> list[Any]:
        items = (await furnished.get("/v1/dead-letters"))["items"]
        assert len(items) == 2
        return list(items)

    letters = await eventually(both)
    assert letters[0]["reason"] == "no CloudEvent"
    await furnished.post("/v1/dead-letters/letter-0/replay", status=200)
    await furnished.delete("/v1/dead-letters/letter-1", status=200)
    await furnished.delete("/v1/dead-letters/letter-1", status=404)
    assert (await furnished.get("/v1/dead-letters"))["items"] == []
    assert broker.queues()["runner.commands"]["name"] == "runner.commands"


async def test_process_serves_and_stops(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
) -> None:
    environment = environment_on(database, broker) | {"ORCHESTRATOR_METRICS_PORT": str(free_port())}
    service = service_process("orchestrator_api", environment)
    await service.ready()
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers, trust_env=False, timeout=30) as http:
        assert (await http.get("/v1/projects")).json() == {"items": [], "next": None}
        assert (await http.get("/v1/openapi.json")).json()["info"]["title"] == "Orchestrator API"
        assert (await http.get("/docs")).status_code == 200
        assert (await http.get("/metrics")).status_code == 404, "fault 17: everybody could read it"
        metrics = f"http://127.0.0.1:{environment['ORCHESTRATOR_METRICS_PORT']}/metrics"
        assert "orchestrator_ready 1.0" in (await http.get(metrics)).text
        big = b'{"id": "x", "name": "' + b"a" * 1024 * 1024 + b'"}'
        assert (await http.post("/v1/projects", content=big)).status_code == 413
    service.terminate()
    assert await service.ended() == 0
    assert ADMIN_TOKEN not in service.log_tail(1000)


async def test_invalid_settings_name_the_variable(
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
) -> None:
    service = service_process("orchestrator_api", {"ORCHESTRATOR_ADMIN_TOKEN": "short"})
    assert await service.ended() == 2
    log = service.log_tail()
    for name in ("DATABASE_URL", "AMQP_URL", "ENCRYPTION_KEYS", "LINK_KEY", "ADMIN_TOKEN"):
        assert f"ORCHESTRATOR_{name}" in log
