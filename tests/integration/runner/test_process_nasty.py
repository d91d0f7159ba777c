"""Processes that behave badly: none of them outlives its task, hangs it, or fills the memory."""

import asyncio
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.executor_conformance import BOUND, RecordingLog
from tests.support.process_probe import is_alive, pids_in

from orchestrator_runner.executors.port import Execution, LogSink, Outcome, Stream
from orchestrator_runner.executors.process.executor import ProcessExecutor, ProcessSettings
from orchestrator_runner.executors.process.keeper_client import Keeper
from orchestrator_runner.logs.capture import LogCapture, LogChunk, LogLimits
from orchestrator_shared.domain.statuses import JobStatus

# Starts a daemon as old daemons do it: two forks, a session of its own, no trace of its environment.
DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        code = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'a')); time.sleep(600)"
        os.execve(sys.executable, [sys.executable, "-S", "-c", code, sys.argv[1]], {})
    os._exit(0)
os.wait()
if len(sys.argv) > 2:
    import time
    time.sleep(600)
"""


class Host:
    def __init__(self, executor: ProcessExecutor, folder: Path) -> None:
        self.executor = executor
        self.pids = folder / "pids"

    def start(
        self, *argv: str, log: LogSink | None = None, stop: asyncio.Event | None = None
    ) -> asyncio.Task[Outcome]:
        execution = Execution(uuid4(), 1, argv, {"PATH": os.defpath, "PIDS": str(self.pids)}, {})
        run = self.executor.run(execution, log or RecordingLog(), stop or asyncio.Event())
        return asyncio.create_task(run)

    async def run(self, *argv: str, log: LogSink | None = None) -> Outcome:
        return await asyncio.wait_for(self.start(*argv, log=log), BOUND)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    settings = ProcessSettings(tmp_path / "work", grace_seconds=0.3)
    async with Keeper.open(drain_seconds=0.3) as keeper, ProcessExecutor.open(keeper, settings) as executor:
        keeper.renew_lease(60)
        yield Host(executor, tmp_path)


async def test_one_that_ignores_sigterm_is_killed_after_the_grace(host: Host) -> None:
    stop, log = asyncio.Event(), RecordingLog()
    run = host.start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done", log=log, stop=stop)
    await log.wait_for("stdout", b"ready")
    asked = time.monotonic()
    stop.set()
    outcome = await asyncio.wait_for(run, BOUND)
    assert (outcome.status, outcome.signal) == (JobStatus.TERMINATED, 9)
    assert time.monotonic() - asked >= 0.3


async def test_one_that_heeds_sigterm_may_clean_up(host: Host) -> None:
    stop, log = asyncio.Event(), RecordingLog()
    program = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
    run = host.start("sh", "-c", program, log=log, stop=stop)
    await log.wait_for("stdout", b"ready")
    stop.set()
    outcome = await asyncio.wait_for(run, BOUND)
    assert (outcome.status, outcome.exit_code) == (JobStatus.TERMINATED, 0)
    assert log.text("stdout").endswith(b"cleaned\n")


async def test_a_grandchild_that_holds_the_pipe_hangs_nothing(host: Host) -> None:
    outcome = await host.run("sh", "-c", 'echo $$ >> $PIDS; sleep 600 & echo $! >> $PIDS; echo "done"')
    assert outcome.status is JobStatus.SUCCESS
    assert not any(is_alive(pid) for pid in await pids_in(host.pids, 2))


async def test_output_of_a_child_just_after_its_parent_ended_is_kept(host: Host) -> None:
    log = RecordingLog()
    await host.run("sh", "-c", "(sleep 0.1; echo late) & echo early", log=log)
    assert log.text("stdout") == b"early\nlate\n"


async def test_a_grandchild_in_a_session_of_its_own_is_killed(host: Host) -> None:
    program = "setsid sh -c 'echo $$ >> $PIDS; exec sleep 600' > /dev/null 2>&1 & "
    outcome = await host.run("sh", "-c", program + 'while [ ! -s "$PIDS" ]; do sleep 0.01; done')
    assert outcome.status is JobStatus.SUCCESS
    assert not any(is_alive(pid) for pid in await pids_in(host.pids, 1))


async def test_a_daemon_without_a_trace_is_killed_with_its_task(host: Host) -> None:
    stop = asyncio.Event()
    run = host.start(sys.executable, "-S", "-c", DAEMON, str(host.pids), "stay", stop=stop)
    (daemon,) = await pids_in(host.pids, 1)
    assert is_alive(daemon)
    stop.set()
    await asyncio.wait_for(run, BOUND)
    assert not is_alive(daemon)


async def test_a_daemon_of_two_possible_tasks_ends_with_the_last(host: Host, tmp_path: Path) -> None:
    stop, log = asyncio.Event(), RecordingLog()
    neighbour = host.start("sh", "-c", "echo up; exec sleep 600", stop=stop, log=log)
    await log.wait_for("stdout", b"up")
    await host.run(sys.executable, "-S", "-c", DAEMON, str(host.pids))
    (daemon,) = await pids_in(host.pids, 1)
    assert is_alive(daemon)  # it could be the neighbour's
    stop.set()
    await asyncio.wait_for(neighbour, BOUND)
    assert not is_alive(daemon)


async def test_one_task_that_ends_leaves_the_others_alone(host: Host) -> None:
    stop, log = asyncio.Event(), RecordingLog()
    program = "sleep 600 & echo $$ $! >> $PIDS; setsid sleep 600 & echo $! >> $PIDS; echo up; wait"
    neighbour = host.start("sh", "-c", program, stop=stop, log=log)
    await log.wait_for("stdout", b"up")
    for _ in range(3):
        await host.run("sh", "-c", "sleep 600 & exit 0")
    pids = await pids_in(host.pids, 3)
    assert all(is_alive(pid) for pid in pids)
    stop.set()
    await asyncio.wait_for(neighbour, BOUND)
    assert not any(is_alive(pid) for pid in pids)


async def test_two_hundred_megabytes_in_one_line_take_no_memory(host: Host) -> None:
    class Counter:
        total = 0

        async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
            self.total += len(data)

        async def mark(self) -> int:
            return 1

    before, counter = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, Counter()
    outcome = await host.run("sh", "-c", "head -c 200000000 /dev/zero | tr '\\0' x", log=counter)
    assert (outcome.status, counter.total) == (JobStatus.SUCCESS, 200_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


async def test_a_flood_on_stderr_is_cut_and_does_not_starve_the_loop(host: Host) -> None:
    chunks: list[LogChunk] = []

    async def append(batch: Sequence[LogChunk]) -> None:
        chunks.extend(batch)

    longest, last = 0.0, time.thread_time()

    async def heartbeat() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()

    beating = asyncio.create_task(heartbeat())
    log = LogCapture(append, limits=LogLimits(max_bytes=1_000_000))
    outcome = await host.run("sh", "-c", "yes boom | head -c 30000000 >&2; echo the end >&2; exit 1", log=log)
    await log.close()
    beating.cancel()
    assert outcome.message == "the end"
    assert sum(len(chunk.text) for chunk in chunks) < 1_001_000
    assert chunks[-1].text.endswith("[log cut off: more than 1000000 bytes]\n")
    assert longest < 0.5


async def test_both_streams_are_kept_apart(host: Host) -> None:
    log = RecordingLog()
    await host.run("sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; done", log=log)
    assert log.text("stdout") == b"out 1\nout 2\nout 3\n"
    assert log.text("stderr") == b"err 1\nerr 2\nerr 3\n"


async def test_a_slow_log_slows_the_task_and_loses_nothing(host: Host) -> None:
    class Slow(RecordingLog):
        async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
            await asyncio.sleep(0.02)
            await super().write(stream, at, data)

    log = Slow()
    await host.run("sh", "-c", "head -c 1000000 /dev/zero", log=log)
    assert len(log.text("stdout")) == 1_000_000


async def test_a_fork_bomb_of_sorts_is_ended(host: Host) -> None:
    stop, log = asyncio.Event(), RecordingLog()
    program = "f() { sleep 600 & sleep 0.01; f & sleep 600; }; f & echo up; wait"
    run = host.start("sh", "-c", program, stop=stop, log=log)
    await log.wait_for("stdout", b"up")
    stop.set()
    outcome = await asyncio.wait_for(run, BOUND)
    assert outcome.status is JobStatus.TERMINATED
