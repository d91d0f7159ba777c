"""The board of a draft: phases and tasks with their usual lengths, checks, and what changed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orchestrator_api.drafts.changes import Change
from orchestrator_api.drafts.checks import Check
from orchestrator_shared.definitions.arranging import Types, type_of
from orchestrator_shared.definitions.orchestration import DraftDefinition, Phase, Task
from orchestrator_shared.definitions.task_names import Names
from orchestrator_shared.domain.statuses import ComponentType

Usual = Mapping[tuple[str, str], float]
"""Seconds, by component and configuration."""
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CardTask:
    """A task as a card shows it."""

    id: str
    component: str
    configuration: str
    name: str
    enabled: bool
    continue_on_failure: bool
    timeout_seconds: int | None
    attempts: int
    attempt_delay_seconds: int
    attempt_backoff: float
    retry_on: str
    parameters: Mapping[str, Any]
    """Secrets are masked."""
    type: ComponentType
    usual_seconds: float | None
    configuration_name: str | None = None
    """None if there is no such configuration."""
    was_in: str | None = None
    """The name of the phase that it was in, if it moved."""


@dataclass(frozen=True, slots=True)
class CardPhase:
    """A phase, and how long it usually takes: as long as its longest active task."""

    name: str
    usual_seconds: float | None
    tasks: Sequence[CardTask]


@dataclass(frozen=True, slots=True)
class Theirs:
    """What was saved since the draft began: the newest version, and what it changed."""

    version: int
    author: str
    saved_at: datetime
    note: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Board:
    """A draft, or the saved tasks as long as there is none."""

    orchestration: str
    name: str
    etag: str
    is_open: bool
    """Whether there is a draft."""
    base_version: int
    version: int
    """The newest saved version."""
    phases: Sequence[CardPhase]
    usual_seconds: float | None
    changes: Sequence[Change]
    checks: Sequence[Check]
    undo: str | None
    """What undo takes back, in words; None if there is nothing."""
    redo: str | None
    conflict: Theirs | None
    opened_at: datetime | None
    updated_at: datetime | None

    @property
    def errors(self) -> int:
        """How many problems a save would refuse."""
        return sum(each.level == "error" for each in self.checks)

    @property
    def warnings(self) -> int:
        """How many warnings are left to judge."""
        return sum(each.level == "warning" and not each.kept for each in self.checks)


def cards(
    definition: DraftDefinition, masked: Sequence[Given], types: Types, usual: Usual, names: Names
) -> list[CardPhase]:
    """The phases with their cards; `masked` are the same phases without secrets."""
    return [
        CardPhase(
            phase.name,
            phase_seconds(phase, usual),
            [
                CardTask(
                    **shown,
                    type=type_of(task, types),
                    usual_seconds=_seconds(task, usual),
                    configuration_name=names.get((task.component, task.configuration)),
                )
                for task, shown in zip(phase.tasks, given["tasks"], strict=True)
            ],
        )
        for phase, given in zip(definition.phases, masked, strict=True)
    ]


def moved(phases: Sequence[CardPhase], changes: Sequence[Change]) -> list[CardPhase]:
    """The same, each card that moved saying from where."""
    was_in = {each.task: each.was_in for each in changes if each.kind == "moved"}
    return [
        replace(phase, tasks=[replace(task, was_in=was_in.get(task.id)) for task in phase.tasks])
        for phase in phases
    ]


def _seconds(task: Task, usual: Usual) -> float | None:
    return usual.get((task.component, task.configuration))


def phase_seconds(phase: Phase, usual: Usual) -> float | None:
    """That of the longest active task; None if one is not known."""
    known = [_seconds(task, usual) for task in phase.tasks if task.enabled]
    lengths = [each for each in known if each is not None]
    return max(lengths, default=0.0) if len(lengths) == len(known) else None


def total_seconds(phases: Sequence[float | None]) -> float | None:
    """Of all phases, one after another; None if one is not known, or there is nothing to run."""
    known = [each for each in phases if each is not None]
    return round(sum(known), 3) if len(known) == len(phases) and sum(known) > 0 else None
