"""What docs/explanation/heard-and-used.md says, slowly: each question is asked of the whole log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID


@dataclass(frozen=True)
class Heard:
    at: datetime
    table: str
    seq: int


@dataclass(frozen=True)
class Started:
    """A run of the orchestration, whoever asked for it."""

    at: datetime
    job_id: UUID
    number: int
    full: bool


@dataclass(frozen=True)
class Ended:
    """A run that ended before it started; `used_by` is the number of the run that left it nothing to use."""

    at: datetime
    job_id: UUID
    used_by: int | None


@dataclass(frozen=True)
class Saved:
    at: datetime
    tables: frozenset[str]
    enabled: bool
    cool_down: timedelta
    defers: bool
    resets: int


Entry = Heard | Started | Ended | Saved
COUNTING = {"counted", "completed", "belongs_to_waiting_run"}


@dataclass
class Outcome:
    """What the log of one trigger must lead to."""

    dispositions: list[tuple[Heard, str]] = field(default_factory=list)
    fires: list[datetime] = field(default_factory=list)


class History:
    """`jobs` are the runs that the trigger asks for, in order."""

    def __init__(self, jobs: list[UUID]) -> None:
        self.jobs = jobs
        self.past: list[Entry] = []
        self.outcome = Outcome()
        self.updates_of: dict[UUID, list[Heard]] = {}

    def saves(self) -> list[Saved]:
        return [entry for entry in self.past if isinstance(entry, Saved)]

    def starts(self) -> list[Started]:
        return [entry for entry in self.past if isinstance(entry, Started)]

    def ends(self) -> list[Ended]:
        return [entry for entry in self.past if isinstance(entry, Ended) and entry.job_id in self.jobs]

    def waiting(self) -> UUID | None:
        """The last run asked for, unless it started or ended."""
        if not self.outcome.fires:
            return None
        last = self.jobs[len(self.outcome.fires) - 1]
        over = {start.job_id for start in self.starts()} | {end.job_id for end in self.ends()}
        return None if last in over else last

    def selected_since(self, table: str) -> datetime:
        """The last save that added the table."""
        since, selected = None, False
        for save in self.saves():
            if table in save.tables and not selected:
                since = save.at
            selected = table in save.tables
        assert since is not None
        return since

    def is_used(self, heard: Heard) -> bool:
        """By a full run that started later."""
        return any(start.full and start.at > heard.at for start in self.starts())

    def counts(self, heard: Heard, disposition: str) -> bool:
        """Whether this update counts now for the next run."""
        saves = self.saves()
        resets = [save.at for before, save in pairwise(saves) if save.resets > before.resets]
        return (
            disposition in COUNTING
            and heard.table in saves[-1].tables
            and heard.at > self.selected_since(heard.table)
            and all(heard.at > reset for reset in resets)
            and not self.is_used(heard)
            and not any(end.at > heard.at for end in self.ends())
        )

    def counting(self) -> list[Heard]:
        return [heard for heard, how in self.outcome.dispositions if self.counts(heard, how)]

    def is_complete(self) -> bool:
        return {heard.table for heard in self.counting()} == self.saves()[-1].tables

    def cool_down_end(self) -> datetime | None:
        own = [start.at for start in self.starts() if start.job_id in self.jobs]
        return max(own) + self.saves()[-1].cool_down if own else None

    def is_cooling_down(self, at: datetime) -> bool:
        end = self.cool_down_end()
        return end is not None and at < end

    def fire(self, at: datetime) -> None:
        self.updates_of[self.jobs[len(self.outcome.fires)]] = self.counting()
        self.outcome.fires.append(at)

    def judge_set(self, at: datetime) -> None:
        """A cool-down ended then."""
        save = self.saves()[-1]
        if save.enabled and save.defers and self.is_complete() and self.waiting() is None:
            self.fire(at)

    def judge_update(self, heard: Heard) -> None:
        if not self.saves() or heard.table not in self.saves()[-1].tables:
            return
        save, waiting = self.saves()[-1], self.waiting()
        if not save.enabled:
            how = "trigger_disabled"
        elif waiting is not None:
            how = "belongs_to_waiting_run"
            self.updates_of[waiting].append(heard)
        elif self.is_cooling_down(heard.at) and not save.defers:
            how = "ignored_in_cool_down"
        else:
            how = "counted"
        self.outcome.dispositions.append((heard, how))
        if how == "counted" and self.is_complete() and not self.is_cooling_down(heard.at):
            self.outcome.dispositions[-1] = (heard, "completed")
            self.fire(heard.at)

    def judge_run(self, run: Started | Ended) -> None:
        """The trigger's own run must be withdrawn if other runs have used all its updates, and only then."""
        if run.job_id not in self.updates_of or (isinstance(run, Ended) and run.used_by is None):
            return
        updates = self.updates_of[run.job_id]
        are_used = all(self.is_used(heard) for heard in updates)
        assert are_used is isinstance(run, Ended), (run, updates)
        if isinstance(run, Ended):
            users = [
                start
                for start in self.starts()
                if start.full and start.at > max(heard.at for heard in updates)
            ]
            assert run.used_by == min(users, key=lambda start: start.at).number

    def pass_time(self, until: datetime) -> None:
        end = self.cool_down_end() if self.past else None
        if end is not None and self.past[-1].at < end <= until:
            self.judge_set(end)

    def note(self, entry: Entry) -> None:
        self.pass_time(entry.at)
        if isinstance(entry, Heard):
            self.judge_update(entry)
        elif isinstance(entry, Started | Ended):
            self.judge_run(entry)
        was_cooling_down = self.is_cooling_down(entry.at) if self.saves() else False
        self.past.append(entry)
        if isinstance(entry, Saved) and was_cooling_down and not self.is_cooling_down(entry.at):
            self.judge_set(entry.at)


def replay(log: Iterable[Entry], jobs: list[UUID], *, until: datetime) -> Outcome:
    history = History(jobs)
    for entry in sorted(log, key=lambda entry: entry.at):
        if isinstance(entry, Saved) or history.saves():
            history.note(entry)
    history.pass_time(until)
    return history.outcome
