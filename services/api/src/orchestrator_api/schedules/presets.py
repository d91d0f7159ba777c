"""Usual schedules to choose from, as cron expressions; which of them an expression is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Literal

from orchestrator_shared.domain.schedule_words import words_of

PresetId = Literal["every_15_minutes", "hourly", "daily", "weekdays", "weekly", "monthly"]
Asked = Literal["minute", "time", "weekday", "day"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A usual schedule, with what a person may choose in it."""

    id: PresetId
    name: str
    asks_for: tuple[Asked, ...]
    cron: str

    @property
    def words(self) -> str | None:
        return words_of(self.cron, None)


_PRESETS: Sequence[tuple[PresetId, str, tuple[Asked, ...], str]] = (
    ("every_15_minutes", "Every 15 minutes", (), "*/15 * * * *"),
    ("hourly", "Hourly", ("minute",), "{minute} * * * *"),
    ("daily", "Daily", ("time",), "{minute} {hour} * * *"),
    ("weekdays", "Weekdays", ("time",), "{minute} {hour} * * 1-5"),
    ("weekly", "Weekly", ("weekday", "time"), "{minute} {hour} * * {weekday}"),
    ("monthly", "Monthly", ("day", "time"), "{minute} {hour} {day} * *"),
)
_CHOICE = re.compile(r"\\\{\w+\\\}")
_PATTERNS = tuple(
    (preset, re.compile(_CHOICE.sub(r"[0-9]+", re.escape(template)))) for preset, _, _, template in _PRESETS
)


def presets(*, at: time, weekday: int, day: int) -> list[Preset]:
    """All of them, with these choices."""
    chosen = {"minute": at.minute, "hour": at.hour, "weekday": weekday, "day": day}
    return [Preset(preset, name, asks, text.format_map(chosen)) for preset, name, asks, text in _PRESETS]


def preset_of(cron: str) -> PresetId | None:
    """The preset with which this expression can be written."""
    text = " ".join(cron.split())
    return next((preset for preset, pattern in _PATTERNS if pattern.fullmatch(text)), None)
