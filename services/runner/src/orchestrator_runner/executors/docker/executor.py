"""Runs components in containers; each attempt is a container of its own, found again by its name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from pydantic import ValidationError

from orchestrator_runner.executors.docker.cleaning import Cleaning
from orchestrator_runner.executors.docker.containers import Containers
from orchestrator_runner.executors.docker.engine import (
    DockerEngine,
    EngineAddress,
    EngineRefused,
    EngineUnreachable,
)
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.docker.run import KILL_SECONDS, ContainerRun, Surroundings
from orchestrator_runner.executors.elsewhere import run_to_end, time_left
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import StopCause, duration_text, without_secrets
from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    ExecutionLeft,
    ExecutionLost,
    ExecutionRefused,
    Executor,
    LogSink,
    Outcome,
    Underway,
)
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.validation import describe, path_of

log = structlog.get_logger(__name__)


async def _none_underway(_attempts: Collection[AttemptId]) -> Collection[AttemptId]:
    return ()


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """Where the engine is, and what components may ask of it."""

    address: EngineAddress
    images: AllowedImages = field(default_factory=AllowedImages)
    registries: Registries = field(default_factory=Registries)
    installation: str = "orchestrator"
    """Tells the containers of several installations on one engine apart."""
    grace_seconds: float = 10.0
    log_bytes: int = 200 * 1024 * 1024
    """Most bytes of a container's log that the engine keeps."""
    clean_seconds: float = 1.0


class DockerExecutor(Executor):
    """The container continues whatever happens here, so another runner can adopt it."""

    adoptable = True

    def __init__(
        self, engine: DockerEngine, settings: DockerSettings, owns: Callable[[], bool], underway: Underway
    ) -> None:
        containers = Containers(engine, settings.installation)
        self._settings = settings
        self._shared = Surroundings(containers, settings.registries, settings.log_bytes)
        self._cleaning = Cleaning(containers, underway, settings.clean_seconds)
        self._owns = owns
        self._leaving = asyncio.Event()
        self._closing = asyncio.Event()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: DockerSettings,
        *,
        owns: Callable[[], bool] = lambda: True,
        underway: Underway = _none_underway,
    ) -> AsyncIterator["DockerExecutor"]:
        """Run attempts until closed; then leave the remaining ones to other runners, or end them.

        `owns` tells whether attempts certainly belong to this runner; otherwise it ends no container, because
        another runner may be following it.
        """
        engine = DockerEngine(settings.address)
        executor = cls(engine, settings, owns, underway)
        cleaning = asyncio.create_task(executor._cleaning.run())
        try:
            yield executor
        finally:
            executor._closing.set()
            await executor._idle.wait()
            cleaning.cancel()
            await asyncio.wait({cleaning})
            await executor._clean_at_last()
            await engine.close()

    async def _clean_at_last(self) -> None:
        # What is left is found by another runner, or by this one when it starts again.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(KILL_SECONDS):
                await self._cleaning.once()

    def leave(self) -> None:
        """See `Executor`."""
        self._leaving.set()

    async def reconcile(self, underway: Underway) -> None:
        """See `Executor`; while the engine does not answer, it is done later."""
        try:
            await self._cleaning.reconcile(underway)
        except (EngineUnreachable, EngineRefused) as error:
            log.warning("docker.cleaning_failed", reason=str(error))
            self._cleaning.reconcile_later()

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """See `Executor`."""
        if self._closing.is_set():
            raise ExecutionRefused("the runner is shutting down")
        if not self._owns():
            raise ExecutionRefused("the lease of this runner ran out")
        return await self._follow(execution, None, log, stop)

    async def adopt(
        self, execution: Execution, adopted: Adopted, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        """See `Executor`."""
        if self._closing.is_set():
            raise ExecutionLeft
        return await self._follow(execution, adopted, log, stop)

    async def _follow(
        self, execution: Execution, adopted: Adopted | None, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        self._running += 1
        self._idle.clear()
        try:
            section = _section(execution)
            image = self._settings.images.require(section.image, field="docker.image")
            run = ContainerRun(self._shared, section, image, execution, adopted, log)
            outcome = await self._until_ended(run, execution, time_left(execution, adopted), stop)
        except UserError as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.USER)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        return without_secrets(outcome, secret_forms(execution.secrets))

    async def _until_ended(
        self, run: ContainerRun, execution: Execution, seconds: float | None, stop: asyncio.Event
    ) -> Outcome:
        working = asyncio.create_task(run.work())
        stopping, closing = asyncio.create_task(stop.wait()), asyncio.create_task(self._closing.wait())
        leaving = asyncio.create_task(self._may_leave(run))
        grace, leave = self._settings.grace_seconds, False
        try:
            done, _ = await asyncio.wait(
                {working, stopping, closing, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            # A runner that is about to stop leaves the container even when asked to stop it.
            is_ending = self._leaving.is_set() and working not in done
            is_going = stopping not in done and not done.isdisjoint({closing, leaving})
            leave = is_ending or is_going
        except asyncio.CancelledError:
            grace, leave = 0.0, True
            raise
        finally:
            for waiting in (stopping, closing, leaving):
                waiting.cancel()
            # A container that others can find is theirs to end, unless it is certainly ours.
            leave = run.kept.is_set() and (leave or not self._owns()) and not working.done()
            await run_to_end(self._end(run, execution, working, grace, leave=leave))
        if leave:
            raise ExecutionLeft
        if working in done:
            return working.result()
        if closing in done and stopping not in done:
            raise ExecutionLost("the runner is shutting down")
        return _stopped(working, StopCause.REQUEST if stopping in done else StopCause.TIMEOUT, execution)

    async def _end(
        self,
        run: ContainerRun,
        execution: Execution,
        working: "asyncio.Task[Outcome]",
        grace: float,
        *,
        leave: bool,
    ) -> None:
        """Leave nothing running, whatever happened; takes little more than the grace period."""
        try:
            if not leave and (not working.done() or _has_broken(working)):
                async with asyncio.timeout(grace + 2 * KILL_SECONDS):
                    await run.stop(working, grace)
        except (EngineUnreachable, EngineRefused, TimeoutError) as error:
            # It is removed as soon as the engine answers.
            log.warning("docker.stop_failed", container=run.name, reason=str(error) or "no time left")
        finally:
            working.cancel()
            await asyncio.wait({working})
            if not leave:
                self._cleaning.add((execution.job_id, execution.attempt))

    async def _may_leave(self, run: ContainerRun) -> None:
        await self._leaving.wait()
        await run.kept.wait()


def _has_broken(working: "asyncio.Task[Outcome]") -> bool:
    """Whether following failed although the container may still run, and is not another runner's."""
    error = None if working.cancelled() else working.exception()
    return error is not None and not isinstance(error, ExecutionLost | UserError)


def _stopped(working: "asyncio.Task[Outcome]", cause: StopCause, execution: Execution) -> Outcome:
    """The outcome of a program that was asked to end; its exit code is known if it did so in time."""
    ended = working.result() if not working.cancelled() and working.exception() is None else None
    code = None if ended is None else ended.exit_code
    if cause is StopCause.REQUEST:
        return Outcome(JobStatus.TERMINATED, "terminated", exit_code=code)
    message = f"timed out after {duration_text(execution.timeout_seconds or 0)}"
    return Outcome(JobStatus.ERROR, message, ErrorKind.USER, exit_code=code)


def _section(execution: Execution) -> DockerComponent:
    try:
        return DockerComponent.model_validate(execution.target)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UserError(
            f"the component cannot be used: {describe(first)}", field=path_of(first, "docker")
        ) from None
