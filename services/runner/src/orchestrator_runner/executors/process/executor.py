"""Runs components as programs on this host, through the replica's keeper."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import (
    Exit,
    Report,
    StopCause,
    decide_outcome,
    last_line,
    without_secrets,
)
from orchestrator_runner.executors.port import (
    Execution,
    ExecutionLost,
    ExecutionRefused,
    Executor,
    LogSink,
    Outcome,
    Underway,
)
from orchestrator_runner.executors.process.files import Files
from orchestrator_runner.executors.process.keeper_client import Child, Keeper, NotStartable
from orchestrator_runner.executors.process.pipes import Pipe
from orchestrator_runner.executors.process.project_folder import prepare_project_folder
from orchestrator_runner.executors.process.task_directory import (
    TaskDirectories,
    WorkDirectory,
    read_report,
    remove_tree,
)
from orchestrator_runner.executors.task_users import SETTING
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

DIRECTORY_VARIABLE = "ORCHESTRATOR_DATA_DIR"
TASK_USER = "orchestrator-task"


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Settings for running tasks on this host."""

    work_directory: Path
    grace_seconds: float = 10.0
    """The time between asking a task to end and killing it."""
    is_passable: bool = False
    """Whether tasks run as other users, who must be able to reach their own directory below it."""
    keep_directories: bool = False
    """Keeps task directories so that a failure can be examined; they contain decrypted secrets."""


class ProcessExecutor(Executor):
    """Runs tasks through the keeper.

    The keeper kills every task before the runner's lease ends, so no task can be adopted.
    """

    def __init__(self, keeper: Keeper, work: WorkDirectory, settings: ProcessSettings) -> None:
        self._keeper = keeper
        self._work = work
        self._directories = TaskDirectories(work.path)
        self._settings = settings
        self._files = Files()
        self._attempts: set[_Attempt] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closing = False

    @classmethod
    @asynccontextmanager
    async def open(cls, keeper: Keeper, settings: ProcessSettings) -> AsyncIterator["ProcessExecutor"]:
        """Take a part of the work directory and remove what killed replicas left in it.

        On exit, attempts that still run are killed and lost.
        """
        work = await asyncio.to_thread(
            WorkDirectory, settings.work_directory, is_passable=settings.is_passable
        )
        executor = cls(keeper, work, settings)
        try:
            await asyncio.to_thread(work.remove_abandoned)
            yield executor
        finally:
            executor._is_closing = True
            for attempt in executor._attempts:
                attempt.abandon()
            await executor._idle.wait()
            await asyncio.to_thread(executor._close)

    def _close(self) -> None:
        self._files.close()
        self._directories.close()
        self._work.close()

    async def reconcile(self, underway: Underway) -> None:
        """Tasks end with their replica; a killed replica leaves only its directory, which is removed here."""
        await asyncio.to_thread(self._work.remove_abandoned)

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """See `Executor`."""
        if self._is_closing:
            raise ExecutionRefused("the runner is shutting down")
        attempt = _Attempt(self._keeper, execution, log, self._settings.grace_seconds)
        self._attempts.add(attempt)
        self._idle.clear()
        try:
            outcome = await self._run(attempt, execution, stop)
            return without_secrets(outcome, secret_forms(execution.secrets))
        finally:
            self._attempts.remove(attempt)
            if not self._attempts:
                self._idle.set()

    async def _run(self, attempt: "_Attempt", execution: Execution, stop: asyncio.Event) -> Outcome:
        if execution.project_folder is not None:
            try:
                await self._files.do(prepare_project_folder, execution.project_folder, execution.user)
            except OSError as error:
                message = f"the project's file folder cannot be used: {error}"
                return Outcome(JobStatus.ERROR, message, ErrorKind.INTERNAL)
        directory = await self._make_directory(execution)
        report = Report()
        try:
            ended, cause = await attempt.run(directory, stop)
            if cause is None and ended.code == 0:
                report = await self._files.do(read_report, directory, execution.user)
        except NotStartable as error:
            whom = "" if execution.user is None else f" (as user {execution.user}, see {SETTING})"
            return Outcome(JobStatus.ERROR, f"cannot be started{whom}: {error}", ErrorKind.INTERNAL)
        finally:
            await self._remove(directory, execution.user)
        return decide_outcome(ended, report, stopped=cause, timeout_seconds=execution.timeout_seconds)

    async def _make_directory(self, execution: Execution) -> str:
        path = self._directories.name(execution)
        making = asyncio.ensure_future(self._files.do(self._directories.make, path, execution))
        try:
            await asyncio.shield(making)
        except OSError as error:
            raise ExecutionRefused(f"cannot create a directory for the task: {error}") from error
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                await making
            self._files.later(remove_tree, path)
            raise
        return path

    async def _remove(self, directory: str, user: int | None) -> None:
        if self._settings.keep_directories:
            return
        is_spare = False
        try:
            is_spare = await self._files.do(self._directories.give_back, directory, user)
        finally:
            if not is_spare:
                self._files.later(remove_tree, directory)


