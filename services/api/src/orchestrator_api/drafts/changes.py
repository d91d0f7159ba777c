"""What differs between two layouts of tasks, in words: one sentence per change. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator_shared.definitions.task_names import Names, task_name

Kind = Literal["moved", "added", "removed", "changed", "phase"]
Given = Mapping[str, Any]
MAX_WORDS = 300

_SETTINGS: Mapping[str, str] = {
    "timeout_seconds": "another time limit",
    "attempts": "another number of attempts",
    "attempt_delay_seconds": "another delay between attempts",
    "attempt_backoff": "another back-off between attempts",
    "retry_on": "another rule for repeated attempts",
    "parameters": "other parameters",
    "component": "another component",
    "configuration": "another configuration",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and the card that it is about."""

    kind: Kind
    text: str
    task: str | None = None
    """Its id; one that was removed is on no card."""
    phase: int | None = None
    """The index of the phase, if the change is one of a phase that is there."""
    was_in: str | None = None
    """Of a task that moved: the name of the phase that it was in."""


def compare(before: Sequence[Given], after: Sequence[Given], names: Names | None = None) -> list[Change]:
    """The changes from one layout to another, phases first; `names` are those of the configurations."""
    layouts = _Layouts(before, after, names or {})
    return [*_phases(layouts), *_tasks(layouts)]


def summary(changes: Sequence[Change]) -> str:
    """One line for a step: its first change, and how many more there are."""
    if not changes:
        return "No change"
    tasks = [each for each in changes if each.task is not None]
    first = (tasks or list(changes))[0]
    more = len(tasks or changes) - 1
    return first.text[:MAX_WORDS] + (f", and {more} more" if more else "")


class _Layouts:
    """Two layouts, and which phase of the one is which of the other."""

    def __init__(self, before: Sequence[Given], after: Sequence[Given], names: Names) -> None:
        self.before, self.after, self.names = before, after, names
        self.was = _places(before)
        self.now = _places(after)
        self.same = self._matched()
        """The index of each phase before, by that of the phase after that it became."""

    def _matched(self) -> dict[int, int]:
        """Phases of one name are the same; of the others, those that share the most tasks."""
        found: dict[int, int] = {}
        free: dict[str, list[int]] = {}
        for index, phase in reversed(list(enumerate(self.before))):
            free.setdefault(phase["name"], []).append(index)
        for index, phase in enumerate(self.after):
            if free.get(phase["name"]):
                found[index] = free[phase["name"]].pop()
        taken = set(found.values())
        for index, phase in enumerate(self.after):
            if index not in found:
                shared = Counter(self.was[task["id"]][0] for task in phase["tasks"] if task["id"] in self.was)
                likely = next((was for was, _ in shared.most_common() if was not in taken), None)
                if likely is not None and 2 * shared[likely] >= len(self.before[likely]["tasks"]):
                    found[index] = likely
                    taken.add(likely)
        return found


def _places(phases: Sequence[Given]) -> dict[str, tuple[int, Given]]:
    return {task["id"]: (index, task) for index, phase in enumerate(phases) for task in phase["tasks"]}


def _phases(layouts: _Layouts) -> Iterator[Change]:
    before, after, same = layouts.before, layouts.after, layouts.same
    for index, phase in enumerate(after):
        was = same.get(index)
        if was is None:
            yield Change("phase", f"Phase {phase['name']} is new", phase=index)
        elif before[was]["name"] != phase["name"]:
            text = f"Phase {before[was]['name']} is called {phase['name']}"
            yield Change("phase", text, phase=index)
    gone = set(range(len(before))) - set(same.values())
    for was in sorted(gone):
        yield Change("phase", f"Phase {before[was]['name']} is gone")
    order = [same[index] for index in sorted(same)]
    if order != sorted(order):
        yield Change("phase", "The phases are in another order")


def _tasks(layouts: _Layouts) -> Iterator[Change]:
    before, after, same, names = layouts.before, layouts.after, layouts.same, layouts.names
    for name, (index, task) in layouts.now.items():
        if name not in layouts.was:
            yield Change("added", f"{task_name(task, names)} is new in {after[index]['name']}", task=name)
            continue
        old_index, old = layouts.was[name]
        if same.get(index) != old_index:
            was_in = before[old_index]["name"]
            text = f"{task_name(task, names)} moved from {was_in} to {after[index]['name']}"
            yield Change("moved", text, task=name, was_in=was_in)
        if old != task:
            yield Change("changed", _setting(old, task, names), task=name)
    for name, (index, task) in layouts.was.items():
        if name not in layouts.now:
            text = f"{task_name(task, names)} is gone from {before[index]['name']}"
            yield Change("removed", text, task=name)


def _setting(old: Given, new: Given, names: Names) -> str:
    name = task_name(new, names)
    parts: list[str] = []
    if old["name"] != new["name"]:
        parts.append(f"was called {task_name(old, names)}")
    if old["enabled"] != new["enabled"]:
        parts.append("is active" if new["enabled"] else "is inactive")
    if old["continue_on_failure"] != new["continue_on_failure"]:
        parts.append(
            "lets the run go on when it fails"
            if new["continue_on_failure"]
            else "stops the run when it fails"
        )
    has = [words for key, words in _SETTINGS.items() if old.get(key) != new.get(key)]
    if has:
        parts.append(f"has {_and(has)}")
    return f"{name} {_and(parts or ['is set otherwise'])}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
