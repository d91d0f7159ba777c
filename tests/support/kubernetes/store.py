"""The objects of the fake cluster, with versions, and the history that watches are told."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object."""

    version: int
    resource: str
    type: str
    object: Mapping[str, Any]


class Store:
    """Objects by resource and name."""

    def __init__(self) -> None:
        self.version = 1000
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.history: list[Change] = []
        self.oldest = 1000
        """Changes before this version are no longer kept."""
        self.changed = asyncio.Condition()

    def put(self, resource: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Create or replace; the object as stored."""
        name = data["metadata"]["name"]
        kind = "MODIFIED" if (resource, name) in self.objects else "ADDED"
        stored = self._stamped(data)
        self.objects[resource, name] = stored
        self._tell(resource, kind, stored)
        return stored

    def remove(self, resource: str, name: str, last: Mapping[str, Any] | None = None) -> None:
        """Delete, with the last state that the watch tells."""
        before = self.objects.pop((resource, name), None)
        if before is not None:
            self._tell(resource, "DELETED", self._stamped(last or before))

    def get(self, resource: str, name: str) -> dict[str, Any] | None:
        return self.objects.get((resource, name))

    def find(self, resource: str, matches: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
        return [data for (kind, _), data in self.objects.items() if kind == resource and matches(data)]

    def forget_history(self) -> None:
        """As after a compaction: watches from before get 410."""
        self.history.clear()
        self.version += 1
        self.oldest = self.version

    async def wake(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def _stamped(self, data: Mapping[str, Any]) -> dict[str, Any]:
        self.version += 1
        return {**data, "metadata": {**data["metadata"], "resourceVersion": str(self.version)}}

    def _tell(self, resource: str, kind: str, data: Mapping[str, Any]) -> None:
        self.history.append(Change(self.version, resource, kind, data))
        task = asyncio.get_running_loop().create_task(self.wake())
        _WAKING.add(task)
        task.add_done_callback(_WAKING.discard)


_WAKING: set[asyncio.Task[None]] = set()
