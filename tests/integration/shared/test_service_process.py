"""Services as processes: settings, health, signals, supervision, bounded shutdown, exit codes."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.waiting import eventually

from orchestrator_shared.domain.zone_data import TZDATA_VERSION

PROGRAM = Path(__file__).with_name("services_under_test.py")


class Service:
    """A started service, its log and its port."""

    def __init__(self, kind: str, folder: Path, **env: str) -> None:
        self.port_file = folder / "port"
        self.log_file = folder / "log"
        variables = {
            "ORCHESTRATOR_HTTP_PORT_FILE": str(self.port_file),
            "ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS": "1",
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), kind], stdout=log, stderr=log, env={**variables, **env}
            )

    def log(self) -> str:
        return self.log_file.read_text()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    async def get(self, path: str) -> httpx.Response:
        port = await eventually(lambda: self.port_file.exists() and self.port_file.read_text().strip())
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{port}{path}", timeout=30)

    async def ready(self) -> None:
        async def answers() -> bool:
            return (await self.get("/readyz")).status_code == 200

        await eventually(answers)

    def end(self, number: int = signal.SIGTERM, seconds: float = 10) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    services: list[Service] = []

    def launch(kind: str, **env: str) -> Service:
        services.append(Service(kind, tmp_path, **env))
        return services[-1]

    yield launch
    for service in services:
        service.process.kill()
        service.process.wait(30)


Start = Callable[..., Service]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_service_in_order(start: Start, number: int) -> None:
    service = start("orderly")
    await service.ready()
    assert service.end(number) == 0
    assert "closed in order" in service.log()
    assert service.lines()[-1]["event"] == "service.stopped"
    started = next(line for line in service.lines() if line["event"] == "service.started")
    assert started["tzdata"] == TZDATA_VERSION


async def test_full_collections_spare_what_lives_as_long_as_the_service(start: Start) -> None:
    service = start("orderly")
    await service.ready()
    service.end()
    (spared,) = re.findall(r"(\d+) objects are spared", service.log())
    assert int(spared) > 10_000


async def test_health_says_which_check_fails_and_why_is_logged(start: Start) -> None:
    service = start("unready")
    assert (await service.get("/livez")).status_code == 200

    async def started() -> dict[str, Any]:
        body: dict[str, Any] = (await service.get("/readyz")).json()
        assert body["checks"]["started"]
        return body

    body = await eventually(started)
    assert body == {
        "service": "under-test",
        "ready": False,
        "checks": {"started": True, "not_stopping": True, "broker": False},
    }
    assert (await service.get("/readyz")).status_code == 503
    assert "nobody there" in service.log()
    assert "orchestrator_ready 0.0" in (await service.get("/metrics")).text


async def test_a_scrape_alone_tells_whether_the_service_is_ready(start: Start) -> None:
    """Whoever has no probes would otherwise be told that nothing is ready."""
    service = start("orderly")

    async def is_told() -> bool:
        return "orchestrator_ready 1.0" in (await service.get("/metrics")).text

    await eventually(is_told)


async def test_a_task_that_dies_ends_the_service_with_the_reason(start: Start) -> None:
    service = start("dying")
    assert service.process.wait(30) == 1
    failure = next(line for line in service.lines() if line["event"] == "service.failed")
    assert "'relay' ended: ValueError: amqp://user:***@host broke" in failure["reason"]
    assert "Traceback" in failure["exception"]
    assert "closed in order" in service.log()
    assert "geheim" not in service.log()


async def test_a_task_that_returns_ends_the_service_too(start: Start) -> None:
    service = start("leaving")
    assert service.process.wait(30) == 1
    assert "'relay' ended: returned" in service.log()


async def test_a_signal_while_starting_ends_at_once(start: Start) -> None:
    service = start("slow_to_start")
    assert (await service.get("/livez")).status_code == 200
    assert (await service.get("/readyz")).status_code == 503
    assert service.end() == 0


async def test_the_grace_period_is_the_bound(start: Start) -> None:
    service = start("slow_to_stop")
    await service.ready()
    assert service.end() == 1
    assert "service.grace_period_over" in service.log()


@pytest.mark.parametrize("kind", ["slow_to_stop", "stuck"])
async def test_a_second_signal_ends_it_at_once(start: Start, kind: str) -> None:
    service = start(kind, ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS="60")
    await service.ready()
    service.process.send_signal(signal.SIGTERM)
    await eventually(lambda: "service.stopping" in service.log())
    assert service.end(seconds=30) == -signal.SIGTERM


async def test_a_signal_ends_a_service_whose_loop_is_held_for_ever(start: Start) -> None:
    """Issue 8, number 28: SIGTERM was without effect while one request held the loop."""
    service = start("holding_the_loop")
    await eventually(lambda: "the loop is held" in service.log())
    assert service.end(seconds=60) == 1


async def test_an_error_made_for_people_has_no_traceback(start: Start) -> None:
    service = start("failing")
    assert service.process.wait(30) == 1
    assert "the database at host:5432 was not reachable" in service.log()
    assert "Traceback" not in service.log()


async def test_wrong_settings_are_one_message_and_exit_2(start: Start) -> None:
    service = start("orderly", ORCHESTRATOR_HTTP_PORT="geheim", ORCHESTRATOR_LOG_LEVEL="loud")
    assert service.process.wait(30) == 2
    text = service.log()
    assert "ORCHESTRATOR_HTTP_PORT: " in text
    assert "ORCHESTRATOR_LOG_LEVEL: " in text
    assert "geheim" not in text
    assert "Traceback" not in text


async def test_a_taken_port_is_named_with_its_variable(start: Start) -> None:
    first = start("orderly")
    await first.ready()
    port = first.port_file.read_text().strip()
    second = start("orderly", ORCHESTRATOR_HTTP_PORT=port)
    assert second.process.wait(30) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.log()
    assert "ORCHESTRATOR_HTTP_PORT" in second.log()


async def test_an_application_of_its_own_is_served_beside_health(start: Start) -> None:
    service = start("with_an_app")
    await service.ready()
    assert (await service.get("/v1/hello")).text == "hello /v1/hello"
    assert (await service.get("/livez")).text == "ok\n"
    assert (await service.get("/nowhere")).status_code == 404
    assert service.end() == 0


async def test_open_requests_are_answered_before_closing(start: Start) -> None:
    service = start("with_an_app")
    await service.ready()
    answer = asyncio.create_task(service.get("/v1/slow"))
    await eventually(lambda: "slow begins" in service.log())
    service.process.send_signal(signal.SIGTERM)
    assert (await answer).text == "finished"
    assert await asyncio.to_thread(service.process.wait, 10) == 0
    assert "closed after the requests" in service.log()
