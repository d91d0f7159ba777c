"""What is wrong with an orchestration, or worth a look, although it can be saved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator_shared.domain.ids import ORCHESTRATOR

Key = tuple[str, str]
"""Component and configuration."""
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A configuration that a task runs, as it is stored now."""

    enabled: bool = True
    parameters: Given = field(default_factory=dict)
    tasks: int = 0
    """Of a nested orchestration."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class TableNames:
    """Which parameters of a component name tables."""

    reads: Sequence[str] = ()
    writes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the definition itself."""

    targets: Mapping[Key, Target]
    """Configurations that are there; deleted ones are not."""
    components: Mapping[str, TableNames]
    written: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    """Tables that past jobs of a configuration reported."""
    cycle: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Errors keep a run from succeeding; warnings are for a person to judge."""

    errors: list[str]
    warnings: list[str]


def check_phases(phases: Sequence[Given], facts: Facts) -> Findings:
    """Everything that can be known without running it."""
    errors: list[str] = []
    warnings: list[str] = []
    if facts.cycle:
        errors.append(f"orchestrations run each other in a cycle: {' → '.join(facts.cycle)}")
    for phase in phases:
        for task in phase["tasks"]:
            (errors if task["enabled"] else warnings).extend(_broken(task, facts))
            warnings.extend(_disabled(task, facts))
        warnings.extend(_serialized(phase))
        warnings.extend(_reading_while_written(phase, facts))
    warnings.extend(_inactive(phases))
    warnings.extend(_unreachable(phases, facts))
    return Findings(errors, warnings)


def _broken(task: Given, facts: Facts) -> Iterator[str]:
    key = _key(task)
    target = facts.targets.get(key)
    if task["component"] not in facts.components:
        yield f"task {task['id']!r}: there is no component {task['component']!r}"
    elif target is None:
        yield f"task {task['id']!r}: the configuration {_shown(key)} is deleted"
    elif key[0] == ORCHESTRATOR and not target.tasks:
        yield f"task {task['id']!r}: the orchestration {key[1]!r} has no tasks, so it cannot be run"
    elif (version := _pinned(task)) > target.version:
        newest = f"the newest is {target.version}"
        yield f"task {task['id']!r}: there is no version {version} of {_shown(key)}; {newest}"


def _pinned(task: Given) -> int:
    version = (task.get("parameters") or {}).get("version")
    return version if isinstance(version, int) else 0


def _disabled(task: Given, facts: Facts) -> Iterator[str]:
    target = facts.targets.get(_key(task))
    if task["enabled"] and target is not None and not target.enabled:
        yield f"task {task['id']!r} runs {_shown(_key(task))}, which is disabled: it runs nevertheless"


def _serialized(phase: Given) -> Iterator[str]:
    tasks: dict[Key, list[str]] = defaultdict(list)
    for task in _active(phase):
        tasks[_key(task)].append(task["id"])
    for key, ids in tasks.items():
        if len(ids) > 1:
            yield (
                f"phase {phase['name']!r}: {_and(ids)} run the same configuration {_shown(key)}: "
                "they will be serialized"
            )


def _reading_while_written(phase: Given, facts: Facts) -> Iterator[str]:
    """A reader and a writer of one table beside each other: nobody knows what the reader sees."""
    writers: dict[str, list[Given]] = defaultdict(list)
    for task in _active(phase):
        for table in _writes(task, facts):
            writers[table].append(task)
    for reader in _active(phase):
        for table in sorted(_named(reader, facts, "reads")):
            others = [task["id"] for task in writers[table] if _key(task) != _key(reader)]
            if others:
                yield (
                    f"phase {phase['name']!r}: {reader['id']!r} reads {table}, which {_and(others)} "
                    f"write{'s' if len(others) == 1 else ''} at the same time: put it into a later phase"
                )


def _writes(task: Given, facts: Facts) -> set[str]:
    return _named(task, facts, "writes") | facts.written.get(_key(task), frozenset())


def _named(task: Given, facts: Facts, what: str) -> set[str]:
    """The tables that parameters name; Task Parameters go before the configuration's."""
    names: Sequence[str] = getattr(facts.components.get(task["component"], TableNames()), what)
    target = facts.targets.get(_key(task), Target())
    own = (task.get("parameters") or {}).get("parameters")
    found: set[str] = set()
    for name in names:
        if "#" in name:  # a secret is never told
            continue
        value = _value(own, name)
        found.update(_texts(_value(target.parameters, name) if value is None else value))
    return found


def _value(parameters: Any, name: str) -> Any:
    """The parameter itself, or where its dots lead; lists on the way are gone through."""
    if isinstance(parameters, list):
        return [_value(item, name) for item in parameters]
    if not isinstance(parameters, Mapping):
        return None
    if name in parameters:
        return parameters[name]
    first, dot, rest = name.partition(".")
    return _value(parameters.get(first), rest) if dot else None


def _texts(value: Any) -> Iterator[str]:
    """Names of tables; a placeholder is known only when it runs."""
    if isinstance(value, str) and "{{" not in value:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _inactive(phases: Sequence[Given]) -> Iterator[str]:
    asleep = [phase["name"] for phase in phases if not _active(phase)]
    if phases and len(asleep) == len(phases):
        yield "every task is inactive: a run does nothing"
        return
    for name in asleep:
        yield f"phase {name!r}: all of its tasks are inactive, so it is passed over"


def _unreachable(phases: Sequence[Given], facts: Facts) -> Iterator[str]:
    """Phases after a task that certainly fails."""
    for index, phase in enumerate(phases[:-1]):
        blocking = [
            task["id"]
            for task in _active(phase)
            if not task["continue_on_failure"] and any(_broken(task, facts))
        ]
        if blocking:
            later = [each["name"] for each in phases[index + 1 :]]
            yield f"never reached: {_and(later)}, because {_and(blocking)} cannot run"
            return


def written_tables(phases: Iterable[Given], facts: Facts) -> set[str]:
    """The tables that these tasks are known to write, active or not."""
    return {table for phase in phases for task in phase["tasks"] for table in _writes(task, facts)}


def tables_matter(phases: Iterable[Given]) -> set[Key]:
    """The configurations that run beside others, so that it matters which tables they read and write."""
    return {_key(task) for phase in phases if len(_active(phase)) > 1 for task in _active(phase)}


def _active(phase: Given) -> list[Given]:
    return [task for task in phase["tasks"] if task["enabled"]]


def _key(task: Given) -> Key:
    return task["component"], task["configuration"]


def _shown(key: Key) -> str:
    return f"{key[0]}/{key[1]}"


def _and(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names[:10]]
    if len(names) > 10:
        quoted.append(f"{len(names) - 10} more")
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
