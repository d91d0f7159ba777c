"""The http executor with a service at the other end that does what a test tells it to, in quick time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any
from uuid import UUID

from tests.support.executor_conformance import BOUND, Behaviour, RecordingLog
from tests.support.http_service import HttpService, Received, Reply, http_service

from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.exchange import Pace
from orchestrator_runner.executors.http.executor import HttpExecutor, HttpSettings
from orchestrator_runner.executors.port import Adopted, Execution, ExecutionLost, Outcome
from orchestrator_shared.domain.internal_hosts import InternalHosts

JOB = UUID(int=7)
Script = list[Reply | str]


class FastPace(Pace):
    """A second takes a fiftieth of it; the waits are kept."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return asyncio.get_running_loop().time() * 50

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(seconds / 50)


class Runs:
    """What the service does: begins runs, tells their states one after the other, cancels them."""

    def __init__(self) -> None:
        self.ids = count(41)
        self.states: Script = ["ok"]
        self.starts: list[Reply] = []
        self.start: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self.cancel_takes = 0

    def handle(self, request: Received) -> Reply:
        if request.method == "POST" and request.target == "/runs":
            return self._begin(request)
        if request.target.endswith("/cancel"):
            self.cancelled.append(request.target.split("/")[2])
            return Reply(202, {})
        return self._tell(request)

    def _begin(self, request: Received) -> Reply:
        if self.starts:
            return self.starts.pop(0)
        self.start = request.json
        return Reply(201, {"data": {"id": next(self.ids)}})

    def _tell(self, _: Received) -> Reply:
        if self.cancelled and self.cancel_takes <= 0:
            return Reply(200, {"data": {"status": "stopped"}})
        self.cancel_takes -= bool(self.cancelled)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Reply):
            return state
        return Reply(200, {"data": {"status": state, **self._more(state)}})

    def _more(self, state: str) -> dict[str, Any]:
        match self.start.get("behaviour"):
            case Behaviour.FAIL_AS_USER:
                return {"status": "failed", "message": "no such column: amount"}
            case Behaviour.FAIL_INTERNALLY:
                return {"status": "broken"}
            case Behaviour.HANG:
                return {"status": "running", "progress": "hanging"}
            case Behaviour.REPORT:
                tables = [{"table": "out.c-main.a", "rows": 3}, "out.c-main.b"]
                return {"message": "3 rows", "tables": tables}
            case Behaviour.COUNT_RUNS:
                return {"state": {"runs": ((self.start["state"] or {}).get("runs") or 0) + 1}}
            case Behaviour.ECHO_CONFIG:
                say = self.start["parameters"]["say"]
                return {"message": say, "progress": say}
        return {}


def target(url: str, **sections: Any) -> dict[str, Any]:
    """A component's section http."""
    start = {
        "url": f"{url}/runs",
        "body": {"behaviour": "{{ parameters.behaviour }}", "parameters": "{{ parameters }}"},
    }
    start["body"] |= {"state": "{{ state }}"}  # type: ignore[operator]
    made: dict[str, Any] = {
        "headers": {"Authorization": "Bearer {{ parameters.#token }}"},
        "start": start,
        "id": "data.id",
        "poll": {"url": f"{url}/runs/{{{{ id }}}}", "state": "data.status", "progress": "data.progress"},
        "states": {
            "success": ["ok"],
            "running": ["running", 1],
            "error": ["broken"],
            "user_error": ["failed"],
        },
        "result": {"message": "data.message", "output_tables": "data.tables", "state": "data.state"},
        "cancel": {"url": f"{url}/runs/{{{{ id }}}}/cancel"},
    }
    for name, section in sections.items():
        made[name] = {**made.get(name, {}), **section} if isinstance(section, dict) else section
    return {name: section for name, section in made.items() if section is not None}


class HttpHarness:
    def __init__(self, executor: HttpExecutor, service: HttpService, runs: Runs, pace: FastPace) -> None:
        self.executor = executor
        self.service = service
        self.runs = runs
        self.pace = pace
        self.log = RecordingLog()

    def execution(self, behaviour: Behaviour = Behaviour.SUCCEED, **fields: Any) -> Execution:
        config = fields.pop("config", {})
        given = {"#token": "t0ken-of-ours", "behaviour": behaviour.value, **config.get("parameters", {})}
        return Execution(
            **{
                "job_id": JOB,
                "attempt": 1,
                "argv": (),
                "environment": {},
                "config": {"parameters": given},
                "target": target(self.service.url),
                "secrets": frozenset({"t0ken-of-ours"}),
                **fields,
            }
        )

    async def run(self, *, stop: asyncio.Event | None = None, fields: Any = None, **sections: Any) -> Outcome:
        """`fields` of the execution; with a `handle`, it is adopted."""
        given, stop = dict(fields or {}), stop or asyncio.Event()
        handle, ran_seconds = given.pop("handle", None), given.pop("ran_seconds", 0.0)
        execution = self.execution(target=target(self.service.url, **sections), **given)
        if handle is None:
            run = self.executor.run(execution, self.log, stop)
        else:
            run = self.executor.adopt(execution, Adopted(handle, ran_seconds), self.log, stop)
        return await asyncio.wait_for(run, BOUND)

    @asynccontextmanager
    async def successor(self) -> AsyncIterator[HttpExecutor]:
        async with _executor(self.service, self.pace) as executor:
            yield executor

    def release(self) -> None:
        self.runs.start["behaviour"] = Behaviour.SUCCEED

    @property
    def lines(self) -> list[str]:
        return self.log.text("stderr").decode().splitlines()


class Kept:
    """An `AttemptRecord` that remembers in order what it was told, and the service's requests before each."""

    def __init__(self, service: HttpService, url: str = "https://api.test/x", *, fails: bool = False) -> None:
        self.service = service
        self.url = url
        self.fails = fails
        self.handles: list[Any] = []
        self.asked_before: list[int] = []
        self.reports: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def keep_handle(self, handle: Any) -> None:
        self.asked_before.append(len(self.service.received))
        if self.fails:
            raise ExecutionLost("the job has a new owner")
        self.handles.append(handle)

    def callback_url(self) -> str:
        return self.url

    async def expect_callbacks(self) -> None:
        assert not self.service.received

    async def logged(self) -> None:
        return None

    async def callbacks(self) -> list[bytes]:
        return [json.dumps(await self.reports.get()).encode()]


@asynccontextmanager
async def http_harness() -> AsyncIterator[HttpHarness]:
    """For the length of a test; a cancel gets a second."""
    runs, pace = Runs(), FastPace()
    async with http_service(runs.handle) as service, _executor(service, pace) as executor:
        yield HttpHarness(executor, service, runs, pace)


def _executor(service: HttpService, pace: FastPace) -> AbstractAsyncContextManager[HttpExecutor]:
    client = HttpClient(internal=InternalHosts.parse(f"127.0.0.1:{service.port}"))
    return HttpExecutor.open(client, HttpSettings(grace_seconds=1.0), pace)
