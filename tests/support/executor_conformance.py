"""What every executor has to do, whatever it runs components with."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

import pytest

from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    ExecutionLeft,
    ExecutionLost,
    Executor,
    LogMark,
    Stream,
)
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.reports import OutputTable
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.domain.tables import TableName

BOUND = 30.0
"""No single step of a test waits longer."""


class Behaviour(StrEnum):
    """What the component under test is to do."""

    SUCCEED = "succeed"
    FAIL_AS_USER = "fail_as_user"
    """After some progress on stderr, say "no such column: amount" and fail."""
    FAIL_INTERNALLY = "fail_internally"
    HANG = "hang"
    """Say "hanging" on stdout, then never end by itself."""
    REPORT = "report"
    """Succeed with message "3 rows" and output tables out.c-main.a (3 rows) and out.c-main.b."""
    COUNT_RUNS = "count_runs"
    """Succeed with the state {"runs": n + 1}, n from the given state or 0."""
    ECHO_CONFIG = "echo_config"
    """Succeed with config.parameters.say as message, and print it on stdout."""


class Harness(Protocol):
    """Made by the fixture `harness` of each executor's own test class."""

    @property
    def executor(self) -> Executor: ...

    def execution(self, behaviour: Behaviour, **fields: Any) -> Execution: ...

    def successor(self) -> AbstractAsyncContextManager[Executor]:
        """The same executor in the next runner."""

    def release(self) -> None:
        """Let what hangs succeed; of adoptable executors only."""


class KeptHandle:
    """An `AttemptRecord` in memory, of a runner that does not know the address of the api."""

    def __init__(self) -> None:
        self.handle: Mapping[str, Any] | None = None
        self._kept = asyncio.Event()

    async def keep_handle(self, handle: Mapping[str, Any]) -> None:
        self.handle = handle
        self._kept.set()

    def callback_url(self) -> str:
        raise UserError("the runner does not know the address of the api")

    async def expect_callbacks(self) -> None:
        self.callback_url()

    async def logged(self) -> LogMark | None:
        return None

    async def callbacks(self) -> Sequence[bytes]:
        raise AssertionError("no component of these tests is called back")

    async def begun(self) -> Adopted:
        """What a successor finds."""
        async with asyncio.timeout(BOUND):
            await self._kept.wait()
        assert self.handle is not None
        return Adopted(self.handle)


class RecordingLog:
    """A LogSink that keeps everything and can be waited on."""

    def __init__(self) -> None:
        self.parts: list[tuple[Stream, datetime, bytes]] = []
        self._changed = asyncio.Condition()

    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        async with self._changed:
            self.parts.append((stream, at, data))
            self._changed.notify_all()

    async def mark(self) -> int:
        return len(self.parts) + 1

    def text(self, stream: Stream) -> bytes:
        return b"".join(data for name, _, data in self.parts if name == stream)

    async def wait_for(self, stream: Stream, expected: bytes) -> bytes:
        async with asyncio.timeout(BOUND), self._changed:
            await self._changed.wait_for(lambda: expected in self.text(stream))
        return self.text(stream)


