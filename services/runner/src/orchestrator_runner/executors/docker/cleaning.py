"""Removes containers once their attempts are over: not before their results are stored."""

import asyncio
from collections.abc import Collection

import structlog

from orchestrator_runner.executors.docker.containers import Containers
from orchestrator_runner.executors.docker.engine import EngineRefused, EngineUnreachable
from orchestrator_runner.executors.docker.spec import container_name
from orchestrator_runner.executors.port import AttemptId, Underway

log = structlog.get_logger(__name__)


class Cleaning:
    """Removes what this runner's attempts used, and on request whatever else is left."""

    def __init__(self, containers: Containers, underway: Underway, every_seconds: float) -> None:
        self._containers = containers
        self._underway = underway
        self._every_seconds = every_seconds
        self._ended: set[AttemptId] = set()
        self._has_ended = asyncio.Event()
        self._must_reconcile = False

    def add(self, attempt: AttemptId) -> None:
        """This runner's work on the attempt has ended; remove its container when the result is stored."""
        self._ended.add(attempt)
        self._has_ended.set()

    def reconcile_later(self) -> None:
        """Look for everything that is left, as soon as the engine answers."""
        self._must_reconcile = True
        self._has_ended.set()

    async def run(self) -> None:
        """Remove until cancelled."""
        while True:
            await self._has_ended.wait()
            try:
                await self.once()
            except (EngineUnreachable, EngineRefused) as error:
                log.warning("docker.cleaning_failed", reason=str(error))
            except Exception:
                log.exception("docker.cleaning_broken")
            await asyncio.sleep(self._every_seconds)

    async def once(self) -> None:
        """Remove the containers of attempts that are over by now."""
        if self._must_reconcile:
            await self.reconcile(self._underway)
            self._must_reconcile = False
        over = await self._over(self._ended)
        for attempt in over:
            await self._containers.remove(container_name(self._containers.installation, *attempt))
            self._ended.discard(attempt)
        if not self._ended and not self._must_reconcile:
            self._has_ended.clear()

    async def reconcile(self, underway: Underway) -> None:
        """Remove all containers and volumes of attempts that are over, whoever created them."""
        # Listed first: an attempt is underway before its container is created.
        containers = await self._containers.all()
        volumes = await self._containers.abandoned_volumes()
        known = set(await underway({*containers.values(), *volumes.values()}))
        orphans = [container for container, attempt in containers.items() if attempt not in known]
        for container in orphans:
            await self._containers.remove(container)
        for volume, attempt in volumes.items():
            if attempt not in known:
                await self._containers.remove_volume(volume)
        if orphans:
            log.info("docker.orphans_removed", containers=len(orphans))

    async def _over(self, attempts: Collection[AttemptId]) -> set[AttemptId]:
        if not attempts:
            return set()
        asked = set(attempts)
        return asked - set(await self._underway(asked))
