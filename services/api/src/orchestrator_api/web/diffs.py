"""What differs between two versions, as people read it: a sign and lines for both sides; pure.

`templates/parts/diff.html.j2` shows it, of configurations as of orchestrations.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from orchestrator_api.catalog.differences import Difference, Differences

CONTEXT = 3
"""How many equal lines are shown around a change of a text."""
MANY_CHANGES = 100
"""From which on they are rendered in a thread."""
MAX_STEPS = 1_000_000
"""What comparing texts line by line may cost on one page; beyond it they are shown whole."""
_LABELS = {"added": "Added", "removed": "Removed", "changed": "Changed", "reordered": "Order of keys changed"}
_OF_PARAMETERS, _OF_TASK, _PHASE = "parameters.", "tasks.", ".phase"


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of each side; None where a side has none."""

    before: str | None
    after: str | None
    skipped: int = 0
    """Instead of lines: how many equal ones are left out."""

    @property
    def is_equal(self) -> bool:
        return self.before == self.after


@dataclass(frozen=True, slots=True)
class Change:
    """One change: where, what kind, and its lines."""

    path: str
    label: str
    kind: str
    pairs: Sequence[Pair] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes, or the first thousand."""

    changes: Sequence[Change]
    is_truncated: bool


@dataclass(slots=True)
class _Budget:
    steps: int = MAX_STEPS

    def allows(self, before: Sequence[str], after: Sequence[str]) -> bool:
        self.steps -= len(before) * len(after)
        return self.steps >= 0


def diff_of(differences: Differences) -> Diff:
    """The changes as they are shown."""
    budget = _Budget()
    return Diff([_change(each, budget) for each in differences.changes], differences.truncated)


def _change(each: Difference, budget: _Budget) -> Change:
    path = each.path.removeprefix(_OF_PARAMETERS)
    if each.secret:
        return Change(path, "Secret changed", "changed")
    label = _LABELS[each.kind]
    if each.kind == "changed" and path.startswith(_OF_TASK) and path.endswith(_PHASE):
        path, label = path.removesuffix(_PHASE), "Moved to another phase"
    return Change(path, label, each.kind, tuple(_pairs(each, budget)))


def _pairs(each: Difference, budget: _Budget) -> Iterator[Pair]:
    if each.kind == "added":
        yield from (Pair(None, line) for line in _lines(each.after))
    elif each.kind == "removed":
        yield from (Pair(line, None) for line in _lines(each.before))
    else:
        are_texts = isinstance(each.before, str) and isinstance(each.after, str)
        before, after = (_lines(side, plain=are_texts) for side in (each.before, each.after))
        yield from _compared(before, after, budget)


def _lines(value: Any, *, plain: bool = True) -> list[str]:
    """A text as it is, anything else as JSON; `"1"` and `1` beside each other in their quotes."""
    if isinstance(value, str) and plain and value:
        return value.splitlines() or [value]
    return json.dumps(value, ensure_ascii=False, indent=2).splitlines()


def _compared(before: Sequence[str], after: Sequence[str], budget: _Budget) -> Iterator[Pair]:
    if not budget.allows(before, after):
        yield from _beside(before, after)
        return
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for place, (kind, i1, i2, j1, j2) in enumerate(blocks):
        if kind == "equal":
            yield from _around(before[i1:i2], is_first=place == 0, is_last=place == len(blocks) - 1)
        else:
            yield from _beside(before[i1:i2], after[j1:j2])


def _beside(before: Sequence[str], after: Sequence[str]) -> Iterator[Pair]:
    for place in range(max(len(before), len(after))):
        first, second = (side[place] if place < len(side) else None for side in (before, after))
        yield Pair(first, second)


def _around(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Pair]:
    """Equal lines: those next to a change, and how many are left out."""
    head, tail = 0 if is_first else CONTEXT, 0 if is_last else CONTEXT
    left_out = len(lines) - head - tail
    if left_out <= 1:
        yield from (Pair(line, line) for line in lines)
        return
    yield from (Pair(line, line) for line in lines[:head])
    yield Pair(None, None, left_out)
    yield from (Pair(line, line) for line in lines[len(lines) - tail :])
