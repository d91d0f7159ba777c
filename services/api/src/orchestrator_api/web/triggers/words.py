"""What the pages of triggers say. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.triggers.explanations import Explanation, ShownTable
from orchestrator_api.triggers.rhythms import Punctuality, Starvation
from orchestrator_api.web import words
from orchestrator_api.web.viewer import Viewer
from orchestrator_shared.domain.statuses import Disposition

_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z")


@dataclass(frozen=True, slots=True)
class Became:
    """What became of an update."""

    text: str
    tone: str = ""
    """The name of its tag's colours."""


BECAME: Mapping[str, Became] = {
    Disposition.COUNTED: Became("counted", "success"),
    Disposition.COMPLETED: Became("completed the set", "success"),
    Disposition.BELONGS_TO_WAITING: Became("joined the waiting run", "accent"),
    Disposition.COOLING_DOWN: Became("ignored in the cool-down", "warning"),
    Disposition.DISABLED: Became("recorded while it was off"),
}


def became(disposition: str) -> Became:
    """One that is new here is shown as it is."""
    return BECAME.get(disposition, Became(disposition.replace("_", " ")))


def in_zone(sentence: str, viewer: Viewer) -> str:
    """A sentence of an explanation with its instants as the viewer reads times."""
    text = _STAMP.sub(lambda found: viewer.at(datetime.fromisoformat(found[0])), sentence)
    return f"{text[:1].upper()}{text[1:]}"


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """How ready one table is."""

    table: str
    is_ready: bool
    said: str
    late: str
    """Such as `34 min late`; empty while it is not late."""
    last_heard_at: datetime | None


def ready_rows(explanation: Explanation, viewer: Viewer) -> list[ReadyRow]:
    """Missing tables first, the latest of them on top."""
    rows = sorted(
        explanation.tables,
        key=lambda each: (each.updated_since_last_run, -(each.late_seconds or 0), each.table),
    )
    return [_ready_row(each, viewer) for each in rows]


def _ready_row(table: ShownTable, viewer: Viewer) -> ReadyRow:
    late = f"{words.passed(table.late_seconds)} late" if table.late_seconds else ""
    said = _ready(table, viewer) if table.updated_since_last_run else _missing(table, viewer)
    return ReadyRow(table.table, table.updated_since_last_run, said, late, table.last_heard_at)


def _ready(table: ShownTable, viewer: Viewer) -> str:
    return f"ready since {viewer.at(table.ready_since)}" if table.ready_since else "ready"


def _missing(table: ShownTable, viewer: Viewer) -> str:
    said = "missing"
    if table.missing_since is not None:
        said += f" since {viewer.at(table.missing_since)}, when {table.missing_because}"
    if table.rhythm is not None:
        said += f"; {table.rhythm.words}"
    if table.expected_at is not None and not table.late_seconds:
        said += f", expected {viewer.at(table.expected_at)}"
    return said


def heard(last_heard_at: datetime | None, usual: Punctuality, viewer: Viewer) -> str:
    """Of a table to choose: its last update and its rhythm."""
    if last_heard_at is None:
        return "no updates yet"
    last = f"last update {viewer.relative(last_heard_at)}"
    return last if usual.rhythm is None else f"{last} · {usual.rhythm.words}"


def dropped(starvation: Starvation) -> list[str]:
    """What mode `ignore` would have done to the recorded updates of each table, in words."""
    return [
        f"{each.table}: {_dropped(each.dropped, each.updates)}"
        + (f", its data up to {words.passed(each.longest_seconds)} old" if each.dropped else "")
        for each in starvation.tables
        if each.updates
    ]


def _dropped(count: int, updates: int) -> str:
    if not count:
        return (
            "its one update would have counted"
            if updates == 1
            else f"all {updates} updates would have counted"
        )
    return f"{count} of {words.counted(updates, 'update')} would not have counted"


def both_or_all(count: int) -> str:
    """Of how many tables the updates are needed."""
    return {0: "all of its tables", 1: "its table", 2: "both tables"}.get(count, f"all {count} tables")


def needed(count: int) -> str:
    """`both tables were`."""
    return f"{both_or_all(count)} {'was' if count == 1 else 'were'}"


def marked(name: str, search: str) -> Sequence[tuple[str, bool]]:
    """The parts of a name, and whether each is what was searched for."""
    wanted = search.strip().lower()
    place = name.lower().find(wanted) if wanted else -1
    if place < 0:
        return [(name, False)]
    end = place + len(wanted)
    parts = [(name[:place], False), (name[place:end], True), (name[end:], False)]
    return [each for each in parts if each[0]]
