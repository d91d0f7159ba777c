"""One attempt in a container: started once, followed to its end, stopped when asked to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from orchestrator_runner.executors.docker.archive import input_archive
from orchestrator_runner.executors.docker.containers import CONFLICT, NOT_FOUND, Containers
from orchestrator_runner.executors.docker.engine import EngineRefused, EngineSilent, EngineUnreachable
from orchestrator_runner.executors.docker.handle import Handle
from orchestrator_runner.executors.docker.images import Registries, ensure_image
from orchestrator_runner.executors.docker.logs import BrokenLog, LongLines, Position
from orchestrator_runner.executors.docker.pull import PullFailed
from orchestrator_runner.executors.docker.spec import container_name, create_body
from orchestrator_runner.executors.docker.state import Container, decide_end
from orchestrator_runner.executors.elsewhere import Working, ended_early, error_of
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import Report, StopCause, duration_text, last_line
from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    ExecutionLost,
    LogSink,
    Outcome,
)
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.images import Image
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

log = structlog.get_logger(__name__)

FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS = 0.1, 5.0
KILL_SECONDS = 5.0
TAIL_BYTES = 16 * 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all attempts of a runner share."""

    containers: Containers
    registries: Registries
    log_bytes: int
    clean: Callable[[AttemptId], None] = lambda _attempt: None
    """Told of attempts whose container is to be removed."""


class CannotStart(Exception):
    """The program will not run; the text says why."""


