"""Encrypts parameters for the configurations that receive them, at any depth of nesting."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator_api.catalog import overrides
from orchestrator_api.catalog.configurations import Key, secret_place
from orchestrator_api.catalog.overrides import Override, own_override
from orchestrator_api.catalog.phases import Json, stored_tasks
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.security import mask_secrets

Place = tuple[str, ...]


async def sealed_parameters(session: Session, given: Override, kept: Collection[str] = ()) -> JsonObject:
    """The parameters of one run; those in `kept` stay what they were for."""
    receivers = {(): given.key, **await _receivers(session, [given])}
    return _Sealer(session, receivers, "parameters", kept).below(given.parameters, ())


async def sealed_phases(session: Session, phases: Sequence[Json], kept: Collection[str]) -> list[JsonObject]:
    """The phases of an orchestration; secrets in `kept` stay what they were for."""
    tasks = stored_tasks({"phases": phases})
    receivers: dict[Place, Key] = {
        (task["id"],): Key(task["component"], task["configuration"]) for task in tasks
    }
    own = [(task["id"], own_override(task, "phases")) for task in tasks]
    found = [replace(each, place=(name,)) for name, each in own if each is not None]
    receivers |= await _receivers(session, found)
    sealer = _Sealer(session, receivers, "phases", kept)
    return [{**phase, "tasks": [sealer.task(task) for task in phase["tasks"]]} for phase in phases]


async def _receivers(session: Session, given: Sequence[Override]) -> dict[Place, Key]:
    """Who receives the parameters of nested orchestrations, by the ids of the tasks that lead there."""
    nested = [each for each in given if each.key.component == ORCHESTRATOR and _holds_secret(each.parameters)]
    return {each.place: each.key async for each in overrides.receivers(session, nested)}


def _holds_secret(parameters: Json) -> bool:
    return bool(mask_secrets(parameters) != parameters)


@dataclass(frozen=True, slots=True)
class _Sealer:
    session: Session
    receivers: Mapping[Place, Key]
    field: str
    kept: Collection[str]

    def task(self, task: Json) -> JsonObject:
        """A task, with its Task Parameters."""
        place = (task["id"],)
        given = task.get("parameters") or {}
        parameters = {
            name: self.below(item, place)
            if name == "parameters" and isinstance(item, Mapping)
            else self._item(name, item, place)
            for name, item in given.items()
        }
        return {**task, "parameters": parameters}

    def below(self, parameters: Json, place: Place) -> JsonObject:
        """Parameters at this place: of a nested orchestration, those of a task are for what it runs."""
        return {
            name: self.below(item, (*place, name))
            if (*place, name) in self.receivers
            else self._item(name, item, place)
            for name, item in parameters.items()
        }

    def _item(self, name: str, item: Any, place: Place) -> Any:
        own = secret_place(self.session, self.receivers[place])
        return self.session.encrypted({name: item}, own, self.field, self.kept)[name]
