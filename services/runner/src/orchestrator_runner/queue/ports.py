"""What the parts of the runner need of each other."""

from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

Wake = Callable[[], None]
"""Make the engine look at the database now: for runs that may start and for jobs that are to stop."""


class LeaseHolder(Protocol):
    """Ends what this replica runs before its lease does; the keeper is one."""

    def renew_lease(self, seconds: float, *, asked_at: float | None = None) -> None:
        """The lease is good for so long after the instant (by `boottime`) at which it was asked for."""


class ReconcilesRuns(Protocol):
    """Takes news that the engine applies to runs in its next step; the slow scan finds what is lost."""

    def reconcile_runs(self, jobs: Iterable[UUID], runs: Iterable[UUID]) -> None:
        """`jobs` ended outside of the engine; `runs` may have nothing left to wait for."""

    def look_around(self) -> None:
        """See `Wake`."""
