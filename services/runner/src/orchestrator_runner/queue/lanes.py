"""Lanes: finding, locking and promoting (docs/explanation/lanes.md)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import asyncpg

from orchestrator_runner.queue.rows import TransitionedJob
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store

LaneKey = tuple[str, str, str]
"""Project, component, configuration."""


@dataclass(frozen=True, slots=True)
class _Lane:
    id: int
    project: str
    component: str
    configuration: str

    @property
    def key(self) -> LaneKey:
        return (self.project, self.component, self.configuration)


class LaneStore(Store):
    """The rows of lanes, and the jobs that hold or wait for them."""

    queries = Queries.load(__package__, "lanes.sql")

    async def ids(self, *, keys: Collection[LaneKey]) -> dict[LaneKey, int]:
        """The ids of these lanes, creating the missing ones; see `Lanes.ensure`."""
        columns = lane_columns(sorted(keys))
        await self._run("ensure_lanes", **columns)
        return {lane.key: lane.id for lane in await self._many(_Lane, "find_lanes", **columns)}

    async def lock(self, *, lanes: Iterable[int]) -> None:
        """Lock these lanes in id order; read what they guard in a later statement."""
        await self._run("lock_lanes", lanes=sorted(set(lanes)))

    async def take_number(self, *, lane: int) -> int:
        """Take the next sequence number of a locked lane."""
        number = await self._value(int, "take_number", lane=lane)
        assert number is not None, "lanes are never deleted"
        return number

    async def promote(self, *, lanes: Iterable[int]) -> list[TransitionedJob]:
        """Make the earliest due waiting job of each locked, free lane ready."""
        return await self._many(TransitionedJob, "promote", lanes=sorted(set(lanes)))

    async def with_due_jobs(self) -> list[int]:
        """Free lanes with a job whose delay between attempts is over."""
        return await self._column(int, "lanes_with_due_jobs")


class Lanes:
    """Caches lane ids: lane rows are never deleted."""

    def __init__(self) -> None:
        self._known: dict[LaneKey, int] = {}

    async def ensure(self, connection: asyncpg.Connection, keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
        """Return the ids of these lanes, creating the missing ones.

        Call it outside a transaction that holds lane locks: inserting a lane locks it too, out of order.
        """
        wanted = set(keys)
        if missing := wanted - self._known.keys():
            self._known |= await LaneStore(connection).ids(keys=missing)
        return {key: self._known[key] for key in wanted}


def lane_columns(keys: Iterable[LaneKey]) -> dict[str, list[str]]:
    """The arguments of a statement that takes configurations as three arrays."""
    projects, components, configurations = map(list, zip(*keys, strict=True))
    return {"projects": projects, "components": components, "configurations": configurations}
