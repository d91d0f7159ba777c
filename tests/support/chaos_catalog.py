"""The fifty configurations of a chaos run: components, runs, nested runs, two projects."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.chaos_ledger import PROGRAM
from tests.support.ledger import LEDGER_VARIABLE
from tests.support.pipelines import PROJECT

from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import OverlapPolicy

STEADY, BRITTLE = "steady", "brittle"
COMPONENTS = {STEADY: "rerun", BRITTLE: "fail"}
NARROW = "narrow"
LIMIT = 3
"""The parallel limit of the project `narrow`; the other one has none."""
STEADIES, SLOWS, FLAKIES, BRITTLES, NARROWS, RUNS, NESTED = 20, 5, 3, 5, 6, 8, 2
LONG_OF = 12
"""Of the jobs of most configurations, every twelfth takes long."""
SCHEDULED = {
    "run-0": OverlapPolicy.ONE_WAITING,
    "run-1": OverlapPolicy.SKIP,
    "run-2": OverlapPolicy.QUEUE,
}
Put = Callable[[str, Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Configuration:
    """What can be asked for; of an orchestration, the tasks with how many jobs each makes."""

    project: str
    component: str
    name: str
    tasks: Mapping[str, int] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        return 1 + sum(self.tasks.values())


class Catalog:
    """Everything that can be asked for; `put` saves one thing through the api."""

    def __init__(self, dice: random.Random, long_seconds: float) -> None:
        self._dice = dice
        self._long = long_seconds
        self.steady = _named(PROJECT, STEADY, "steady", STEADIES)
        self.slow = _named(PROJECT, STEADY, "slow", SLOWS)
        self.flaky = _named(PROJECT, STEADY, "flaky", FLAKIES)
        self.brittle = _named(PROJECT, BRITTLE, "brittle", BRITTLES)
        self.narrow = _named(NARROW, STEADY, "narrow", NARROWS)
        self.runs: dict[str, Configuration] = {}

    @property
    def nested(self) -> list[Configuration]:
        """Runs whose tasks are runs."""
        return [run for name, run in self.runs.items() if name.startswith("nested")]

    async def furnish(self, put: Put) -> None:
        """Components first, orchestrations last: each refers to what is there already."""
        for name, after_crash in COMPONENTS.items():
            command = ["{python}", "-S", "-c", PROGRAM]
            document = {"type": "application", "command": command, "environment": {LEDGER_VARIABLE: None}}
            await put(f"/v1/components/{name}", {**document, "after_crash": after_crash})
        for each in [*self.steady, *self.slow, *self.flaky, *self.brittle, *self.narrow]:
            more = {"long_of": 1 if each in self.slow else LONG_OF, "fail_first": each in self.flaky}
            path = f"/v1/projects/{each.project}/configurations/{each.component}/{each.name}"
            await put(path, {"parameters": {"long": self._long, **more}})
        for number in range(RUNS):
            await self._orchestration(put, PROJECT, f"run-{number}", self._phases())
        for number in range(NESTED):
            await self._orchestration(put, PROJECT, f"nested-{number}", self._nesting(number))
        narrow = [[_task(each) for each in self.narrow]]
        await self._orchestration(put, NARROW, "run-narrow", narrow)

    def _phases(self) -> list[list[dict[str, Any]]]:
        known = [*self.steady, *self.brittle, *self.flaky]
        sizes = [self._dice.randint(1, 3) for _ in range(self._dice.randint(1, 3))]
        chosen = iter(self._dice.sample(known, sum(sizes)))
        return [[_task(next(chosen)) for _ in range(size)] for size in sizes]

    def _nesting(self, number: int) -> list[list[dict[str, Any]]]:
        """Runs that are also asked for by themselves, in opposite orders; and the scheduled ones."""
        inner = [self.runs[name] for name in ("run-0", "run-3")]
        first, second = inner if number % 2 == 0 else inner[::-1]
        return [[_task(first), _task(self._dice.choice(self.steady))], [_task(second)]]

    async def _orchestration(
        self, put: Put, project: str, name: str, phases: list[list[dict[str, Any]]]
    ) -> None:
        await put(f"/v1/projects/{project}/orchestrations/{name}", {"phases": [{"tasks": p} for p in phases]})
        sizes = {task["id"]: self._size(task["configuration"]) for tasks in phases for task in tasks}
        self.runs[name] = Configuration(project, str(ORCHESTRATOR), name, sizes)

    def _size(self, name: str) -> int:
        return self.runs[name].jobs if name in self.runs else 1


def _named(project: str, component: str, name: str, count: int) -> list[Configuration]:
    return [Configuration(project, component, f"{name}-{number}") for number in range(count)]


def _task(what: Configuration) -> dict[str, Any]:
    """Brittle ones and nested runs may fail, flaky ones have a second attempt."""
    return {
        "id": what.name,
        "component": what.component,
        "configuration": what.name,
        "attempts": 2 if what.name.startswith("flaky") else 1,
        "continue_on_failure": what.component == BRITTLE or what.name == "run-3",
    }