class ContainerRun:
    """The container of one attempt."""

    def __init__(
        self,
        shared: Surroundings,
        section: DockerComponent,
        image: Image,
        execution: Execution,
        adopted: Adopted | None,
        sink: LogSink,
    ) -> None:
        self._shared = shared
        self._containers = shared.containers
        self._section = section
        self._image = image
        self._execution = execution
        self._handle = None if adopted is None else Handle.read(adopted.handle)
        self._sink = sink
        self._position, self._lines = Position(), LongLines()
        self._tail, self._total = b"", 0
        self.name = container_name(self._containers.installation, execution.job_id, execution.attempt)
        self.container: str | None = None
        """Its id, once its program was started."""
        self.masked = secret_forms(execution.secrets)
        self.kept = asyncio.Event()
        """Set once another runner could continue the attempt."""

    async def work(self) -> Outcome:
        """Start the program, unless an earlier runner did; then follow it to its end."""
        try:
            if self._handle is None or not self._handle.was_started:
                await self._start_in_time()
                self._execution.started()
            else:
                await self._recall(self._handle)
            container = await self._follow()
        except CannotStart as error:
            return Outcome(JobStatus.ERROR, str(error), ErrorKind.INTERNAL)
        return await self._outcome(container)

    async def _recall(self, handle: Handle) -> None:
        self.kept.set()
        await self._check_engine(handle)
        self.container = handle.container

    async def _check_engine(self, handle: Handle | None) -> str:
        """The engine's id; raises ExecutionLost if the container is at another one."""
        engine = await self._patiently(self._containers.engine.id)
        if handle is not None and handle.engine != engine:
            raise ExecutionLost("its container is on another Docker engine")
        return engine

    async def _start_in_time(self) -> None:
        seconds = self._section.start_timeout_seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                await self._start()
        except TimeoutError:
            if not limit.expired():
                raise
            raise CannotStart(f"the container did not start within {duration_text(seconds)}") from None
        except PullFailed as error:
            raise CannotStart(f"the image cannot be pulled: {error}") from None
        except EngineRefused as error:
            raise CannotStart(f"the container cannot be started: {error}") from None

    async def _start(self) -> None:
        engine = await self._check_engine(self._handle)
        handle = Handle(engine, self.name, self._execution.environment.get("ORCHESTRATOR_TOKEN"))
        await self._keep(handle)
        seq = await self._patiently(self._try_start)
        await self._keep(replace(handle, log_seq=seq))

    async def _try_start(self) -> int:
        # An earlier runner may have started it, or an earlier try whose answer was lost.
        container = await self._started_already() or await self._create()
        seq = await self._sink.mark()
        await self._containers.start(container)
        self.container = container
        return seq

    async def _keep(self, handle: Handle) -> None:
        if self._execution.record is not None:
            await self._execution.record.keep_handle(handle.stored())
            self.kept.set()

    async def _started_already(self) -> str | None:
        """The container if its program was started; one that was only created is removed.

        An earlier runner that still lives may hold its id, but then it starts nothing: the id is gone.
        """
        found = await self._containers.find(self.name)
        if found is None:
            return None
        if found.was_started:
            return found.id
        try:
            await self._containers.remove(found.id, even_if_running=False)
        except EngineRefused as error:
            if error.status != CONFLICT:
                raise
            raise EngineUnreachable("the container is being started or removed") from None
        return None

    async def _create(self) -> str:
        shared, execution = self._shared, self._execution
        await ensure_image(
            self._containers.engine,
            self._image,
            shared.registries,
            self._tell,
            asyncio.get_running_loop().time,
        )
        body = create_body(
            self._section,
            self._image,
            execution,
            installation=self._containers.installation,
            log_bytes=shared.log_bytes,
        )
        try:
            return await self._containers.create(
                self.name, body, input_archive(execution, self._section.user)
            )
        except EngineRefused as error:
            if error.status != CONFLICT:
                raise
            raise EngineUnreachable("the name of the container is taken") from None

    async def _tell(self, text: str) -> None:
        """To the log, before the program starts: what comes later is the program's own."""
        await self._sink.write("stderr", datetime.now(UTC), f"{text}\n".encode())

    async def _follow(self) -> Container:
        """Pass on the log until the program has ended."""
        return await self._patiently(self._try_to_follow)

    async def _try_to_follow(self) -> Container | None:
        assert self.container is not None
        await self._read_log(follow=True)
        container = await self._containers.find(self.container)
        if container is None:
            raise ExecutionLost("its container was removed")
        if container.has_ended:
            # An engine can close a log before the last lines have passed.
            await self._read_log(follow=False)
        return container if container.has_ended else None

    async def _read_log(self, *, follow: bool) -> None:
        assert self.container is not None
        try:
            async for message in self._containers.log(self.container, self._position, follow=follow):
                data = self._lines.data_of(message)
                if message.stream == "stderr":
                    self._total += len(data)
                    self._tail = (self._tail + data)[-TAIL_BYTES:]
                await self._sink.write(message.stream, message.at, data)
        except BrokenLog as error:
            raise EngineUnreachable(f"its log cannot be read: {error}") from None
        except EngineRefused as error:
            if error.status == NOT_FOUND:
                return
            raise EngineUnreachable(f"its log cannot be read: {error}") from None

    async def _outcome(self, container: Container) -> Outcome:
        report = Report()
        if container.exit_code == 0:
            report = await self._patiently(self._try_to_report)
        secrets = secret_forms(self._execution.secrets)
        return decide_end(
            container,
            report,
            last_error_line=last_line(self._tail, is_whole=self._total == len(self._tail), secrets=secrets),
            memory_mb=self._section.memory_mb,
            timeout_seconds=self._execution.timeout_seconds,
        )

    async def _try_to_report(self) -> Report:
        assert self.container is not None
        try:
            return await self._containers.report(self.container)
        except EngineRefused as error:
            if error.status == NOT_FOUND:
                raise ExecutionLost("its container was removed") from None
            raise EngineUnreachable(str(error)) from None

    def can_be_left(self, working: Working) -> bool:
        """See `AttemptElsewhere`."""
        return self.kept.is_set() and not working.done()

    def is_anothers(self, working: Working) -> bool:
        """See `AttemptElsewhere`; a fenced attempt is over here, and the container is not touched."""
        return False

    def ended_early(self, working: Working, cause: StopCause) -> Outcome:
        """See `AttemptElsewhere`; the exit code is known if the program ended in time."""
        has_ended = working.done() and not working.cancelled() and working.exception() is None
        return ended_early(
            cause, self._execution, exit_code=working.result().exit_code if has_ended else None
        )

    async def close(self, working: Working, grace: float, *, leave: bool) -> None:
        """See `AttemptElsewhere`."""
        try:
            if not leave and (not working.done() or _has_broken(working)):
                async with asyncio.timeout(grace + 2 * KILL_SECONDS):
                    await self.stop(working, grace)
        except (EngineUnreachable, EngineRefused, TimeoutError) as error:
            # It is removed as soon as the engine answers.
            log.warning("docker.stop_failed", container=self.name, reason=str(error) or "no time left")
        finally:
            working.cancel()
            await asyncio.wait({working})
            if not leave:
                self._shared.clean((self._execution.job_id, self._execution.attempt))

    async def stop(self, working: Working, grace: float) -> None:
        """SIGTERM, then SIGKILL after the grace period; returns once the program has ended."""
        if self.container is None or working.done():
            working.cancel()
            await asyncio.wait({working})
            await self._containers.remove(self.container or self.name)
            return
        for name, seconds in (("SIGTERM", grace), ("SIGKILL", KILL_SECONDS)):
            if not working.done():
                await self._containers.signal(self.container, name)
                await asyncio.wait({working}, timeout=seconds)

    async def _patiently(self, do: Callable[[], Awaitable[T | None]]) -> T:
        """Again and again, with growing pauses, until the engine answers and there is a result."""
        number, now = 0, asyncio.get_running_loop().time
        while True:
            began = now()
            try:
                result = await do()
            except EngineSilent:
                result = None
            except EngineUnreachable as error:
                result = None
                log.warning("docker.engine_unreachable", container=self.name, reason=str(error))
            if result is not None:
                return result
            number = 0 if now() - began > MOST_DELAY_SECONDS else number + 1
            await asyncio.sleep(min(FIRST_DELAY_SECONDS * 2.0**number, MOST_DELAY_SECONDS))


def _has_broken(working: Working) -> bool:
    """Whether following failed although the container may still run, and is not another runner's."""
    error = error_of(working)
    return error is not None and not isinstance(error, ExecutionLost | UserError)
