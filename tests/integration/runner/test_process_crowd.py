"""Many tasks of all kinds at once: each gets its own outcome, and nothing piles up."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

from tests.support.executor_conformance import RecordingLog
from tests.support.waiting import eventually

from orchestrator_runner.executors.port import Execution
from orchestrator_runner.executors.process.executor import ProcessExecutor, ProcessSettings
from orchestrator_runner.executors.process.keeper_client import Keeper
from orchestrator_runner.keeper.processes import ProcessTree

SCRIPTS = {
    "echo $0; exit 0": "success",
    "echo $0; echo oops >&2; exit 1": "error",
    "echo $0; setsid sleep 600 & exit 0": "success",
    "echo $0; (setsid sleep 0.05 &) ; sleep 0.02": "success",
    "echo $0; sleep 600": "error",  # has a timeout
}


async def crowd(executor: ProcessExecutor, count: int) -> None:
    async def one(number: int) -> None:
        script, expected = list(SCRIPTS.items())[number % len(SCRIPTS)]
        log, argv = RecordingLog(), ("sh", "-c", script, f"task-{number}")
        timeout = 4.0 if script.endswith("sleep 600") else None
        execution = Execution(uuid4(), 1, argv, {"PATH": os.defpath}, {}, timeout_seconds=timeout)
        outcome = await executor.run(execution, log, asyncio.Event())
        assert (outcome.status, log.text("stdout")) == (expected, f"task-{number}\n".encode())

    async with asyncio.timeout(60):
        await asyncio.gather(*(one(number) for number in range(count)))


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def test_a_crowd_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = ProcessSettings(tmp_path, grace_seconds=0.2)
    async with Keeper.open(drain_seconds=0.1) as keeper, ProcessExecutor.open(keeper, settings) as executor:
        keeper.renew_lease(120)
        await crowd(executor, 5)
        before = descriptors(os.getpid()), descriptors(keeper.pid)
        await crowd(executor, 75)
        # Directories beyond the spare ones are removed in threads, each with a descriptor for a moment.
        await eventually(lambda: (descriptors(os.getpid()), descriptors(keeper.pid)) == before)
        assert ProcessTree(keeper.pid).children == []
    assert list(tmp_path.iterdir()) == []
