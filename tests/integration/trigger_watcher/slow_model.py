"""What PRODUCT section 5 says, slowly and obviously: every question is asked of the whole history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True)
class Heard:
    at: datetime
    table: str
    seq: int


@dataclass(frozen=True)
class Started:
    at: datetime
    said_at: datetime
    job_id: UUID
    full: bool
    vector: Mapping[str, int]
    holds_the_lane: bool = False
    """Noticed while it was under way, so that a waiting run is withdrawn."""

    def uses(self, heard: "Heard") -> bool:
        return self.full and self.vector.get(heard.table, 0) >= heard.seq


@dataclass(frozen=True)
class Cancelled:
    at: datetime
    job_id: UUID


@dataclass(frozen=True)
class Edited:
    at: datetime
    tables: frozenset[str]
    enabled: bool
    cool_down: timedelta
    reset: bool = False


Entry = Heard | Started | Cancelled | Edited
COUNTING = {"counted", "completed", "belongs_to_waiting_run"}


@dataclass
class Outcome:
    """What the log of one trigger must lead to; `jobs` are the runs it asks for, in order."""

    dispositions: list[tuple[Heard, str]] = field(default_factory=list)
    fires: list[Heard] = field(default_factory=list)


class History:
    def __init__(self, jobs: list[UUID]) -> None:
        self.jobs = jobs
        self.past: list[Entry] = []
        self.outcome = Outcome()
        self.withdrawn: set[UUID] = set()

    def edits(self) -> list[Edited]:
        return [entry for entry in self.past if isinstance(entry, Edited)]

    def starts(self) -> list[Started]:
        return [entry for entry in self.past if isinstance(entry, Started)]

    def cancels(self) -> list[Cancelled]:
        return [entry for entry in self.past if isinstance(entry, Cancelled) and entry.job_id in self.jobs]

    def waiting(self) -> UUID | None:
        """The last run asked for, unless it started, ended or was withdrawn."""
        if not self.outcome.fires:
            return None
        last = self.jobs[len(self.outcome.fires) - 1]
        over = {start.job_id for start in self.starts()} | {cancel.job_id for cancel in self.cancels()}
        return None if last in over | self.withdrawn else last

    def selected_since(self, table: str) -> datetime:
        """The last edit that added the table."""
        since, selected = None, False
        for edit in self.edits():
            if table in edit.tables and not selected:
                since = edit.at
            selected = table in edit.tables
        assert since is not None
        return since

    def counts(self, heard: Heard, disposition: str) -> bool:
        """Whether this update counts now for the next run."""
        resets = [edit.at for edit in self.edits() if edit.reset]
        return (
            disposition in COUNTING
            and heard.at > self.selected_since(heard.table)
            and all(heard.at > reset for reset in resets)
            and not any(
                start.full and start.vector.get(heard.table, 0) >= heard.seq for start in self.starts()
            )
            and not any(cancel.at > heard.at for cancel in self.cancels())
        )

    def is_complete(self) -> bool:
        return all(
            any(heard.table == table and self.counts(heard, how) for heard, how in self.outcome.dispositions)
            for table in self.edits()[-1].tables
        )

    def is_cooling_down(self, at: datetime) -> bool:
        own = [start.said_at for start in self.starts() if start.job_id in self.jobs]
        return bool(own) and at < max(own) + self.edits()[-1].cool_down

    def judge(self, heard: Heard) -> None:
        if not self.edits() or heard.table not in self.edits()[-1].tables:
            return
        if not self.edits()[-1].enabled:
            how = "trigger_disabled"
        elif self.waiting() is not None:
            how = "belongs_to_waiting_run"
        elif self.is_cooling_down(heard.at):
            how = "ignored_in_cool_down"
        else:
            how = "counted"
        self.outcome.dispositions.append((heard, how))
        if how == "counted" and self.is_complete():
            self.outcome.dispositions[-1] = (heard, "completed")
            self.outcome.fires.append(heard)

    def note(self, entry: Entry) -> None:
        if isinstance(entry, Heard):
            self.judge(entry)
        waiting = self.waiting()
        self.past.append(entry)
        if isinstance(entry, Started) and entry.holds_the_lane and waiting is not None:
            self.withdrawn.add(waiting)


def replay(log: Iterable[Entry], jobs: list[UUID]) -> Outcome:
    history = History(jobs)
    for entry in sorted(log, key=lambda entry: entry.at):
        history.note(entry)
    return history.outcome
