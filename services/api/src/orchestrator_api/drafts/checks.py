"""What a draft is warned of, each on its card and with a remedy that can be sent as it is. Pure."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from orchestrator_api.orchestrations.findings import MAX_OF_A_KIND, Finding, Found
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.arranging import PHASE_NAMES, Types
from orchestrator_shared.definitions.operations import (
    MoveTasks,
    Operation,
    RemovePhase,
    RemoveTasks,
    SetTasks,
    TaskValues,
)
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import ComponentType

Level = Literal["error", "warning"]
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What helps, and the operations that do it."""

    label: str
    operations: Sequence[JsonObject]

    @classmethod
    def of(cls, label: str, operation: Operation) -> "Remedy":
        """The remedy, as it is sent."""
        return cls(label, [operation.model_dump(mode="json", exclude_unset=True)])


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to judge; an error is what a save would refuse."""

    id: str
    level: Level
    kind: str
    text: str
    task: str | None
    """The card that it is about; without a task it is the phase, without either the whole."""
    phase: int | None
    remedy: Remedy | None = None
    kept: bool = False


def find(phases: Sequence[Given], found: Found, types: Types, kept: Collection[str]) -> list[Check]:
    """Errors first; what was found in a saved definition, and what only an editor is told."""
    board = _Board(phases, types)
    known = [*found.errors, *found.warnings]
    ordered = {task for each in known if each.kind == "unordered" for task in each.tasks}
    checks = [
        *(each for finding in known for each in board.of(finding)),
        *islice(board.too_early(ordered), MAX_OF_A_KIND),
        *islice(board.twice(), MAX_OF_A_KIND),
        *islice(board.empty(), MAX_OF_A_KIND),
    ]
    shown = [replace(each, kept=each.level == "warning" and each.id in kept) for each in checks]
    return sorted(shown, key=lambda each: each.level != "error")


def _id(kind: str, *parts: object) -> str:
    """The same as long as the same is found, wherever the cards move."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
    return f"{kind}-{digest[:12]}"


