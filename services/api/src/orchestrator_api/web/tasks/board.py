"""How the board shows a draft: names, flags, and what is to be judged at which card. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zlib import crc32
from zoneinfo import ZoneInfo

from orchestrator_api.drafts.board import Board, CardTask
from orchestrator_api.drafts.checks import Check
from orchestrator_api.web.words import day_and_time, duration
from orchestrator_shared.definitions.orchestration import DEFAULT_TIMEOUT_SECONDS, Task
from orchestrator_shared.definitions.task_names import Names, has_own_name

OLD = timedelta(minutes=30)
"""A draft that nobody has touched for so long is mentioned."""


class TaskLike(Protocol):
    """A task, on the board or in a definition."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def configuration(self) -> str: ...


class PhaseLike(Protocol):
    """A phase, on the board or in a definition."""

    @property
    def name(self) -> str: ...
    @property
    def tasks(self) -> Sequence[TaskLike]: ...


Phases = Sequence[PhaseLike]


@dataclass(frozen=True, slots=True)
class Told:
    """What a person hears and sees after an operation, and where the focus goes."""

    said: str = ""
    focus: str = ""
    note: str = ""
    """What they must see, because something else happened than they asked for."""
    toast: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """The checks of a board by what they are about."""

    by_task: Mapping[str, Sequence[Check]] = field(default_factory=dict)
    others: Sequence[Check] = ()
    """Those without a card."""
    kept: Sequence[Check] = ()

    def tone(self, task: str) -> str:
        """Whether the card warns, or has an error."""
        levels = {check.level for check in self.by_task.get(task, ())}
        return next((level for level in ("error", "warning") if level in levels), "")


def judged(board: Board) -> Judged:
    """What is left to judge, and what is kept."""
    by_task: dict[str, list[Check]] = {}
    others: list[Check] = []
    kept: list[Check] = []
    for check in board.checks:
        if check.kept:
            kept.append(check)
        elif check.task is not None:
            by_task.setdefault(check.task, []).append(check)
        else:
            others.append(check)
    return Judged(by_task, others, kept)


def prints(board: Board, judged: Judged) -> list[str]:
    """A short digest of each phase with all that its cards show: phases with the same one look the same."""
    return [
        f"{crc32(repr((phase, [judged.by_task.get(task.id) for task in phase.tasks])).encode()):08x}"
        for phase in board.phases
    ]


def changed(before: Sequence[str], after: Sequence[str]) -> list[int] | None:
    """Which phases look different; None if phases came, went or moved, so that all are to be drawn again."""
    if len(before) != len(after) or not after:
        return None
    return [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]


def names_of(phases: Phases) -> dict[str, str]:
    """What the tasks are called, by id."""
    return {task.id: shown_name(task) for phase in phases for task in phase.tasks}


def shown_name(task: TaskLike, names: Names | None = None) -> str:
    """Its own name, or that of what it runs: a card knows it, for a task of a definition it is in `names`."""
    if has_own_name(task.name, task.id, task.component, task.configuration):
        return task.name
    known = (names or {}).get((task.component, task.configuration), task.configuration)
    return getattr(task, "configuration_name", None) or known


def flags_of(task: CardTask | Task) -> list[str]:
    """How it runs, apart from what is usual."""
    timeout = task.timeout_seconds
    found = (
        ("may fail", task.continue_on_failure),
        (f"{task.attempts} tries", task.attempts > 1),
        (f"timeout {duration(timeout or 0)}", timeout not in (None, DEFAULT_TIMEOUT_SECONDS)),
        ("parameters", bool(task.parameters)),
        ("inactive", not task.enabled),
    )
    return [text for text, is_so in found if is_so]


def drawn_on(board: Board, now: datetime, zone: ZoneInfo) -> str:
    """When an old draft was touched last: `yesterday`, `Thu 26 Nov 16:20`; empty of one that is at work."""
    at = board.updated_at
    if at is None or not board.changes or now - at < OLD:
        return ""
    days = (now.astimezone(zone).date() - at.astimezone(zone).date()).days
    return "yesterday" if days == 1 else day_and_time(at, now, zone)
