"""What starts an orchestration, in a few words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator_api.schedules.rows import StoredSchedule
from orchestrator_api.triggers.rows import StoredTrigger
from orchestrator_api.web import words


@dataclass(frozen=True, slots=True)
class Start:
    """One schedule or trigger, or none."""

    icon: str
    text: str
    zone: str = ""
    is_code: bool = False
    """Whether the text is a cron expression."""
    is_paused: bool = False
    ready: tuple[int, int] | None = None
    """Of a trigger: how many of its tables are updated, and how many there are."""


_EVERYWHERE = re.compile(r"Every minute|Every hour|Every (2|3|4|5|6|10|12|15|20|30) minutes")
"""Times that are the same in every zone."""
MANUAL = Start("hand-click", "Manual")


def starts_of(schedules: Sequence[StoredSchedule], triggers: Sequence[StoredTrigger]) -> list[Start]:
    """Schedules first; what is switched on before what is paused."""
    found = [*map(of_schedule, schedules), *map(of_trigger, triggers)]
    return sorted(found, key=lambda start: start.is_paused) or [MANUAL]


def of_schedule(schedule: StoredSchedule) -> Start:
    """`Every 45 minutes`, `Mondays to Fridays at 05:30` with its zone; a cron expression without words."""
    text = schedule.words or schedule.cron or ""
    is_of_a_zone = schedule.cron is not None and not _EVERYWHERE.fullmatch(text)
    zone = schedule.timezone.rpartition("/")[2].replace("_", " ") if is_of_a_zone else ""
    return Start("clock", text[:1].upper() + text[1:], zone, schedule.words is None, not schedule.enabled)


def of_trigger(trigger: StoredTrigger) -> Start:
    """`2 tables`."""
    tables = len(trigger.tables)
    text, ready = words.counted(tables, "table"), (trigger.tables_ready, tables)
    return Start("bolt", text, is_paused=not trigger.enabled, ready=ready)
