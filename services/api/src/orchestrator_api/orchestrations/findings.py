"""Finds errors and warnings in an orchestration that do not prevent saving it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Literal

from orchestrator_shared.definitions.nesting import format_cycle
from orchestrator_shared.domain.ids import ORCHESTRATOR

MAX_OF_A_KIND = 100
MAX_MENTIONS = 200_000
"""Limit on how often the tasks of one phase may mention tables."""
MAX_OTHERS = 10

Key = tuple[str, str]
"""Component and configuration."""
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A configuration that a task runs, as it is stored now."""

    enabled: bool = True
    parameters: Given = field(default_factory=dict)
    tasks: int = 0
    """How many tasks a nested orchestration has."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class TableNames:
    """The parameters of a component that name tables."""

    reads: Sequence[str] = ()
    writes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known apart from the definition itself."""

    targets: Mapping[Key, Target]
    """The configurations that exist and are not deleted."""
    components: Mapping[str, TableNames]
    written: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    """Tables that past jobs of a configuration reported."""
    cycle: Sequence[str] | None = None
    with_tables: bool = True
    """Whether the tables that tasks read and write are known, and to be compared."""


Kind = Literal[
    "cycle",
    "missing",
    "not_runnable",
    "disabled",
    "same_configuration",
    "unordered",
    "inactive",
    "unreachable",
    "more",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what it is about."""

    kind: Kind
    text: str
    tasks: tuple[str, ...] = ()
    """Their ids."""
    phase: int | None = None
    """Its index."""
    others: tuple[str, ...] = ()
    """Of tasks that read what others write: those others."""
    table: str | None = None
    reason: str = ""
    """The text without what it is about."""


@dataclass(frozen=True, slots=True)
class Found:
    """Errors keep a run from succeeding; warnings are worth a look."""

    errors: list[Finding]
    warnings: list[Finding]


@dataclass(frozen=True, slots=True)
class Findings:
    """The same in words."""

    errors: list[str]
    warnings: list[str]


def check_phases(phases: Sequence[Given], facts: Facts) -> Findings:
    """Report what can be found without running it; at most a hundred findings of each kind."""
    found = find_all(phases, facts)
    return Findings([each.text for each in found.errors], [each.text for each in found.warnings])


def find_all(phases: Sequence[Given], facts: Facts) -> Found:
    """The same, with what each finding is about."""
    tasks = [task for phase in phases for task in phase["tasks"]]
    active, inactive = ([task for task in tasks if task["enabled"] is wanted] for wanted in (True, False))
    named = _Named(facts)
    compared = phases if facts.with_tables else ()
    warnings = (
        (each for task in inactive for each in _broken(task, facts)),
        (each for task in active for each in _disabled(task, facts)),
        (each for index, phase in enumerate(phases) for each in _serialized(index, phase)),
        (each for place in enumerate(compared) for each in _reading_while_written(*place, named)),
        _inactive(phases),
        _unreachable(phases, facts),
    )
    errors = _first(each for task in active for each in _broken(task, facts))
    return Found(_in_cycle(tasks, facts) + errors, [each for kind in warnings for each in _first(kind)])


def _first(found: Iterator[Finding]) -> list[Finding]:
    """Limit the findings: a phase of n tasks may produce n² of them, which nobody would read."""
    first = list(islice(found, MAX_OF_A_KIND + 1))
    if len(first) > MAX_OF_A_KIND:
        first[MAX_OF_A_KIND:] = [Finding("more", "and more of this kind: fix these first")]
    return first


def _in_cycle(tasks: Sequence[Given], facts: Facts) -> list[Finding]:
    if not facts.cycle:
        return []
    closing = [task["id"] for task in tasks if _key(task) == (ORCHESTRATOR, facts.cycle[1])]
    shown = format_cycle(facts.cycle)
    text = f"orchestrations run each other in a cycle: {shown}"
    return [Finding("cycle", text, tuple(closing), reason=shown)]


def _broken(task: Given, facts: Facts) -> Iterator[Finding]:
    found = _why_broken(task, facts)
    if found is not None:
        kind, reason = found
        yield Finding(kind, f"task {task['id']!r}: {reason}", (task["id"],), reason=reason)


def _why_broken(task: Given, facts: Facts) -> tuple[Literal["missing", "not_runnable"], str] | None:
    key = _key(task)
    target = facts.targets.get(key)
    if task["component"] not in facts.components:
        return "missing", f"there is no component {task['component']!r}"
    if target is None:
        return "missing", f"the configuration {_shown(key)} is deleted"
    if key[0] == ORCHESTRATOR and not target.tasks:
        return "not_runnable", f"the orchestration {key[1]!r} has no tasks, so it cannot be run"
    if (version := _pinned(task)) > target.version:
        newest = f"the newest is {target.version}"
        return "not_runnable", f"there is no version {version} of {_shown(key)}; {newest}"
    return None


def _pinned(task: Given) -> int:
    version = (task.get("parameters") or {}).get("version")
    return version if isinstance(version, int) else 0


def _disabled(task: Given, facts: Facts) -> Iterator[Finding]:
    target = facts.targets.get(_key(task))
    if task["enabled"] and target is not None and not target.enabled:
        text = f"task {task['id']!r} runs {_shown(_key(task))}, which is disabled: it runs anyway"
        yield Finding("disabled", text, tasks=(task["id"],))


def _serialized(index: int, phase: Given) -> Iterator[Finding]:
    tasks: dict[Key, list[str]] = defaultdict(list)
    for task in _active(phase):
        tasks[_key(task)].append(task["id"])
    for key, ids in tasks.items():
        if len(ids) > 1:
            text = (
                f"phase {phase['name']!r}: {_and(ids)} run the same configuration {_shown(key)}: "
                "they will run one after another"
            )
            yield Finding("same_configuration", text, tasks=tuple(ids), phase=index)


class _Named:
    """The tables that parameters name: a task's own, or else its configuration's, which are read once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._shared: dict[tuple[Key, str], frozenset[str]] = {}

    def reads(self, task: Given) -> list[frozenset[str]]:
        return self._of(task, "reads")

    def writes(self, task: Given) -> list[frozenset[str]]:
        return [*self._of(task, "writes"), self._facts.written.get(_key(task), frozenset())]

    def _of(self, task: Given, what: str) -> list[frozenset[str]]:
        names: Sequence[str] = getattr(self._facts.components.get(task["component"], TableNames()), what)
        return [self._one(task, name) for name in names if "#" not in name]  # a secret is never shown

    def _one(self, task: Given, name: str) -> frozenset[str]:
        own = _value((task.get("parameters") or {}).get("parameters"), name)
        if own is not None:
            return frozenset(_texts(own))
        place = (_key(task), name)
        if place not in self._shared:
            parameters = self._facts.targets.get(_key(task), Target()).parameters
            self._shared[place] = frozenset(_texts(_value(parameters, name)))
        return self._shared[place]


def _reading_while_written(index: int, phase: Given, named: _Named) -> Iterator[Finding]:
    """Tasks that read a table while another task of the phase writes it, so what they read is undefined."""
    active = _active(phase)
    mentions = sum(len(tables) for task in active for tables in (*named.reads(task), *named.writes(task)))
    if mentions > MAX_MENTIONS:
        reason = "its tasks name too many tables to check which read what others write"
        yield Finding("more", f"phase {phase['name']!r}: {reason}", phase=index)
        return
    writers: defaultdict[str, defaultdict[Key, list[str]]] = defaultdict(lambda: defaultdict(list))
    for task in active:
        for table in _union(named.writes(task)):
            writers[table][_key(task)].append(task["id"])
    for reader in active:
        for table in sorted(_union(named.reads(reader)) & writers.keys()):
            others = (ids for key, ids in writers[table].items() if key != _key(reader))
            names = list(islice(chain.from_iterable(others), MAX_OTHERS + 1))
            if names:
                text = (
                    f"phase {phase['name']!r}: {reader['id']!r} reads {table}, which {_some(names)} "
                    f"write{'s' if len(names) == 1 else ''} at the same time: move it to a later phase"
                )
                yield Finding("unordered", text, (reader["id"],), index, tuple(names), table)


def _some(names: Sequence[str]) -> str:
    """All names if there are few, otherwise the first ones."""
    if len(names) <= MAX_OTHERS:
        return _and(names)
    return f"{', '.join(map(repr, names[:MAX_OTHERS]))} and others"


def _value(parameters: Any, name: str) -> Any:
    """The parameter itself, or the one its dotted path leads to; lists on the way are searched."""
    if isinstance(parameters, list):
        return [_value(item, name) for item in parameters]
    if not isinstance(parameters, Mapping):
        return None
    if name in parameters:
        return parameters[name]
    first, dot, rest = name.partition(".")
    return _value(parameters.get(first), rest) if dot else None


def _texts(value: Any) -> Iterator[str]:
    """The names of tables; skips placeholders, whose values are known only when the job runs."""
    if isinstance(value, str) and "{{" not in value:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _inactive(phases: Sequence[Given]) -> Iterator[Finding]:
    filled = [(index, phase) for index, phase in enumerate(phases) if phase["tasks"]]
    inactive = [(index, phase["name"]) for index, phase in filled if not _active(phase)]
    if filled and len(inactive) == len(filled):
        yield Finding("inactive", "every task is inactive: a run does nothing")
        return
    for index, name in inactive:
        text = f"phase {name!r}: all of its tasks are inactive, so it is skipped"
        yield Finding("inactive", text, phase=index)


def _unreachable(phases: Sequence[Given], facts: Facts) -> Iterator[Finding]:
    """Phases after a task that is certain to fail."""
    for index, phase in enumerate(phases[:-1]):
        blocking = [
            task["id"]
            for task in _active(phase)
            if not task["continue_on_failure"] and any(_broken(task, facts))
        ]
        if blocking:
            later = [each["name"] for each in phases[index + 1 :]]
            text = f"never reached: {_and(later)}, because {_and(blocking)} cannot run"
            yield Finding("unreachable", text, tasks=tuple(blocking), phase=index + 1)
            return


def written_tables(phases: Iterable[Given], facts: Facts) -> set[str]:
    """The tables that these tasks are known to write, active or not."""
    named = _Named(facts)
    sets = (tables for phase in phases for task in phase["tasks"] for tables in named.writes(task))
    # deduplicated: thousands of tasks may share a configuration with thousands of tables
    distinct = {id(tables): tables for tables in sets}
    return _union(distinct.values())


def _union(sets: Iterable[frozenset[str]]) -> set[str]:
    found: set[str] = set()
    return found.union(*sets)


def tables_matter(phases: Iterable[Given]) -> set[Key]:
    """The configurations that run in parallel with others, so that the tables they read and write matter."""
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
