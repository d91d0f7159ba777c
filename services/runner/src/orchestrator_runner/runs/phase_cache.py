"""Remembers the phases that this replica started, to save the query for which lanes come next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from orchestrator_runner.runs.bounded_cache import BoundedCache

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class BegunPhase:
    """A started phase of a run, and what follows it."""

    phase: int
    remaining: int
    """Its unfinished tasks when this replica last wrote; other replicas may have finished some since."""
    lanes: frozenset[int]
    """The lanes that the run's next step may touch: its own and those of its next phase."""


class PhaseCache:
    """A guess that saves a query; if the locked rows show that it was wrong, the next step queries."""

    def __init__(self) -> None:
        self._underway: BoundedCache[UUID, BegunPhase] = BoundedCache(REMEMBERED)

    def begin(self, run: UUID, underway: BegunPhase) -> None:
        """Remember a phase that this replica started."""
        self._underway[run] = underway

    def left(self, run: UUID, phase: int, remaining: int) -> None:
        """Remember how many tasks of the phase have not finished."""
        known = self._underway.get(run)
        if known is not None and known.phase == phase:
            self._underway[run] = replace(known, remaining=remaining)

    def forget(self, run: UUID) -> None:
        """Forget a run that has ended."""
        self._underway.forget(run)

    def cover(
        self, ends: Iterable[tuple[UUID, int]]
    ) -> tuple[dict[UUID, frozenset[int]], list[tuple[UUID, int]]]:
        """Split these (run, phase) ends: the runs that certainly go on, with the lanes to lock for them,
        and the ends of phases that this replica does not know.
        """
        covered: dict[UUID, frozenset[int]] = {}
        unknown: list[tuple[UUID, int]] = []
        for (run, phase), count in Counter(ends).items():
            known = self._underway.get(run)
            if known is None or known.phase != phase:
                unknown += [(run, phase)] * count
            elif known.remaining <= count:
                covered[run] = known.lanes
        return covered, unknown
