"""An adoptable executor in memory: what it starts stays in a `Cluster`, whatever becomes of the executor."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.executor_conformance import Behaviour

from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import duration_text, without_secrets
from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    ExecutionLeft,
    Executor,
    LogSink,
    Outcome,
    Underway,
)
from orchestrator_shared.domain.reports import OutputTable
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.domain.tables import TableName


@dataclass(eq=False)
class Pod:
    """One program in the cluster."""

    said: bytes = b""
    ended: "asyncio.Future[Outcome]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Cluster:
    """Where programs run, by the job and attempt that they were started for."""

    def __init__(self) -> None:
        self.pods: dict[AttemptId, Pod] = {}
        self.started: list[AttemptId] = []

    def start(self, execution: Execution) -> None:
        """Begin what the parameters ask for; unknown behaviours hang."""
        name = (execution.job_id, execution.attempt)
        self.started.append(name)
        pod = self.pods[name] = Pod()
        parameters = execution.config.get("parameters", {})
        behaviour = parameters.get("behaviour", Behaviour.SUCCEED)
        if behaviour == Behaviour.HANG:
            pod.said = b"hanging\n"
            return
        pod.said = f"{parameters.get('say', '')}\n".encode()
        pod.ended.set_result(_outcome(behaviour, parameters, execution.state))

    def release(self) -> None:
        """Let what hangs succeed."""
        for pod in self.pods.values():
            if not pod.ended.done():
                pod.ended.set_result(Outcome(JobStatus.SUCCESS))


def _outcome(behaviour: str, parameters: Mapping[str, Any], state: Mapping[str, Any] | None) -> Outcome:
    match Behaviour(behaviour):
        case Behaviour.FAIL_AS_USER:
            return Outcome(JobStatus.ERROR, "no such column: amount", ErrorKind.USER)
        case Behaviour.FAIL_INTERNALLY:
            return Outcome(JobStatus.ERROR, "exit code 7", ErrorKind.INTERNAL)
        case Behaviour.REPORT:
            tables = (
                OutputTable(TableName("out.c-main", "a"), 3),
                OutputTable(TableName("out.c-main", "b"), None),
            )
            return Outcome(JobStatus.SUCCESS, "3 rows", output_tables=tables)
        case Behaviour.COUNT_RUNS:
            return Outcome(JobStatus.SUCCESS, state={"runs": ((state or {}).get("runs") or 0) + 1})
        case Behaviour.ECHO_CONFIG:
            return Outcome(JobStatus.SUCCESS, parameters["say"])
    return Outcome(JobStatus.SUCCESS)


class FakeExecutor(Executor):
    """Adoptable: a pod is found by its name."""

    adoptable = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._leaving = asyncio.Event()

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        self._cluster.start(execution)
        execution.started()
        if execution.record is not None:
            await execution.record.keep_handle({"pod": [str(execution.job_id), execution.attempt]})
        return await self._follow(execution, log, stop, execution.timeout_seconds)

    async def adopt(
        self, execution: Execution, adopted: Adopted, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        assert adopted.handle == {"pod": [str(execution.job_id), execution.attempt]}
        left = execution.timeout_seconds and max(execution.timeout_seconds - adopted.ran_seconds, 0)
        return await self._follow(execution, log, stop, left)

    def leave(self) -> None:
        self._leaving.set()

    async def reconcile(self, underway: Underway) -> None:
        for over in set(self._cluster.pods) - set(await underway(list(self._cluster.pods))):
            del self._cluster.pods[over]

    async def _follow(
        self, execution: Execution, log: LogSink, stop: asyncio.Event, timeout: float | None
    ) -> Outcome:
        name, can_be_left = (execution.job_id, execution.attempt), execution.record is not None
        pod, is_left = self._cluster.pods[name], False
        stopping, leaving = asyncio.create_task(stop.wait()), asyncio.create_task(self._leaving.wait())
        watched: set[asyncio.Future[Any]] = {pod.ended, stopping, *([leaving] if can_be_left else [])}
        try:
            await log.write("stdout", datetime.now(UTC), pod.said)
            done, _ = await asyncio.wait(watched, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            is_left = leaving in done and pod.ended not in done
        except asyncio.CancelledError:
            is_left = can_be_left
            raise
        finally:
            stopping.cancel()
            leaving.cancel()
            if not is_left:
                del self._cluster.pods[name]
        if is_left:
            raise ExecutionLeft
        if pod.ended in done:
            return without_secrets(pod.ended.result(), secret_forms(execution.secrets))
        if stopping in done:
            return Outcome(JobStatus.TERMINATED, "terminated")
        limit = duration_text(execution.timeout_seconds or 0)
        return Outcome(JobStatus.ERROR, f"timed out after {limit}", ErrorKind.USER)
