"""Tells live pages what changed, in the transaction that changed it."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import TypeVar
from uuid import UUID

from orchestrator_shared.contracts.events import ReadinessChanged
from orchestrator_shared.domain.tables import TableRef
from orchestrator_shared.messaging.outbox import UnitOfWork
from orchestrator_trigger_watcher.domain.states import TriggerState

T = TypeVar("T")
MOST_PER_HINT = 500
"""Tables, and triggers: at most about 200 KB; consumers refuse more than 256."""


def announce(work: UnitOfWork, states: Iterable[TriggerState], tables: Iterable[TableRef] = ()) -> None:
    """Publish one hint for each project; more only if a single one would be too large for consumers."""
    names: dict[str, list[str]] = defaultdict(list)
    triggers: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
    for table in tables:
        names[table.project].append(str(table.name))
    for state in states:
        triggers[state.project].append((state.id, state.orchestration))
    for project in sorted(names.keys() | triggers.keys()):
        for some, others in zip_longest(_parts(names[project]), _parts(triggers[project]), fillvalue=()):
            work.publish(ReadinessChanged(project=project, tables=list(some), triggers=dict(others)))


def _parts(items: list[T]) -> Iterable[list[T]]:
    return (items[begin : begin + MOST_PER_HINT] for begin in range(0, len(items), MOST_PER_HINT))