class ExecutorConformance:
    """Inherit as `class TestX(ExecutorConformance)` and define a fixture `harness`."""

    async def test_success(self, harness: Harness) -> None:
        starts: list[str] = []
        execution = harness.execution(Behaviour.SUCCEED, started=lambda: starts.append("started"))
        outcome = await harness.executor.run(execution, RecordingLog(), asyncio.Event())
        assert (outcome.status, outcome.error_kind, outcome.state) == (JobStatus.SUCCESS, None, None)
        assert starts, "the executor tells when the program has started"

    async def test_a_users_error_carries_its_last_words(self, harness: Harness) -> None:
        outcome = await harness.executor.run(
            harness.execution(Behaviour.FAIL_AS_USER), RecordingLog(), asyncio.Event()
        )
        assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
        assert outcome.message == "no such column: amount"

    async def test_any_other_failure_is_internal(self, harness: Harness) -> None:
        outcome = await harness.executor.run(
            harness.execution(Behaviour.FAIL_INTERNALLY), RecordingLog(), asyncio.Event()
        )
        assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
        assert outcome.message

    async def test_timeout_is_an_error_that_says_so(self, harness: Harness) -> None:
        execution = harness.execution(Behaviour.HANG, timeout_seconds=0.5)
        outcome = await asyncio.wait_for(
            harness.executor.run(execution, RecordingLog(), asyncio.Event()), BOUND
        )
        assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
        assert outcome.message == "timed out after 0.5s"

    async def test_stop_terminates(self, harness: Harness) -> None:
        log, stop = RecordingLog(), asyncio.Event()
        run = asyncio.create_task(harness.executor.run(harness.execution(Behaviour.HANG), log, stop))
        await log.wait_for("stdout", b"hanging")
        stop.set()
        outcome = await asyncio.wait_for(run, BOUND)
        assert (outcome.status, outcome.error_kind) == (JobStatus.TERMINATED, None)

    async def test_cancelling_ends_the_task(self, harness: Harness) -> None:
        log = RecordingLog()
        run = asyncio.create_task(
            harness.executor.run(harness.execution(Behaviour.HANG), log, asyncio.Event())
        )
        await log.wait_for("stdout", b"hanging")
        run.cancel()
        done, _ = await asyncio.wait({run}, timeout=BOUND)
        assert done == {run}
        assert run.cancelled()

    async def test_output_tables_and_message(self, harness: Harness) -> None:
        outcome = await harness.executor.run(
            harness.execution(Behaviour.REPORT), RecordingLog(), asyncio.Event()
        )
        assert outcome.message == "3 rows"
        assert outcome.output_tables == (
            OutputTable(TableName("out.c-main", "a"), 3),
            OutputTable(TableName("out.c-main", "b"), None),
        )

    async def test_state_goes_in_and_comes_out(self, harness: Harness) -> None:
        first = await harness.executor.run(
            harness.execution(Behaviour.COUNT_RUNS), RecordingLog(), asyncio.Event()
        )
        assert first.state == {"runs": 1}
        again = harness.execution(Behaviour.COUNT_RUNS, state=first.state, attempt=2)
        assert (await harness.executor.run(again, RecordingLog(), asyncio.Event())).state == {"runs": 2}

    async def test_configuration_arrives_and_the_log_is_dated(self, harness: Harness) -> None:
        log, before = RecordingLog(), datetime.now(UTC)
        config = {"parameters": {"say": "žluťoučký kůň"}}
        outcome = await harness.executor.run(
            harness.execution(Behaviour.ECHO_CONFIG, config=config), log, asyncio.Event()
        )
        assert outcome.message == "žluťoučký kůň"
        assert log.text("stdout").decode().strip() == "žluťoučký kůň"
        assert all(before <= at <= datetime.now(UTC) for _, at, _ in log.parts)

    async def test_secrets_do_not_show_in_the_message(self, harness: Harness) -> None:
        execution = harness.execution(
            Behaviour.ECHO_CONFIG,
            config={"parameters": {"say": "the key is k3y-of-mine"}},
            secrets=frozenset({"k3y-of-mine"}),
        )
        outcome = await harness.executor.run(execution, RecordingLog(), asyncio.Event())
        assert outcome.message == "the key is ***"

    async def test_what_is_left_is_adopted(self, harness: Harness) -> None:
        if not harness.executor.adoptable:
            await _cannot_be_adopted(harness)
            return
        record, log, stop = KeptHandle(), RecordingLog(), asyncio.Event()
        execution = harness.execution(Behaviour.HANG, record=record)
        run = asyncio.create_task(harness.executor.run(execution, log, stop))
        begun = await record.begun()
        harness.executor.leave()
        with pytest.raises(ExecutionLeft):
            await asyncio.wait_for(run, BOUND)
        async with harness.successor() as successor:
            run = asyncio.create_task(successor.adopt(execution, begun, log, stop))
            harness.release()
            outcome = await asyncio.wait_for(run, BOUND)
        assert outcome.status is JobStatus.SUCCESS

    async def test_what_was_adopted_is_stopped(self, harness: Harness) -> None:
        if not harness.executor.adoptable:
            return
        record, log, stop = KeptHandle(), RecordingLog(), asyncio.Event()
        execution = harness.execution(Behaviour.HANG, record=record)
        run = asyncio.create_task(harness.executor.run(execution, log, stop))
        begun = await record.begun()
        run.cancel()
        await asyncio.wait({run}, timeout=BOUND)
        stop.set()
        async with harness.successor() as successor:
            outcome = await asyncio.wait_for(successor.adopt(execution, begun, log, stop), BOUND)
        assert (outcome.status, outcome.error_kind) == (JobStatus.TERMINATED, None)

    async def test_reconciling_leaves_alone_what_is_underway(self, harness: Harness) -> None:
        async def all_of_them(attempts: Collection[AttemptId]) -> Collection[AttemptId]:
            return attempts

        log, stop = RecordingLog(), asyncio.Event()
        run = asyncio.create_task(harness.executor.run(harness.execution(Behaviour.HANG), log, stop))
        await log.wait_for("stdout", b"hanging")
        await harness.executor.reconcile(all_of_them)
        assert not run.done()
        stop.set()
        assert (await asyncio.wait_for(run, BOUND)).status is JobStatus.TERMINATED


async def _cannot_be_adopted(harness: Harness) -> None:
    execution = harness.execution(Behaviour.SUCCEED)
    with pytest.raises(ExecutionLost):
        await harness.executor.adopt(execution, Adopted({}), RecordingLog(), asyncio.Event())