class _Attempt:
    """One task, from its spawn to the end of its last process and the last byte of its output."""

    def __init__(self, keeper: Keeper, execution: Execution, log: LogSink, grace: float) -> None:
        self._keeper = keeper
        self._execution = execution
        self._log = log
        self._grace = grace
        self._child: Child | None = None
        self._is_abandoned = False
        self._pumps: dict[Pipe, asyncio.Task[None]] = {}
        self._log_broke: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def abandon(self) -> None:
        """Kill the task, because the executor is closing."""
        self._is_abandoned = True
        if self._child is not None:
            self._keeper.stop(self._child, 0)

    async def run(self, directory: str, stop: asyncio.Event) -> tuple[Exit, StopCause | None]:
        if self._is_abandoned:
            raise ExecutionRefused("the runner is shutting down")
        pipes = _open_pipes()
        child = self._child = self._spawn(directory, pipes)
        for pipe in pipes:
            pipe.when_readable(partial(self._pump, pipe))
        try:
            cause = await self._until_ended(child, stop)
            for pipe in pipes:
                pipe.finish()
            for pipe in pipes:
                await (self._pumps[pipe] if pipe in self._pumps else pipe.pump(self._log))
            return Exit(child.ended.result(), self._last_error_line(pipes[1])), cause
        finally:
            if not child.ended.done():
                await self._end_now(child)
            if not all(pump.done() for pump in self._pumps.values()):
                await _end_pumps(self._pumps.values())
            for pipe in pipes:
                pipe.close()

    def _pump(self, pipe: Pipe) -> None:
        self._pumps[pipe] = pump = asyncio.create_task(pipe.pump(self._log))
        pump.add_done_callback(self._on_pump_end)

    def _on_pump_end(self, pump: asyncio.Task[None]) -> None:
        if not pump.cancelled() and pump.exception() is not None and not self._log_broke.done():
            self._log_broke.set_result(None)

    def _spawn(self, directory: str, pipes: tuple[Pipe, Pipe]) -> Child:
        execution = self._execution
        environment = {**execution.environment, DIRECTORY_VARIABLE: str(directory)}
        # such a user has no account and no home, and programs would fail to find one
        if execution.user is not None:
            environment = {"HOME": directory, "TMPDIR": directory, "USER": TASK_USER, **environment}
        return self._keeper.spawn(
            execution.argv,
            environment,
            directory,
            mark=f"{DIRECTORY_VARIABLE}={directory}",
            outputs=(pipes[0].write_end, pipes[1].write_end),
            user=execution.user,
            started=execution.started,
        )

    async def _until_ended(self, child: Child, stop: asyncio.Event) -> StopCause | None:
        """Wait for the end of every process of the task; raises what went wrong in the keeper."""
        stopping = asyncio.create_task(stop.wait())
        broken = self._log_broke
        try:
            cause = None
            timeout = self._execution.timeout_seconds
            done = await _first_of(child.ended, stopping, broken, timeout=timeout)
            if not done & {child.ended, broken}:
                cause = StopCause.REQUEST if done else StopCause.TIMEOUT
                self._keeper.stop(child, self._grace)
                await _first_of(child.ended, broken)
        finally:
            stopping.cancel()
        if not child.ended.done():
            await self._end_now(child)
        child.ended.result()
        if self._is_abandoned:
            raise ExecutionLost("the runner is shutting down")
        return cause

    async def _end_now(self, child: Child) -> None:
        """Kill whatever is left; even when cancelled, return only once it is dead."""
        self._keeper.stop(child, 0)
        while not child.ended.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({child.ended})

    def _last_error_line(self, stderr: Pipe) -> str:
        if not stderr.tail:
            return ""
        forms = secret_forms(self._execution.secrets)
        return last_line(stderr.tail, is_whole=stderr.total == len(stderr.tail), secrets=forms)


async def _first_of(*futures: asyncio.Future[Any], timeout: float | None = None) -> set[asyncio.Future[Any]]:
    done, _ = await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return done


async def _end_pumps(pumps: Collection[asyncio.Task[None]]) -> None:
    for pump in pumps:
        pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)


def _open_pipes() -> tuple[Pipe, Pipe]:
    with contextlib.ExitStack() as opened:
        try:
            stdout = Pipe("stdout")
            opened.callback(stdout.discard)
            stderr = Pipe("stderr")
        except OSError as error:
            raise ExecutionRefused(f"cannot create a pipe for the task: {error}") from error
        opened.pop_all()
    return stdout, stderr
