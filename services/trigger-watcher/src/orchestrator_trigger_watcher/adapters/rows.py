"""Rows of the trigger-watcher as they lie in the database, and what they mean to its rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator_shared.domain.ids import JobId, TriggerId
from orchestrator_shared.domain.statuses import CoolDownMode
from orchestrator_shared.domain.tables import TableName, TableRef
from orchestrator_trigger_watcher.domain.decisions import RunStarted, Saved
from orchestrator_trigger_watcher.domain.states import Count, Definition, TriggerState


@dataclass(frozen=True, slots=True)
class StateRow:
    """A trigger's settings as they are applied, and what it waits for."""

    trigger_id: TriggerId
    project: str
    orchestration: str
    name: str
    version: int
    reset_count: int
    enabled: bool
    cool_down_seconds: int
    mode: CoolDownMode
    generation: int
    pending_job_id: JobId | None
    last_started_at: datetime | None
    due_at: datetime | None
    deleted: bool

    def with_counts(self, counts: Mapping[TableRef, Count]) -> TriggerState:
        return TriggerState(
            id=self.trigger_id,
            project=self.project,
            orchestration=self.orchestration,
            name=self.name,
            version=self.version,
            reset_count=self.reset_count,
            enabled=self.enabled,
            cool_down=timedelta(seconds=self.cool_down_seconds),
            mode=self.mode,
            generation=self.generation,
            pending=self.pending_job_id,
            last_started_at=self.last_started_at,
            due_at=self.due_at,
            deleted=self.deleted,
            counts=counts,
        )


@dataclass(frozen=True, slots=True)
class CountRow:
    """How far a trigger counts one table."""

    trigger_id: TriggerId
    table_project: str
    table_name: str
    counted: int
    counted_at: datetime | None
    used: int
    chain_length: int

    @property
    def table(self) -> TableRef:
        return table_ref(self.table_project, self.table_name)

    @property
    def count(self) -> Count:
        return Count(self.counted, self.used, self.counted_at, self.chain_length)


@dataclass(frozen=True, slots=True)
class SavedRow:
    """A version of a trigger that has not been applied yet; `tables` with each one's newest number then."""

    number: int
    trigger_id: TriggerId
    at: datetime
    project: str
    orchestration: str
    name: str
    version: int
    reset_count: int
    enabled: bool
    cool_down_seconds: int
    mode: CoolDownMode
    deleted: bool
    tables: list[dict[str, str | int]]

    @property
    def event(self) -> Saved:
        heard = {
            table_ref(str(each["project"]), str(each["name"])): int(each["last_seq"]) for each in self.tables
        }
        definition = Definition(
            id=self.trigger_id,
            project=self.project,
            orchestration=self.orchestration,
            name=self.name,
            version=self.version,
            reset_count=self.reset_count,
            enabled=self.enabled,
            cool_down=timedelta(seconds=self.cool_down_seconds),
            mode=self.mode,
            deleted=self.deleted,
            tables=frozenset(heard),
        )
        return Saved(self.at, self.number, definition, heard)


@dataclass(frozen=True, slots=True)
class StartRow:
    """A run that started, for one trigger that does not know of it."""

    trigger_id: TriggerId
    id: JobId
    started_at: datetime
    used_updates: dict[str, int] | None
    is_own: bool

    @property
    def event(self) -> RunStarted:
        used = {TableRef.parse(name, own_project=""): seq for name, seq in (self.used_updates or {}).items()}
        return RunStarted(self.started_at, self.id, used, self.is_own)


@dataclass(frozen=True, slots=True)
class EndRow:
    """A trigger's run that ended before it started."""

    trigger_id: TriggerId
    id: JobId
    finished_at: datetime
    was_withdrawn: bool


@dataclass(frozen=True, slots=True)
class TableRow:
    """A locked table and its newest number."""

    project: str
    name: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class UpdateKeyRow:
    """What makes an update one and the same."""

    project: str
    source: str
    event_id: str
    table_name: str


@dataclass(frozen=True, slots=True)
class ChainRow:
    """How many runs in a row led to a job."""

    id: JobId
    chain_length: int


@dataclass(frozen=True, slots=True)
class OrchestrationRow:
    """One orchestration."""

    project: str
    orchestration: str


def split(tables: Iterable[TableRef]) -> dict[str, list[str]]:
    """Two parallel arrays, as `unnest` takes them."""
    chosen = list(tables)
    return {
        "projects": [table.project for table in chosen],
        "names": [str(table.name) for table in chosen],
    }


def table_ref(project: str, name: str) -> TableRef:
    return TableRef(project, TableName.parse(name))
