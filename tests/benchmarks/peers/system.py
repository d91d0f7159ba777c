"""The task queues that people would pick instead, as measured systems."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self
from uuid import uuid4

import asyncpg
from tests.benchmarks.processes import Started, inherited
from tests.benchmarks.stage import Stage
from tests.benchmarks.systems import SECONDS
from tests.benchmarks.workloads import Workload
from tests.support.databases import Database
from tests.support.servers import REPOSITORY

HERE = Path(__file__).parent
PLACE = REPOSITORY / ".orchestrator" / "benchmarks"
PROCESSES = 2
THREADS = 8
WORKERS = {
    "celery": [
        "{bin}/celery",
        "--app",
        "celery_app",
        "worker",
        "--concurrency",
        str(THREADS),
        "--loglevel",
        "info",
    ],
    "dramatiq": ["{bin}/dramatiq", "dramatiq_app", "--processes", str(PROCESSES), "--threads", str(THREADS)],
    "procrastinate": ["{bin}/python", "-c", "import procrastinate_app; procrastinate_app.main('worker')"],
}
FIRST_SECONDS = 60
CHECK = """
SELECT count(*), count(DISTINCT r.id) FILTER (WHERE r.finished_at IS NOT NULL)
FROM peer_runs r JOIN peer_tasks t ON t.run = r.id WHERE r.id = ANY ($1::uuid[])
"""


class NotInstalled(Exception):
    """The environment of a peer cannot be made here."""


class Hearing:
    """Hears which runs have ended, through the database's notifications."""

    def __init__(self) -> None:
        self._ended: set[str] = set()
        self._news = asyncio.Event()

    def hear(self, *event: object) -> None:
        self._ended.add(str(event[-1]))
        self._news.set()

    async def wait(self, runs: set[str]) -> None:
        async with asyncio.timeout(SECONDS):
            while not runs <= self._ended:
                self._news.clear()
                await self._news.wait()
        self._ended -= runs


class Peer:
    """A worker as its documentation starts one, and a client that sends what it is told to."""

    def __init__(
        self, name: str, database: Database, worker: Started, client: asyncio.subprocess.Process
    ) -> None:
        self.name = name
        self.database = database
        self.processes = [worker]
        self._client = client
        self._hearing = Hearing()

    @classmethod
    @asynccontextmanager
    async def open(cls, name: str, stage: Stage) -> AsyncIterator[Self]:
        binaries = environment(name)
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(stage.empty())
            vhost = stack.enter_context(stage.vhost())
            await database.execute((HERE / "schema.sql").read_text())
            env = {"PEER_DATABASE_URL": database.url, "PEER_AMQP_URL": vhost.url, "PYTHONPATH": str(HERE)}
            if name == "procrastinate":
                await _schema(binaries, name, env)
            command = [part.replace("{bin}", str(binaries)) for part in WORKERS[name]]
            worker = Started(name, command, env, stage.folder, cwd=HERE)
            stack.callback(worker.end)
            client = await _start_client(binaries, name, env)
            stack.push_async_callback(_end, client)
            listener = await asyncpg.connect(database.url)
            stack.push_async_callback(listener.close)
            peer = cls(name, database, worker, client)
            await listener.add_listener("peer_finished", peer._hearing.hear)
            yield peer

    async def analyze(self) -> None:
        await self.database.execute("ANALYZE")

    async def run(self, workload: Workload) -> float:
        runs = [str(uuid4()) for _ in range(workload.runs)]
        request = json.dumps({"runs": runs, "sizes": workload.shape.sizes})
        assert self._client.stdin is not None
        began = time.perf_counter()
        self._client.stdin.write(f"{request}\n".encode())
        await self._hearing.wait(set(runs))
        seconds = time.perf_counter() - began
        row = (await self.database.fetch(CHECK, runs))[0]
        assert tuple(row) == (workload.tasks, workload.runs), f"{self.name}, {workload.name}: {tuple(row)}"
        return seconds


def environment(name: str) -> Path:
    """The folder of programs of the peer's own environment, made where missing."""
    pinned: list[str] = json.loads((HERE / "requirements.json").read_text())[name]
    digest = hashlib.sha256(" ".join([sys.version, *pinned]).encode()).hexdigest()[:12]
    folder = PLACE / f"{name}-{digest}"
    if not (folder / "complete").exists():
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        folder.parent.mkdir(parents=True, exist_ok=True)
        python = str(folder / "bin" / "python")
        for command in (
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", python, *pinned],
        ):
            try:
                made = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise NotInstalled(f"{name}: {error}") from error
            if made.returncode != 0:
                raise NotInstalled(f"{name}: {made.stderr.strip()[-500:]}")
        (folder / "complete").touch()
    return folder / "bin"


async def _start_client(
    binaries: Path, name: str, env: dict[str, str], role: str = "client"
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(binaries / "python"),
        "-c",
        f"import {name}_app; {name}_app.main({role!r})",
        env={**inherited(), **env},
        stdin=asyncio.subprocess.PIPE,
    )


async def _end(client: asyncio.subprocess.Process) -> None:
    if client.returncode is None:
        client.terminate()
        await client.wait()


async def _schema(binaries: Path, name: str, env: dict[str, str]) -> None:
    made = await _start_client(binaries, name, env, "schema")
    if await made.wait() != 0:
        raise NotInstalled(f"{name}: its schema could not be made")


@asynccontextmanager
async def open_peers(stage: Stage, names: Sequence[str] = tuple(WORKERS)) -> AsyncIterator[list[Peer]]:
    """Every peer whose environment can be made here; says which cannot."""
    async with AsyncExitStack() as stack:
        peers = []
        for name in names:
            try:
                peers.append(await stack.enter_async_context(Peer.open(name, stage)))
            except NotInstalled as error:
                print(f"left out: {error}", flush=True)
        yield peers
