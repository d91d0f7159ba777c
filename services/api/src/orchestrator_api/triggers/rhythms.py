"""Reads recorded updates, and tells from them how regularly tables are updated and how late they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.triggers.rhythm import (
    Dropped,
    Lateness,
    Rhythm,
    dropped_under_ignore,
    lateness_of,
    rhythm_of,
    starvation_warning,
)
from orchestrator_api.triggers.rows import QuietTable
from orchestrator_api.triggers.service import not_shared, shown_table
from orchestrator_api.triggers.store import TriggerStore
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.durations import about_duration
from orchestrator_shared.domain.tables import TableRef

Table = tuple[str, str]
"""Its project and its name."""
Heard = Mapping[Table, Sequence[datetime]]
"""The newest updates of tables, oldest first."""
MOST_UPDATES = 200
MOST_FOR_RHYTHM = 60
MOST_LATE = 300
FEW_TABLES = 50
"""The updates of more are judged in a thread: those of 1,000 tables take a third of a second."""
_REPLAYED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ShownRhythm:
    """What is usual for a table."""

    interval_seconds: float
    usual_time: str | None
    weekdays: Sequence[int]
    words: str


@dataclass(frozen=True, slots=True)
class Punctuality:
    """What is usual for a table, and how late it is; of tables with few updates nothing is known."""

    rhythm: ShownRhythm | None = None
    expected_at: datetime | None = None
    late_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Starvation:
    """What mode `ignore` would have done to the recorded updates since then."""

    since: datetime
    tables: Sequence[Dropped]
    warning: str | None


@dataclass(frozen=True, slots=True)
class LateTable:
    """A table that a trigger waits for, and that is late."""

    waiting: QuietTable
    table: str
    rhythm: Rhythm
    lateness: Lateness


async def recorded(session: Session, tables: Sequence[Table], most: int = MOST_UPDATES) -> Heard:
    """The newest updates of these tables, of those that are the project's own or shared with it."""
    found = await TriggerStore(session.connection).recent_updates(
        project=session.project, tables=tables, most=most
    )
    return {(each.table_project, each.table_name): each.heard for each in found}


def punctuality(heard: Sequence[datetime], now: datetime, zone: ZoneInfo) -> Punctuality:
    """What is usual for a table with these updates."""
    newest = heard[-MOST_FOR_RHYTHM:]
    rhythm = rhythm_of(newest, zone)
    if rhythm is None:
        return Punctuality()
    usual = None if rhythm.usual_time is None else f"{rhythm.usual_time:%H:%M}"
    shown = ShownRhythm(rhythm.interval_seconds, usual, rhythm.weekdays, rhythm.words)
    late = lateness_of(rhythm, newest[-1], now, zone)
    return Punctuality(shown, late.expected_at, late.late_seconds)


def starvation(heard: Mapping[str, Sequence[datetime]], cool_down_seconds: int, now: datetime) -> Starvation:
    """Replay the last week, or as much of it as the records of all tables cover."""
    cut = [times[0] for times in heard.values() if len(times) >= MOST_UPDATES]
    since = max([now - _REPLAYED, *cut])
    replayed = {table: [at for at in times if at >= since] for table, times in heard.items()}
    cool_down = timedelta(seconds=cool_down_seconds)
    found = dropped_under_ignore(replayed, cool_down, now)
    window = "7 days" if not cut or since not in cut else about_duration((now - since).total_seconds())
    return Starvation(since, found, starvation_warning(found, cool_down, window))


@dataclass(frozen=True, slots=True)
class PreviewedTable(Punctuality):
    """One table of a trigger that is not saved yet."""

    table: str = ""
    last_heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TriggerPreview:
    """How regular its tables are, and what its cool-down means for them."""

    tables: Sequence[PreviewedTable]
    ignore: str
    defer: str
    starvation: Starvation


async def preview(
    session: Session, tables: Sequence[str], cool_down_seconds: int, zone: ZoneInfo
) -> TriggerPreview:
    """A trigger as it would be saved; refuses tables that are neither the project's nor shared with it."""
    project = session.project
    refs = [TableRef.parse(text, own_project=project, field=f"tables.{i}") for i, text in enumerate(tables)]
    found = await recorded(session, sorted({(ref.project, str(ref.name)) for ref in refs}))
    refuse(
        [
            FieldError(f"tables.{i}", not_shared(ref))
            for i, ref in enumerate(refs)
            if (ref.project, str(ref.name)) not in found
        ]
    )
    heard = {shown_table(project, *table): times for table, times in found.items()}

    def judged() -> TriggerPreview:
        return TriggerPreview(
            [_previewed(table, times, session.now, zone) for table, times in heard.items()],
            **modes_in_words(cool_down_seconds),
            starvation=starvation(heard, cool_down_seconds, session.now),
        )

    return judged() if len(heard) <= FEW_TABLES else await session.offload.run(judged)


def _previewed(table: str, times: Sequence[datetime], now: datetime, zone: ZoneInfo) -> PreviewedTable:
    usual = punctuality(times, now, zone)
    return PreviewedTable(**columns_of(usual), table=table, last_heard_at=times[-1] if times else None)


def modes_in_words(cool_down_seconds: int) -> dict[str, str]:
    """What each mode does with updates in this cool-down."""
    if not cool_down_seconds:
        none = "There is no cool-down: every update counts."
        return {"ignore": none, "defer": none}
    after = f"in the {about_duration(cool_down_seconds)} after a run of this trigger starts"
    return {
        "ignore": f"Updates {after} do not count.",
        "defer": f"Updates {after} count; if they complete the set, it runs when that time is over.",
    }


async def late_tables(session: Session, zone: ZoneInfo) -> list[LateTable]:
    """Tables that an enabled trigger waits for, and that are late."""
    store = TriggerStore(session.connection)
    quiet = await store.quiet_tables(project=session.project, limit=MOST_LATE)
    tables = sorted({(each.table_project, each.table_name) for each in quiet})
    heard = await recorded(session, tables, MOST_FOR_RHYTHM)
    found = []
    for each in quiet:
        times = heard.get((each.table_project, each.table_name), ())
        rhythm = rhythm_of(times, zone)
        if rhythm is None:
            continue
        lateness = lateness_of(rhythm, times[-1], session.now, zone)
        if lateness.late_seconds:
            table = shown_table(session.project, each.table_project, each.table_name)
            found.append(LateTable(each, table, rhythm, lateness))
    return found
