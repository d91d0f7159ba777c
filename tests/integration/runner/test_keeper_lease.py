"""Whatever becomes of the runner or the keeper, no task outlives the lease."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support import tiny_runner
from tests.support.executor_conformance import BOUND, RecordingLog
from tests.support.process_probe import is_alive, pids_in, until

from orchestrator_runner.executors.port import Execution, ExecutionLost, ExecutionRefused
from orchestrator_runner.executors.process.executor import ProcessExecutor, ProcessSettings
from orchestrator_runner.executors.process.keeper_client import Keeper, KeeperFailed, boottime
from orchestrator_shared.domain.statuses import JobStatus

# A task with a child, a child in a session of its own, and an orphan of yet another session; none heeds TERM.
STUBBORN = """
trap '' TERM
echo $$ >> "$PIDS"
sh -c 'echo $$ >> "$PIDS"; sleep 600' &
setsid sh -c 'echo $$ >> "$PIDS"; sleep 600' &
sh -c 'setsid sh -c "echo \\$\\$ >> \\"\\$PIDS\\"; sleep 600" &'
while :; do sleep 1; done
"""
PROCESSES = 4
LEASE = 6.0


@asynccontextmanager
async def tiny(
    folder: Path, lease: float
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, list[int]]]:
    """A runner with two stubborn tasks: its process, its keeper's id, the tasks' process ids."""
    pids = folder / "pids"
    runner = await asyncio.create_subprocess_exec(
        *[sys.executable, str(tiny_runner.__file__), str(folder / "work"), str(lease), "sh", "-c", STUBBORN],
        env={**os.environ, "PIDS": str(pids)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert runner.stdout is not None
        keeper = int(await asyncio.wait_for(runner.stdout.readline(), BOUND))
        yield runner, keeper, await pids_in(pids, 2 * PROCESSES)
    finally:
        if runner.returncode is None:
            runner.kill()
        await runner.wait()
        await until(lambda: not is_alive(keeper), within=BOUND, what="the keeper ends")


async def test_a_killed_runner_takes_its_tasks_along(tmp_path: Path) -> None:
    async with tiny(tmp_path, lease=30) as (runner, keeper, pids):
        runner.kill()
        await until(lambda: not any(map(is_alive, pids)), within=BOUND, what="all tasks are dead")
        await until(lambda: not is_alive(keeper), within=BOUND, what="the keeper has ended")


async def test_a_stopped_runner_loses_its_tasks_before_its_lease(tmp_path: Path) -> None:
    async with tiny(tmp_path, lease=LEASE) as (runner, keeper, pids):
        runner.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        await until(lambda: not any(map(is_alive, pids)), within=LEASE, what="dead before the lease ends")
        assert time.monotonic() - stopped < LEASE
        assert is_alive(keeper)
        runner.send_signal(signal.SIGCONT)
        assert runner.stdout is not None
        said = (await asyncio.wait_for(runner.stdout.read(), BOUND)).decode().splitlines()
        assert said == ["ExecutionLost the runner's lease ran out"] * 2


async def test_a_killed_keeper_is_reported_and_its_tasks_die(tmp_path: Path) -> None:
    async with tiny(tmp_path, lease=30) as (runner, keeper, pids):
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: not any(map(is_alive, pids)), within=BOUND, what="all tasks are dead")
        assert runner.stdout is not None
        said = (await asyncio.wait_for(runner.stdout.read(), BOUND)).decode().splitlines()
        assert said == ["ExecutionLost the keeper ended"] * 2


async def test_a_keeper_shrugs_at_a_polite_signal(tmp_path: Path) -> None:
    async with tiny(tmp_path, lease=30) as (_, keeper, pids):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(keeper, number)
        await asyncio.sleep(0.1)  # nothing happens, so there is nothing to wait for
        assert all(map(is_alive, [keeper, *pids]))


@asynccontextmanager
async def executing(folder: Path, margin: float = 0.0) -> AsyncIterator[tuple[Keeper, ProcessExecutor]]:
    async with (
        Keeper.open(lease_margin=margin, drain_seconds=0.2) as keeper,
        ProcessExecutor.open(keeper, ProcessSettings(folder / "work")) as executor,
    ):
        yield keeper, executor


def command(*argv: str) -> Execution:
    return Execution(uuid4(), 1, argv, {"PATH": os.defpath}, {})


async def test_no_lease_no_task(tmp_path: Path) -> None:
    async with executing(tmp_path) as (keeper, executor):
        with pytest.raises(ExecutionRefused, match="lease ran out"):
            await executor.run(command("true"), RecordingLog(), asyncio.Event())
        keeper.renew_lease(30, asked_at=boottime() - 31)  # the database answered too late
        with pytest.raises(ExecutionRefused, match="lease ran out"):
            await executor.run(command("true"), RecordingLog(), asyncio.Event())
    assert list((tmp_path / "work").iterdir()) == []


async def test_tasks_start_again_once_a_lost_lease_is_renewed(tmp_path: Path) -> None:
    async with executing(tmp_path) as (keeper, executor):
        keeper.renew_lease(3)  # time enough to start the task
        with pytest.raises(ExecutionLost, match="lease ran out"):
            await executor.run(command("sleep", "600"), RecordingLog(), asyncio.Event())
        keeper.renew_lease(30)
        outcome = await executor.run(command("true"), RecordingLog(), asyncio.Event())
        assert outcome.status is JobStatus.SUCCESS


async def test_an_older_renewal_does_not_shorten_the_lease(tmp_path: Path) -> None:
    async with executing(tmp_path) as (keeper, executor):
        keeper.renew_lease(30)
        keeper.renew_lease(1, asked_at=boottime() - 5)
        outcome = await executor.run(command("true"), RecordingLog(), asyncio.Event())
        assert outcome.status is JobStatus.SUCCESS


async def test_the_service_learns_that_its_keeper_is_gone(tmp_path: Path) -> None:
    async with executing(tmp_path) as (keeper, executor):
        keeper.renew_lease(30)
        watching = asyncio.create_task(keeper.wait_closed())
        os.kill(keeper.pid, signal.SIGKILL)
        assert await asyncio.wait_for(watching, BOUND) == f"the keeper (process {keeper.pid}) ended with -9"
        assert not keeper.is_alive
        with pytest.raises(ExecutionRefused, match="the keeper is gone"):
            await executor.run(command("true"), RecordingLog(), asyncio.Event())


async def test_a_keeper_that_cannot_start_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(KeeperFailed, match="/bin/false -m orchestrator_runner"):
        async with asyncio.timeout(BOUND), Keeper.open():
            pass


async def test_closing_ends_what_still_runs(tmp_path: Path) -> None:
    async with executing(tmp_path) as (keeper, executor):
        keeper.renew_lease(30)
        log = RecordingLog()
        run = asyncio.create_task(
            executor.run(command("sh", "-c", "echo $$; exec sleep 600"), log, asyncio.Event())
        )
        pid = int(await log.wait_for("stdout", b"\n"))
    assert not is_alive(pid)
    with pytest.raises(ExecutionLost, match="shutting down"):
        await asyncio.wait_for(run, BOUND)
