"""Interfaces between the parts of the runner."""

from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

Wake = Callable[[], None]
"""Makes the engine look at the database now, for runs that may start and jobs that must stop."""


class LeaseHolder(Protocol):
    """Ends what this replica runs before its lease expires; implemented by the keeper."""

    def renew_lease(self, seconds: float, *, asked_at: float | None = None) -> None:
        """The lease is valid for `seconds` from the moment (by `boottime`) at which it was requested."""


class ReconcilesRuns(Protocol):
    """Accepts changes that the engine applies to runs in its next step; the slow scan finds lost ones."""

    def reconcile_runs(self, jobs: Iterable[UUID], runs: Iterable[UUID]) -> None:
        """Report `jobs` that ended outside the engine, and `runs` that may have nothing left to wait for."""

    def look_around(self) -> None:
        """See `Wake`."""
