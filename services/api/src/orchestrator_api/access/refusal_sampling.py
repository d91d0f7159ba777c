"""Decides which refusals get an audit record, so that no flood of them fills the log. Pure."""

from collections import OrderedDict
from dataclasses import dataclass, field

from orchestrator_api.access.attempts import MAX_TRACKED

ADDRESS_SECONDS = 600.0
"""At most one record per address in this time."""
WINDOW_SECONDS = 600.0
WINDOW_RECORDS = 100
"""At most this many records of all addresses in that time; the rest is counted in later ones."""


@dataclass(slots=True)
class _Address:
    unrecorded: int = 0
    recorded_at: float | None = None


@dataclass(slots=True)
class RefusalSampling:
    """Counts refusals by address, or by what else tells senders apart; the caller supplies the seconds."""

    _addresses: OrderedDict[str, _Address] = field(default_factory=OrderedDict)
    _window_began: float = float("-inf")
    _written: int = 0

    def count(self, address: str, refused: int, now: float) -> int:
        """Count refusals; returns how many to record for the address now, or 0."""
        known = self._addresses.setdefault(address, _Address())
        self._addresses.move_to_end(address)
        if len(self._addresses) > MAX_TRACKED:
            self._addresses.popitem(last=False)
        known.unrecorded += refused
        is_early = known.recorded_at is not None and now - known.recorded_at < ADDRESS_SECONDS
        if is_early or not self._has_room(now):
            return 0
        total, known.unrecorded, known.recorded_at = known.unrecorded, 0, now
        return total

    def _has_room(self, now: float) -> bool:
        if now - self._window_began >= WINDOW_SECONDS:
            self._window_began, self._written = now, 0
        self._written += 1
        return self._written <= WINDOW_RECORDS
