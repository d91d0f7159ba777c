"""What is known of one trigger when something is decided about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator_shared.domain.ids import JobId, TriggerId
from orchestrator_shared.domain.statuses import CoolDownMode
from orchestrator_shared.domain.tables import TableRef


@dataclass(frozen=True, slots=True)
class Count:
    """How far one table counts and how far it is used up, as numbers of its updates."""

    counted: int
    used: int
    counted_at: datetime | None = None
    chain_length: int = 0
    """Of the newest update that counts: how many runs in a row led to it."""

    @property
    def is_new(self) -> bool:
        """Updated since the last execution."""
        return self.counted > self.used

    def use(self, upto: int) -> "Count":
        """Everything up to this number is used up; numbers only grow."""
        return self if upto <= self.used else replace(self, used=upto)

    def drop(self) -> "Count":
        """Forget what has been counted and not used."""
        return replace(self, counted=self.used, counted_at=None) if self.is_new else self


@dataclass(frozen=True, slots=True)
class TriggerState:
    """One trigger: its settings as last read, its waiting run, its cool-down and its counts."""

    id: TriggerId
    project: str
    orchestration: str
    name: str
    version: int
    reset_count: int
    enabled: bool
    cool_down: timedelta
    mode: CoolDownMode
    generation: int = 0
    pending: JobId | None = None
    last_started_at: datetime | None = None
    due_at: datetime | None = None
    """Mode `defer`: when the current cool-down ends and the set is evaluated."""
    deleted: bool = False
    counts: Mapping[TableRef, Count] = field(default_factory=dict)

    @property
    def defers(self) -> bool:
        """A live trigger whose updates count during the cool-down."""
        return self.mode is CoolDownMode.DEFER and not self.deleted

    @property
    def is_complete(self) -> bool:
        """Every selected table was updated since the last execution."""
        return bool(self.counts) and all(count.is_new for count in self.counts.values())

    @property
    def cool_down_until(self) -> datetime | None:
        """When the cool-down of the last own run ends; an update exactly then counts."""
        return None if self.last_started_at is None else self.last_started_at + self.cool_down

    @property
    def next_chain_length(self) -> int:
        """Of the run that the set would start. One table that was loaded from outside begins a new chain: a
        run that causes itself has caused all updates that it waits for."""
        return 1 + min((count.chain_length for count in self.counts.values()), default=0)

    def is_cooling_down(self, at: datetime) -> bool:
        until = self.cool_down_until
        return until is not None and at < until


@dataclass(frozen=True, slots=True)
class Definition:
    """A trigger as someone saved it in the catalog."""

    id: TriggerId
    project: str
    orchestration: str
    name: str
    version: int
    reset_count: int
    enabled: bool
    cool_down: timedelta
    mode: CoolDownMode
    deleted: bool
    tables: frozenset[TableRef]

    @property
    def counted_tables(self) -> frozenset[TableRef]:
        """A deleted trigger counts nothing; restored, it begins anew."""
        return frozenset() if self.deleted else self.tables
