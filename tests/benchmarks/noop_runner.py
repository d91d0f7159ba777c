"""A runner with one executor more, which does nothing: `python -m tests.benchmarks.noop_runner`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator_runner.executors.port import Execution, Executor, LogSink, Outcome
from orchestrator_runner.settings import RunnerSettings
from orchestrator_runner.wiring import start
from orchestrator_shared.domain.statuses import JobStatus
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.service import run_service

EXECUTOR = "noop"


class Noop(Executor):
    """Succeeds at once, or after the parameter `seconds`."""

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        seconds = execution.config["parameters"].get("seconds")
        if seconds:
            try:
                async with asyncio.timeout(seconds):
                    await stop.wait()
                return Outcome(JobStatus.TERMINATED)
            except TimeoutError:
                return Outcome(JobStatus.SUCCESS)
        return Outcome(JobStatus.SUCCESS)


@asynccontextmanager
async def start_with_noop(settings: RunnerSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    async with start(settings, lifecycle, executors={EXECUTOR: Noop()}):
        yield


if __name__ == "__main__":
    sys.exit(run_service("runner", RunnerSettings, start_with_noop))
