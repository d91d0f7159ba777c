"""Runs components in containers; each attempt is a container of its own, found again by its name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

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
from orchestrator_runner.executors.elsewhere import ElsewhereExecutor, section_of
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    LogSink,
    Underway,
)
from orchestrator_shared.definitions.docker_component import DockerComponent

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


class DockerExecutor(ElsewhereExecutor):
    """The container continues whatever happens here, so another runner can adopt it."""

    lost_grace_seconds = 0.0

    def __init__(
        self, engine: DockerEngine, settings: DockerSettings, owns: Callable[[], bool], underway: Underway
    ) -> None:
        super().__init__(owns, settings.grace_seconds)
        containers = Containers(engine, settings.installation)
        self._settings = settings
        self._cleaning = Cleaning(containers, underway, settings.clean_seconds)
        self._shared = Surroundings(containers, settings.registries, settings.log_bytes, self._cleaning.add)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: DockerSettings,
        *,
        owns: Callable[[], bool] = lambda: True,
        underway: Underway = _none_underway,
    ) -> AsyncIterator["DockerExecutor"]:
        """Run attempts until closed; then leave the remaining ones to other runners, or end them."""
        engine = DockerEngine(settings.address)
        executor = cls(engine, settings, owns, underway)
        cleaning = asyncio.create_task(executor._cleaning.run())
        try:
            yield executor
        finally:
            await executor._close()
            cleaning.cancel()
            await asyncio.wait({cleaning})
            await executor._clean_at_last()
            await engine.close()

    async def _clean_at_last(self) -> None:
        # What is left is found by another runner, or by this one when it starts again.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(KILL_SECONDS):
                await self._cleaning.once()

    async def reconcile(self, underway: Underway) -> None:
        """See `Executor`; while the engine does not answer, it is done later."""
        try:
            await self._cleaning.reconcile(underway)
        except (EngineUnreachable, EngineRefused) as error:
            log.warning("docker.cleaning_failed", reason=str(error))
            self._cleaning.reconcile_later()

    def _attempt(self, execution: Execution, adopted: Adopted | None, log: LogSink) -> ContainerRun:
        section = section_of(DockerComponent, execution, "docker")
        image = self._settings.images.require(section.image, field="docker.image")
        return ContainerRun(self._shared, section, image, execution, adopted, log)
