"""Several decisions in a row, and everything that they have to store and publish."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator_shared.domain.ids import JobId, TriggerId
from orchestrator_shared.domain.statuses import Disposition
from orchestrator_trigger_watcher.domain.decisions import (
    Ended,
    Event,
    Fire,
    PastEvent,
    TimePassed,
    UpdateHeard,
    decide,
)
from orchestrator_trigger_watcher.domain.states import TriggerState


@dataclass(frozen=True, slots=True)
class Disposed:
    """What became of one update for one trigger."""

    trigger_id: TriggerId
    update: UpdateHeard
    disposition: Disposition
    job_id: JobId | None


class Ledger:
    """The states of some triggers, changed decision by decision."""

    def __init__(self, states: Iterable[TriggerState]) -> None:
        self.states = {state.id: state for state in states}
        self._before = dict(self.states)
        self.disposed: list[Disposed] = []
        self.fires: list[tuple[TriggerState, Fire]] = []
        self.ended: list[tuple[TriggerState, Ended]] = []

    def apply(self, trigger_id: TriggerId, event: Event) -> None:
        """Decide, and keep what follows."""
        decision = decide(self.states[trigger_id], event)
        self.states[trigger_id] = decision.state
        if decision.disposition is not None and isinstance(event, UpdateHeard):
            self.disposed.append(Disposed(trigger_id, event, decision.disposition, decision.job_id))
        if decision.fire is not None:
            self.fires.append((decision.state, decision.fire))
        if decision.ended is not None:
            self.ended.append((decision.state, decision.ended))

    def replay(self, events: Mapping[TriggerId, Iterable[PastEvent]]) -> None:
        """What happened since the triggers were last looked at, each trigger's in order."""
        for trigger_id, past in events.items():
            for event in past:
                self.apply(trigger_id, event)

    def pass_time(self, at: datetime) -> None:
        """Nothing else happened until then."""
        for trigger_id in list(self.states):
            self.apply(trigger_id, TimePassed(at))

    def changed(self) -> list[TriggerState]:
        """The states that differ from what was loaded."""
        return [state for state in self.states.values() if self._before.get(state.id) != state]

    def judged(self) -> list[TriggerState]:
        """The states that differ, and those for which something became of an update."""
        disposed = {item.trigger_id for item in self.disposed}
        changed = {state.id for state in self.changed()}
        return [state for state in self.states.values() if state.id in disposed | changed]

    def hear(self, update: UpdateHeard) -> None:
        """One update, for every trigger that selects its table."""
        for state in list(self.states.values()):
            if update.table in state.counts:
                self.apply(state.id, update)
