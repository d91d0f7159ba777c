"""What the form of a schedule means: presets, a cron expression or an interval, and a zone. Pure."""

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

from orchestrator_api.schedules.presets import preset_of, presets
from orchestrator_api.schedules.rows import ScheduleSpec
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.durations import format_duration, parse_duration
from orchestrator_shared.domain.errors import UserError

INTERVAL, CUSTOM, OTHER = "interval", "custom", "other"
PLACES = {"every_seconds": "every", "catch_up_seconds": "catch_up"}
"""The field of the form of each field of the API that is called differently there."""
WEEKDAYS = tuple(
    zip(
        "1234560", ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True
    )
)
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_OFFERED = re.compile(r"`every: ([^`]+)`")
NEW: Mapping[str, str] = {
    "preset": "daily",
    "at": "06:00",
    "minute": "0",
    "weekday": "1",
    "day": "1",
    "cron": "0 6 * * *",
    "cron_before": "0 6 * * *",
    "every": "45m",
    "zone": "UTC",
    "overlap": "one_waiting",
    "misfire": "fire_once",
    "catch_up": "24h",
}


def choices() -> list[tuple[str, str]]:
    """How often: each preset, an interval, and an expression of one's own."""
    found = [(each.id, each.name) for each in presets(at=time(6), weekday=1, day=1)]
    return [*found, (INTERVAL, "Interval"), (CUSTOM, "Custom")]


def of_schedule(spec: ScheduleSpec, own_zone: str) -> Fields:
    """The form as it shows a saved schedule."""
    fields = Fields(NEW)
    if spec.cron is None:
        fields |= {"preset": INTERVAL, "every": format_duration(spec.every_seconds or 0)}
    else:
        fields |= {"cron": spec.cron, "cron_before": spec.cron, **_as_preset(spec.cron)}
    is_near = spec.timezone in ("UTC", own_zone)
    fields |= {"zone": spec.timezone if is_near else OTHER, "timezone": "" if is_near else spec.timezone}
    fields |= {"overlap": spec.overlap, "misfire": spec.misfire}
    return Fields(fields | {"catch_up": format_duration(spec.catch_up_seconds)})


def _as_preset(cron: str) -> dict[str, str]:
    """The preset with which an expression can be written, and what is chosen in it."""
    preset = preset_of(cron)
    if preset is None or preset == "every_15_minutes":
        return {"preset": preset or CUSTOM}
    minute, hour, day, _, weekday = cron.split()
    chosen = {"minute": str(int(minute))}
    if hour.isdigit():
        chosen["at"] = f"{int(hour):02}:{int(minute):02}"
    if day.isdigit():
        chosen["day"] = str(int(day))
    if weekday.isdigit():
        chosen["weekday"] = str(int(weekday) % 7)
    return {"preset": preset, **chosen}


def is_typed(fields: Fields) -> bool:
    """Whether the expression itself was written, and not that of a preset."""
    typed = fields["cron"].strip() != fields["cron_before"].strip()
    return fields["preset"] != INTERVAL and (typed or fields["preset"] == CUSTOM)


def cron_of(fields: Fields) -> str:
    """The expression that was written, or that of the chosen preset; raises UserError at the choice."""
    if is_typed(fields) or _is_as_shown(fields):
        return fields["cron"].strip()
    at = time(0, _number(fields, "minute", 0, 59)) if fields["preset"] == "hourly" else _time(fields)
    weekday, day = _number(fields, "weekday", 0, 7), _number(fields, "day", 1, 31)
    found = {each.id: each.cron for each in presets(at=at, weekday=weekday, day=day)}
    chosen = next((cron for name, cron in found.items() if name == fields["preset"]), None)
    if chosen is None:
        raise UserError("choose how often it starts", field="preset")
    return chosen


def _is_as_shown(fields: Fields) -> bool:
    """Whether nothing was chosen since: it stays as it was written, such as with a 7 for Sunday."""
    shown = _as_preset(fields["cron_before"])
    return all(fields[name] == value for name, value in shown.items())


def _time(fields: Fields) -> time:
    found = _TIME.fullmatch(fields["at"].strip())
    if found is None:
        raise UserError("write hours and minutes of a 24-hour clock, such as 02:30", field="at")
    return time(int(found[1]), int(found[2]))


def _number(fields: Fields, name: str, low: int, high: int) -> int:
    text = fields[name].strip()
    if not (text.isascii() and text.isdigit() and len(text) < 3 and low <= int(text) <= high):
        raise UserError(f"write a number from {low} to {high}", field=name)
    return int(text)


def times_of(fields: Fields) -> dict[str, Any]:
    """The times as the API takes them."""
    zone = fields["timezone"].strip() if fields["zone"] in (OTHER, "") else fields["zone"]
    if fields["preset"] == INTERVAL:
        return {"every_seconds": parse_duration(fields["every"], field="every"), "timezone": zone}
    return {"cron": cron_of(fields), "timezone": zone}


def body_of(fields: Fields) -> dict[str, Any]:
    """The schedule as the API takes it."""
    return {
        **times_of(fields),
        "enabled": fields["enabled"] != "false",
        "overlap": fields["overlap"],
        "misfire": fields["misfire"],
        "catch_up_seconds": parse_duration(fields["catch_up"], field="catch_up"),
    }


def followed(fields: Fields, *, is_good: bool) -> Fields:
    """The form once an expression was written (its preset is chosen) or a preset chosen (it is written).

    `is_good`: the expression can be read.
    """
    if fields["preset"] == INTERVAL:
        return fields
    try:
        cron = cron_of(fields)
    except UserError:
        return fields
    if is_typed(fields):
        chosen = _as_preset(cron) if is_good else {"preset": CUSTOM}
        return Fields(fields | chosen | {"cron_before": fields["cron"]})
    return Fields(fields | {"cron": cron, "cron_before": cron})


def taken(fields: Fields, offered: str) -> Fields:
    """The form with an interval or an expression that was offered."""
    kind, _, text = offered.partition(": ")
    if kind == "every":
        return Fields(fields | {"preset": INTERVAL, "every": text})
    return Fields(fields | {"cron": offered, "cron_before": offered, **_as_preset(offered)})


def offered_by(warning: str | None) -> str | None:
    """What a warning offers instead, as `every: 45m`."""
    found = _OFFERED.search(warning or "")
    return None if found is None else f"every: {found[1]}"
