"""What a replica knows of the phases it began, so that it need not ask which lanes come next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from orchestrator_runner.runs.bounded_cache import BoundedCache

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class BegunPhase:
    """The phase of a run that was begun, and what comes after it."""

    phase: int
    remaining: int
    """Its unfinished tasks when this replica last wrote of it; others may have finished some since."""
    lanes: frozenset[int]
    """Those that the run's next step may touch: its own and those of its next phase."""


class PhaseCache:
    """A guess that saves a query: what it gets wrong, the locked rows show, and the next step asks."""

    def __init__(self) -> None:
        self._underway: BoundedCache[UUID, BegunPhase] = BoundedCache(REMEMBERED)

    def begin(self, run: UUID, underway: BegunPhase) -> None:
        """This replica has begun a phase."""
        self._underway[run] = underway

    def left(self, run: UUID, phase: int, remaining: int) -> None:
        """So many tasks of the phase have not finished."""
        known = self._underway.get(run)
        if known is not None and known.phase == phase:
            self._underway[run] = replace(known, remaining=remaining)

    def forget(self, run: UUID) -> None:
        """The run has ended."""
        self._underway.forget(run)

    def cover(
        self, ends: Iterable[tuple[UUID, int]]
    ) -> tuple[dict[UUID, frozenset[int]], list[tuple[UUID, int]]]:
        """Of these (run, phase) ends: the runs that go on for sure, with the lanes to lock for it, and the
        ends of phases that this replica knows nothing of."""
        covered: dict[UUID, frozenset[int]] = {}
        unknown: list[tuple[UUID, int]] = []
        for (run, phase), count in Counter(ends).items():
            known = self._underway.get(run)
            if known is None or known.phase != phase:
                unknown += [(run, phase)] * count
            elif known.remaining <= count:
                covered[run] = known.lanes
        return covered, unknown