class _Board:
    def __init__(self, phases: Sequence[Given], types: Types) -> None:
        self._phases = phases
        self._types = types
        self._tasks = {task["id"]: task for phase in phases for task in phase["tasks"]}
        self._names = {name: task["name"] for name, task in self._tasks.items()}
        self._places = {task["id"]: index for index, phase in enumerate(phases) for task in phase["tasks"]}

    def of(self, finding: Finding) -> Iterator[Check]:
        """The check of what was found."""
        match finding.kind:
            case "cycle":
                yield self._cycle(finding)
            case "missing":
                text = f"{_sentence(finding.reason)} Restore it, or remove the task."
                yield self._check(finding, text, level="error", remedy=_remove(finding.tasks))
            case "not_runnable":
                text = f"{_sentence(finding.reason)} The task cannot run."
                yield self._check(finding, text, remedy=_deactivate(finding.tasks))
            case "disabled":
                text = "Its configuration is disabled. The task runs anyway, unless you make it inactive."
                yield self._check(finding, text, remedy=_deactivate(finding.tasks))
            case "same_configuration":
                yield self._serialized(finding)
            case "unordered":
                yield self._unordered(finding)
            case "inactive":
                yield self._inactive(finding)
            case "unreachable":
                text = f"Never reached, because {self._some(finding.tasks)} cannot run."
                yield replace(self._check(finding, text), task=None, phase=finding.phase)
            case "more":
                yield self._check(finding, _sentence(finding.text))

    def _cycle(self, finding: Finding) -> Check:
        text = f"Orchestrations would run each other in a cycle: {finding.reason}. Remove this task."
        return self._check(finding, text, level="error", remedy=_remove(finding.tasks))

    def _serialized(self, finding: Finding) -> Check:
        first, second, *_ = finding.tasks
        text = (
            f"Runs the same configuration as {self._names[first]} in this same phase. "
            "One waits for the other."
        )
        is_same = _runs(self._tasks[first]) == _runs(self._tasks[second])
        remedy = _remove([second]) if is_same else self._after(second)
        identifier = _id(finding.kind, first, second)
        return Check(identifier, "warning", finding.kind, text, second, finding.phase, remedy)

    def _unordered(self, finding: Finding) -> Check:
        (reader,), others = finding.tasks, finding.others
        verb = "writes" if len(others) == 1 else "write"
        text = (
            f"Reads {finding.table}, which {self._some(others)} {verb} in this same phase. "
            "Their order is not guaranteed."
        )
        identifier = _id(finding.kind, reader, finding.table)
        remedy = self._after(reader)
        return Check(identifier, "warning", finding.kind, text, reader, finding.phase, remedy)

    def _inactive(self, finding: Finding) -> Check:
        chosen = self._phases if finding.phase is None else [self._phases[finding.phase]]
        tasks = [task["id"] for phase in chosen for task in phase["tasks"]]
        if finding.phase is None:
            text, name = "Every task is inactive: a run does nothing.", ""
        else:
            text = "All tasks of this phase are inactive, so it is skipped."
            name = chosen[0]["name"]
        remedy = Remedy.of("Make them active", _set(tasks, enabled=True))
        return Check(_id("inactive", name), "warning", "inactive", text, None, finding.phase, remedy)

    def too_early(self, told: Collection[str]) -> Iterator[Check]:
        """Tasks that probably need what another task of their phase makes, by the types of components."""
        for index, phase in enumerate(self._phases):
            active = [task for task in phase["tasks"] if task["enabled"]]
            for wanted, before in _NEEDS.items():
                makers = [task for task in active if self._type(task) in before]
                for task in active if makers else ():
                    if self._type(task) is wanted and task["id"] not in told:
                        yield self._early(index, task, makers)

    def _early(self, index: int, task: Given, makers: Sequence[Given]) -> Check:
        first = makers[0]
        more = f" and {len(makers) - 1} more" if len(makers) > 1 else ""
        verb = "writes" if len(makers) == 1 else "write"
        own, other = self._type(task).value, self._type(first).value
        text = (
            f"This is {_a(own)}, and {first['name']} ({other}){more} {verb} in this same phase what it may "
            "need. Their order is not guaranteed."
        )
        identifier, remedy = _id("too_early", task["id"], first["id"]), self._after(task["id"])
        return Check(identifier, "warning", "too_early", text, task["id"], index, remedy)

    def twice(self) -> Iterator[Check]:
        """Configurations that run in more than one phase, with the same parameters."""
        first: dict[tuple[str, str, str], tuple[int, Given]] = {}
        active = (
            (i, task) for i, phase in enumerate(self._phases) for task in phase["tasks"] if task["enabled"]
        )
        for index, task in active:
            place, other = first.setdefault(_runs(task), (index, task))
            if place != index:
                where = f"{other['name']} in {self._phases[place]['name']}"
                text = f"Runs the same configuration as {where}: it runs twice."
                identifier, remedy = _id("twice", task["id"], other["id"]), _remove([task["id"]])
                yield Check(identifier, "warning", "twice", text, task["id"], index, remedy)

    def empty(self) -> Iterator[Check]:
        """Phases without tasks."""
        for index, phase in enumerate(self._phases):
            if not phase["tasks"]:
                remedy = Remedy.of("Remove it", RemovePhase(operation="remove_phase", phase=index))
                text = "This phase is empty. Empty phases are not saved."
                yield Check(_id("empty", phase["name"]), "warning", "empty", text, None, index, remedy)

    def _check(
        self, finding: Finding, text: str, *, level: Level = "warning", remedy: Remedy | None = None
    ) -> Check:
        task = finding.tasks[0] if finding.tasks else None
        phase = finding.phase if task is None else self._places[task]
        identifier = _id(finding.kind, *(finding.tasks or [finding.text]))
        return Check(identifier, level, finding.kind, text, task, phase, remedy if finding.tasks else None)

    def _after(self, task: str) -> Remedy:
        """A phase of its own, right after the one that it is in."""
        move = MoveTasks(
            operation="move_tasks", tasks=[task], to=self._own_phase(task), after=self._places[task]
        )
        return Remedy.of("Move to a phase after it", move)

    def _own_phase(self, task: str) -> str | None:
        """Named for the type of its component, if no phase is called so."""
        name = PHASE_NAMES[self._type(self._tasks[task])]
        return None if any(phase["name"] == name for phase in self._phases) else name

    def _type(self, task: Given) -> ComponentType:
        if task["component"] == ORCHESTRATOR:
            return ComponentType.ORCHESTRATOR
        return self._types.get(task["component"], ComponentType.APPLICATION)

    def _some(self, tasks: Sequence[str]) -> str:
        names = [self._names.get(task, task) for task in tasks]
        if len(names) == 1:
            return str(names[0])
        if len(names) > 3:
            return f"{', '.join(names[:3])} and {len(names) - 3} more"
        return f"{', '.join(names[:-1])} and {names[-1]}"


_NEEDS: Mapping[ComponentType, Collection[ComponentType]] = {
    ComponentType.TRANSFORMATION: (ComponentType.EXTRACTOR,),
    ComponentType.WRITER: (ComponentType.EXTRACTOR, ComponentType.TRANSFORMATION),
}
"""Which types usually make what another type needs."""


def _runs(task: Given) -> tuple[str, str, str]:
    """What the task runs, with which parameters."""
    return task["component"], task["configuration"], json.dumps(task["parameters"], sort_keys=True)


def _remove(tasks: Sequence[str]) -> Remedy:
    return Remedy.of("Remove the task", RemoveTasks(operation="remove_tasks", tasks=list(tasks)))


def _deactivate(tasks: Sequence[str]) -> Remedy:
    return Remedy.of("Make it inactive", _set(tasks, enabled=False))


def _set(tasks: Sequence[str], *, enabled: bool) -> SetTasks:
    return SetTasks(operation="set_tasks", tasks=list(tasks), values=TaskValues(enabled=enabled))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
