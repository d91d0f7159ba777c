"""How long the jobs of a runner that is lost stay lost, with the settings of a real installation.

A lease of 30 seconds, looked after every 10: within 45 seconds the jobs must go on elsewhere, or have ended
`error`, "runner lost"; and the keeper must have ended the tasks before.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest
from tests.support.brokers import BrokerVhost
from tests.support.chaos_ledger import Execution, read
from tests.support.databases import Database
from tests.support.ledger import LEDGER_VARIABLE
from tests.support.pipelines import ENCRYPTION_KEY, Pipelines
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.database.pool import prepare_connection

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROMISED_SECONDS = 45
FAULTS = ("kill", "stop", "cut", "stall")
COMPONENTS = {"steady": "rerun", "brittle": "fail"}
PROGRAM = f"""
import json, os, time
ledger = os.open(os.environ["{LEDGER_VARIABLE}"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
own = ("project", "component", "configuration", "job_id", "run_id")
me = {{key: os.environ["ORCHESTRATOR_" + key.upper()] for key in own}}
me |= {{"attempt": int(os.environ["ORCHESTRATOR_ATTEMPT"]), "pid": os.getpid()}}
def note(what):
    line = {{**me, "what": what, "at": time.monotonic(), "wall": time.time()}}
    os.write(ledger, (json.dumps(line) + "\\n").encode())
note("start")
until = time.monotonic() + (200 if me["attempt"] == 1 else 0)
while time.monotonic() < until:
    time.sleep(0.05)
    note("alive")
note("end")
"""
NEWEST_LEASE = "SELECT max(lease_until) FROM jobs.replicas WHERE name = $1"


@dataclass
class Victim:
    """A runner with a job that may be repeated and one that may not."""

    fault: str
    runner: ServiceProcess
    proxy: TcpProxy
    jobs: dict[str, UUID]
    at: float = 0.0

    def lose(self) -> None:
        """What the fault does to it."""
        match self.fault:
            case "kill":
                self.runner.kill()
            case "stop":
                self.runner.suspend()
            case _:
                getattr(self.proxy, self.fault)()

    async def return_to_life(self) -> None:
        """It finds that it was declared lost, and ends."""
        self.runner.resume()
        await self.proxy.resume()
        if self.fault != "kill":
            assert await self.runner.ended(60) == 1


@dataclass(frozen=True)
class Place:
    """Servers, and a folder for the runners."""

    database: Database
    broker: BrokerVhost
    folder: Path
    pipelines: Pipelines

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    def environment(self, name: str, url: str, slots: int) -> Mapping[str, str]:
        """Nothing that has to do with time."""
        return {
            "ORCHESTRATOR_DATABASE_URL": url,
            "ORCHESTRATOR_AMQP_URL": self.broker.url,
            "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
            "ORCHESTRATOR_WORK_DIR": str(self.folder / name),
            "ORCHESTRATOR_RUNNER_NAME": name,
            "ORCHESTRATOR_TASK_UIDS": "none",
            "ORCHESTRATOR_RUNNER_SLOTS": str(slots),
            LEDGER_VARIABLE: str(self.ledger),
            "PATH": os.environ["PATH"],
        }

    def executions(self, job: UUID) -> list[Execution]:
        return [each for each in read(self.ledger) if each.job_id == job]


async def test_jobs_of_a_lost_runner_go_on_within_45_seconds(
    database: Database, broker: BrokerVhost, tmp_path: Path
) -> None:
    place = Place(database, broker, tmp_path, Pipelines(database, broker))
    place.ledger.touch()
    await _furnish(place)
    async with _runners(place) as victims:
        await asyncio.gather(*(_lose_at_the_worst_moment(place, victim) for victim in victims))
        figures = await asyncio.gather(*(_figures(place, victim) for victim in victims))
        print(*figures, sep="\n")
        rows = await _rows(place)
        await asyncio.gather(*(victim.return_to_life() for victim in victims))
        assert await _rows(place) == rows, "a lost runner wrote something when it came back"


async def _furnish(place: Place) -> None:
    await place.pipelines.prepare()
    async with place.database.connection() as connection:
        await prepare_connection(connection)
        for name, after_crash in COMPONENTS.items():
            await connection.execute(
                """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
                   VALUES ($1, $1, 'application', 'process', $2, $3)""",
                name,
                after_crash,
                {"command": ["{python}", "-S", "-c", PROGRAM], "environment": {LEDGER_VARIABLE: None}},
            )
    for component in COMPONENTS:
        for fault in FAULTS:
            await place.pipelines.configuration(fault, {}, component=component)


@contextlib.asynccontextmanager
async def _runners(place: Place) -> AsyncIterator[list[Victim]]:
    """Each victim is busy before the next one starts, so its jobs are its own; the last one inherits all."""
    url = place.database.url_for("runner")
    address = urlsplit(url)
    async with contextlib.AsyncExitStack() as stack:
        victims = []
        for fault in FAULTS:
            proxy = TcpProxy(address.hostname or "", address.port or 5432)
            await stack.enter_async_context(proxy)
            runner = await _started(stack, place, fault, proxy.url(url), slots=len(COMPONENTS))
            victims.append(Victim(fault, runner, proxy, await _busy(place, fault)))
        await _started(stack, place, "heir", url, slots=8)
        yield victims


async def _started(
    stack: contextlib.AsyncExitStack, place: Place, name: str, url: str, slots: int
) -> ServiceProcess:
    runner = ServiceProcess("orchestrator_runner", place.environment(name, url, slots), place.folder)
    stack.callback(runner.clean_up)
    runner.start()
    await runner.ready(60)
    return runner


async def _busy(place: Place, name: str) -> dict[str, UUID]:
    """Two jobs that run, one of each component."""
    jobs = {component: await place.pipelines.run(name, component=component) for component in COMPONENTS}
    await eventually(lambda: all(place.executions(job) for job in jobs.values()), 30)
    return jobs


async def _lose_at_the_worst_moment(place: Place, victim: Victim) -> None:
    """Right after it has renewed its lease."""
    before = await place.database.fetchval(NEWEST_LEASE, victim.fault)

    async def renewed() -> bool:
        return bool(await place.database.fetchval(NEWEST_LEASE, victim.fault) > before)

    await eventually(renewed, 30)
    victim.at = await place.database.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    victim.lose()


async def _figures(place: Place, victim: Victim) -> str:
    """Wait until both jobs are settled, and hold what happened against the promise."""
    steady, brittle = victim.jobs["steady"], victim.jobs["brittle"]
    bound = PROMISED_SECONDS + 30
    await eventually(lambda: len(place.executions(steady)) == 2, bound)
    ended = await place.pipelines.ended(brittle, bound)
    again = place.executions(steady)[1].wall_first - victim.at
    error = ended["finished_at"].timestamp() - victim.at
    dead = max(place.executions(job)[0].wall_last for job in victim.jobs.values()) - victim.at
    taken = min([await _taken(place, job) for job in victim.jobs.values()]) - victim.at
    found = f"{victim.fault}: tasks dead after {dead:.1f} s, taken over after {taken:.1f} s, "
    found += f"running elsewhere after {again:.1f} s, ended as lost after {error:.1f} s"
    assert dead < taken, found
    assert max(again, error) <= PROMISED_SECONDS, found
    assert (ended["status"], ended["error_kind"]) == ("error", "internal"), dict(ended)
    assert ended["message"].startswith("runner lost"), dict(ended)
    return found


async def _taken(place: Place, job: UUID) -> float:
    sql = (
        "SELECT extract(epoch FROM finished_at)::float8 FROM jobs.attempts WHERE job_id = $1 AND attempt = 1"
    )
    at: float = await place.database.fetchval(sql, job)
    return at


async def _rows(place: Place) -> list[asyncpg.Record]:
    """Everything a zombie might touch, once all have ended."""

    async def all_ended() -> bool:
        return bool(await place.database.fetchval("SELECT bool_and(finished_at IS NOT NULL) FROM jobs.jobs"))

    await eventually(all_ended, 30)
    return await place.database.fetch(
        "SELECT * FROM jobs.jobs JOIN jobs.attempts ON job_id = id ORDER BY id, 2"
    )
