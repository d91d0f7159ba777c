"""The runs below one root, and who already knows of a run's end from mails about nested runs."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from orchestrator_shared.domain.statuses import JobStatus, NotificationEvent

Notified = AbstractSet[tuple[str, str]]
"""Subject and event of the mails that one person was sent about one root."""

_FAILED = frozenset({JobStatus.ERROR, JobStatus.TERMINATED, JobStatus.CANCELLED})
_SUCCEEDED = frozenset({JobStatus.SUCCESS})
_CAUSES: Mapping[str, frozenset[JobStatus]] = {
    NotificationEvent.ERROR: _FAILED,
    NotificationEvent.WARNING: _FAILED | {JobStatus.WARNING},
    NotificationEvent.SUCCESS: _SUCCEEDED,
    NotificationEvent.RECOVERED: _SUCCEEDED,
}
"""Statuses of children that make a run end with a status."""
_COVERED_BY: Mapping[str, tuple[str, ...]] = {
    NotificationEvent.SUCCESS: (NotificationEvent.SUCCESS, NotificationEvent.RECOVERED),
}
"""Other events whose mails include this one's news."""


@dataclass(frozen=True, slots=True)
class NestedRun:
    """A run of the tree."""

    id: UUID
    parent_id: UUID | None
    task_id: str | None
    status: JobStatus
    retry_of: UUID | None = None


class RunTree:
    """A root run and all runs below it; `components`: how the other children of each run ended."""

    def __init__(self, runs: Sequence[NestedRun], components: Mapping[UUID, AbstractSet[JobStatus]]) -> None:
        self._runs = {run.id: run for run in runs}
        self._components = components
        repeated = {run.retry_of for run in runs if run.parent_id is not None}
        self._children: dict[UUID, list[NestedRun]] = {}
        for run in runs:
            if run.parent_id is not None and run.id not in repeated:
                self._children.setdefault(run.parent_id, []).append(run)

    def subject(self, run: UUID) -> str:
        """The tasks that lead to a run: the same for all attempts of it, empty for the root."""
        path: list[str] = []
        node = self._runs.get(run)
        while node is not None and node.parent_id is not None:
            path.append(node.task_id or str(node.id))
            node = self._runs.get(node.parent_id)
        return " ".join(reversed(path))

    def is_covered(self, run: UUID, event: str, notified: Notified) -> bool:
        """Whether someone was already notified of the run's end, or of all nested runs that caused it.

        If a component is among the causes, only the mail about the run itself reports it.
        """
        subject = self.subject(run)
        if any((subject, same) in notified for same in _COVERED_BY.get(event, (event,))):
            return True
        causes = _CAUSES.get(event, frozenset())
        if causes & self._components.get(run, frozenset()):
            return False
        nested = [child for child in self._children.get(run, []) if child.status in causes]
        return bool(nested) and all(self.is_covered(child.id, event, notified) for child in nested)
