"""The kubernetes executor on the fake cluster, in quick time."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.executor_conformance import BOUND, Behaviour, RecordingLog
from tests.support.kubernetes.api import NAMESPACE, TOKEN, KubernetesApi, kubernetes_api

from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.kubernetes.client import KubernetesClient
from orchestrator_runner.executors.kubernetes.executor import KubernetesExecutor, KubernetesSettings
from orchestrator_runner.executors.kubernetes.place import Place
from orchestrator_runner.executors.kubernetes.waits import Waits
from orchestrator_runner.executors.port import Adopted, Execution, LogMark, Outcome
from orchestrator_shared.domain.errors import UserError

JOB = UUID(int=7)
NAME = f"task-{JOB}-1"
IMAGE = "registry.example.com/team/loader@sha256:" + "a1" * 32
PROGRAM = str(Path(__file__).with_name("kubernetes_program.py"))
WAITS = Waits(
    late_seconds=0.1, report_seconds=2.0, unseen_seconds=0.2, events_seconds=0.05, retry_seconds=0.02
)


class KubernetesHarness:
    """What the conformance suite needs, and what the tests of single cases do."""

    def __init__(self, api: KubernetesApi, folder: Path) -> None:
        self.api = api
        self.folder = folder
        self.token_file = folder / "token"
        self.token_file.write_text(f"{TOKEN}\n")
        self.flag = folder / "released"
        self.log = RecordingLog()
        self.executor: KubernetesExecutor

    def execution(self, behaviour: Behaviour = Behaviour.SUCCEED, **fields: Any) -> Execution:
        config = fields.pop("config", {})
        parameters = {"behaviour": behaviour.value, **config.get("parameters", {})}
        section = {"image": IMAGE, "command": [sys.executable, PROGRAM], **fields.pop("section", {})}
        return Execution(
            **{
                "job_id": JOB,
                "attempt": 1,
                "argv": (),
                "environment": {"PATH": "/nowhere", "RELEASED": str(self.flag)},
                "config": {"parameters": parameters},
                "target": section,
                **fields,
            }
        )

    async def run(self, *, stop: asyncio.Event | None = None, **fields: Any) -> Outcome:
        """`fields` of the execution; with a `handle`, it is adopted."""
        handle, executor = fields.pop("handle", None), fields.pop("executor", self.executor)
        ran_seconds, log = fields.pop("ran_seconds", 0.0), fields.pop("log", self.log)
        execution, stop = self.execution(**fields), stop or asyncio.Event()
        if handle is None:
            run = executor.run(execution, log, stop)
        else:
            run = executor.adopt(execution, Adopted(handle, ran_seconds), log, stop)
        return await asyncio.wait_for(run, BOUND)

    @property
    def lines(self) -> list[str]:
        """What the runner wrote to the job's log."""
        return self.log.text("stderr").decode().splitlines()

    def successor(self) -> AbstractAsyncContextManager[KubernetesExecutor]:
        place = Place(NAMESPACE, self.api.url, self.token_file, None)
        settings = KubernetesSettings(AllowedImages.of([IMAGE]), grace_seconds=1.0, waits=WAITS)
        return KubernetesExecutor.open(KubernetesClient(place), settings)

    def release(self) -> None:
        self.flag.touch()


class Kept:
    """An `AttemptRecord` in memory; without an address, no report can be posted."""

    def __init__(self, url: str | None = None, mark: LogMark | None = None) -> None:
        self.url = url
        self.mark = mark
        self.handles: list[Mapping[str, Any]] = []
        self.reports: asyncio.Queue[bytes] = asyncio.Queue()
        self.fails: Exception | None = None

    async def keep_handle(self, handle: Mapping[str, Any]) -> None:
        if self.fails is not None:
            raise self.fails
        self.handles.append(dict(handle))

    def callback_url(self) -> str:
        if self.url is None:
            raise UserError("the runner does not know the address of the api")
        return self.url

    async def expect_callbacks(self) -> None:
        return

    async def callbacks(self) -> list[bytes]:
        return [await self.reports.get()]

    async def logged(self) -> LogMark | None:
        return self.mark


@asynccontextmanager
async def kubernetes_harness(folder: Path) -> AsyncIterator[KubernetesHarness]:
    """For the length of a test."""
    async with kubernetes_api() as api:
        harness = KubernetesHarness(api, folder)
        async with harness.successor() as executor:
            harness.executor = executor
            yield harness
